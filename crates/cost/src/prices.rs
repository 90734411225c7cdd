//! Prices and assumptions, as a TOML file has them.

use serde::Deserialize;
use toml::value::Datetime;

use crate::assumptions::Assumptions;
use crate::sizes::Sizes;
use crate::toml_fields::{MillionPrice, Price};

/// The prices that are part of the program.
const EMBEDDED: &str = include_str!("../prices.toml");

/// An error in a file of prices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PricesError {
    /// Not the TOML of a file of prices.
    #[error("{line}:{column}: {message}")]
    Invalid {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// The fault.
        message: String,
    },
}

/// The currency of all prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Currency {
    /// US dollars.
    #[serde(rename = "USD")]
    Usd,
}

impl Currency {
    /// Returns the code of ISO 4217.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Usd => "USD",
        }
    }
}

/// Prices and assumptions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    as_of: Datetime,
    pub(crate) currency: Currency,
    region: String,
    pub(crate) opensearch: OpenSearch,
    pub(crate) dynamodb: DynamoDb,
    pub(crate) sqs: PerRequest,
    pub(crate) stack_functions: StackFunctions,
    pub(crate) http_api: PerRequest,
    pub(crate) cloudwatch: CloudWatch,
    pub(crate) data_out: DataOut,
    pub(crate) machine: Machine,
    pub(crate) volume: Volume,
    pub(crate) address: Address,
    pub(crate) lambda: Lambda,
    pub(crate) workers: Workers,
    pub(crate) vercel: Vercel,
    pub(crate) assumptions: Assumptions,
}

/// The origin of a figure in a file of prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Basis {
    /// Stated in the requirement for this command.
    Requirement,
    /// Compared with published copies of the provider's price list.
    Published,
    /// Carried over from a calculation of 2025.
    Carried,
}

/// Defines a table of the file: its source and basis, and its fields.
macro_rules! priced {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            pub(crate) source: String,
            pub(crate) basis: Basis,
            $(pub(crate) $field: $kind,)*
        }
    };
}

priced!(
    /// Domains of OpenSearch Service.
    OpenSearch { gb_month: Price, sizes: Sizes }
);
priced!(
    /// On-demand tables.
    DynamoDb { million_writes: MillionPrice, million_reads: MillionPrice, gb_month: Price, recovery_gb_month: Price }
);
priced!(
    /// A service that is paid by the request.
    PerRequest { million_requests: MillionPrice }
);
priced!(
    /// The functions of the AWS stack.
    StackFunctions { million_requests: MillionPrice, gb_second: Price }
);
priced!(
    /// Logs, metrics and alarms.
    CloudWatch { log_gb: Price, metric: Price, alarm: Price }
);
priced!(
    /// Data to the internet.
    DataOut { gb: Price }
);
priced!(
    /// Machines without their volume and address.
    Machine { sizes: Sizes }
);
priced!(
    /// The disk of a machine.
    Volume { gb_month: Price }
);
priced!(
    /// The public address of a machine.
    Address { hour: Price }
);
priced!(
    /// Lambda functions alone.
    Lambda { million_requests: MillionPrice, gb_second: Price, free_requests: u32, free_gb_seconds: u32 }
);
priced!(
    /// Cloudflare Workers: free below a number of requests a day, else a plan.
    Workers { free_requests_a_day: u32, month: Price, included_requests: u32, million_requests: MillionPrice }
);
priced!(
    /// Vercel Functions.
    Vercel { free_requests: u32, million_requests: MillionPrice }
);

impl Prices {
    /// Returns the prices that are part of the program.
    ///
    /// # Errors
    /// Never: a test reads the file.
    pub fn embedded() -> Result<Self, PricesError> {
        Self::parse(EMBEDDED)
    }

    /// Reads a file of prices.
    ///
    /// # Errors
    /// Fails at the first fault, with its line and column.
    pub fn parse(text: &str) -> Result<Self, PricesError> {
        toml::from_str(text).map_err(|error| {
            let before = &text[..error.span().map_or(0, |span| span.start).min(text.len())];
            PricesError::Invalid {
                line: before.matches('\n').count() + 1,
                column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
                message: error.message().replace('\n', "; "),
            }
        })
    }

    /// Returns the day of the last change to a price.
    pub fn as_of(&self) -> String {
        self.as_of.to_string()
    }

    /// Returns the region of the prices of AWS.
    pub fn region(&self) -> &str {
        &self.region
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prices_of_the_program_are_valid() {
        let prices = Prices::embedded().unwrap();
        assert_eq!((prices.as_of().as_str(), prices.region()), ("2026-11-29", "us-east-1"));
    }

    fn fault(from: &str, to: &str) -> String {
        let text = EMBEDDED.replacen(from, to, 1);
        assert_ne!(text, EMBEDDED, "{from} is in the file");
        Prices::parse(&text).unwrap_err().to_string()
    }

    #[test]
    fn a_fault_is_one_line_that_says_where_it_is() {
        for (from, to, expected) in [
            ("\"0.0000166667\"", "0.0000166667", "in quotation marks, such as \"0.20\""),
            ("\"0.40\"", "\"-0.40\"", "a decimal number from 0 to 1000000"),
            ("\"0.40\"", "\"1000001\"", "a decimal number from 0 to 1000000"),
            ("\"0.40\"", "\"\"", "a decimal number from 0 to 1000000"),
            ("\"0.40\"", "\"1e3\"", "a decimal number from 0 to 1000000"),
            ("\"USD\"", "\"EUR\"", "unknown variant `EUR`, expected `USD`"),
            ("[vercel]", "[versel]", "unknown field `versel`"),
            ("changes_per_batch = 5", "changes_per_batch = 0", "nonzero u32"),
            ("as_of = 2026-11-29", "as_of = 2026-02-30", "date"),
        ] {
            let fault = fault(from, to);
            assert!(fault.contains(expected) && !fault.contains('\n'), "{fault}");
            let position = EMBEDDED.find(from).unwrap();
            let line =
                EMBEDDED[..position].lines().count() + usize::from(EMBEDDED[..position].ends_with('\n'));
            assert!(fault.starts_with(&format!("{line}:")), "{from} is in line {line}: {fault}");
        }
    }
}
