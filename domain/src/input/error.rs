//! The error for a body that is not a product.

use crate::fault::{Fault, Faults};

/// The error for a body that is not a product.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The body is not JSON; the text says where.
    #[error("{0}")]
    Syntax(String),
    /// The body is JSON, but not a product.
    #[error(transparent)]
    Faults(#[from] Faults),
}

impl From<Fault> for InputError {
    fn from(fault: Fault) -> Self {
        Self::Faults(fault.into())
    }
}
