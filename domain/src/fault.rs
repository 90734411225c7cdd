//! Faults in what a caller sent: each names the field, says what is wrong and of which type the fault is.

use serde::{Deserialize, Serialize};

/// One fault in a request or a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fault {
    /// The field at fault, dotted (`attributes.colour`), or the query parameter; empty for the body itself.
    pub field: String,
    /// What is wrong and what would be right, for a person.
    pub message: String,
    /// What is wrong, for a program.
    #[serde(rename = "type")]
    pub kind: FaultKind,
}

/// The types of fault, for programs to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FaultKind {
    /// Required and not given.
    Missing,
    /// Not a field or parameter that exists here.
    Unknown,
    /// Given twice where one is allowed.
    Repeated,
    /// Another JSON type than the field takes.
    WrongType,
    /// Of the right type but not of the right form.
    Malformed,
    /// Too small, too large, too long or too many.
    OutOfRange,
    /// Must be unique and is taken.
    Taken,
}

impl Fault {
    /// A fault of `field` with a message for people.
    pub fn new(field: impl Into<String>, kind: FaultKind, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), kind }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.field.is_empty() {
            write!(f, "{}", self.message)
        } else {
            write!(f, "{}: {}", self.field, self.message)
        }
    }
}

/// All the faults of one input, at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(Fault::to_string).collect::<Vec<_>>().join("; "))]
pub struct Faults(pub Vec<Fault>);

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}
