//! The error that every port returns.

use std::error::Error;
use std::sync::Arc;

/// An error of a port, with its cause.
///
/// Cloning is cheap and keeps the cause, so one failed call can be reported to everybody who waited for it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{context}")]
pub struct PortError {
    /// The kind, which determines whether and when to retry.
    pub kind: PortErrorKind,
    /// The operation that failed, in lower case: `reading products from the store`.
    pub context: String,
    /// The underlying error.
    #[source]
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kind of an error, which determines whether and when to retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortErrorKind {
    /// The back end limits the rate: retry later, more slowly.
    Throttled,
    /// The back end is unreachable, not ready or timed out: retry later.
    Unavailable,
    /// The back end was unavailable a moment ago, and is not called until it is ready: retry later. The earlier error was logged.
    Suspended,
    /// The disk is full: retrying helps once an operator has freed space.
    Full,
    /// A defect, or corrupt data: retrying does not help.
    Internal,
}

impl PortError {
    /// Creates an error with a cause.
    pub fn new(
        kind: PortErrorKind,
        context: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, context: context.into(), source: Some(Arc::from(source.into())) }
    }

    /// Creates an error without a cause.
    pub fn bare(kind: PortErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    /// Returns true if the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        self.kind != PortErrorKind::Internal
    }

    /// Formats the error and its causes as one line, for a log or a person.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut source = Error::source(self);
        while let Some(cause) = source {
            line.push_str(": ");
            line.push_str(&cause.to_string());
            source = cause.source();
        }
        line
    }
}
