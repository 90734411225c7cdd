//! The ways to run a catalogue, and the platforms for functions that the bill compares them with.

use serde::Serialize;

/// A column of the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Provider {
    /// The stack of the AWS template, with OpenSearch.
    AwsStack,
    /// `noren serve` on one machine.
    OneMachine,
    /// Functions alone, on AWS Lambda.
    Lambda,
    /// Functions alone, on Cloudflare Workers.
    Workers,
    /// Functions alone, on Vercel.
    Vercel,
}

impl Provider {
    /// All providers, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::AwsStack, Self::OneMachine, Self::Lambda, Self::Workers, Self::Vercel];

    /// Returns the name of the provider in tables.
    pub fn label(self) -> &'static str {
        match self {
            Self::AwsStack => "AWS stack",
            Self::OneMachine => "one machine",
            Self::Lambda => "Lambda",
            Self::Workers => "Workers",
            Self::Vercel => "Vercel",
        }
    }
}
