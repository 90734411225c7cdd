//! Errors: of opening an index, and of calls to OpenSearch.

use domain::Language;
use domain::ports::{PortError, PortErrorKind};
use opensearch::Error;
use serde::Deserialize;
use serde_json::Value;

/// The most characters of OpenSearch's own error text that an error repeats.
const MAX_REASON_CHARS: usize = 300;

/// An index that cannot be used. Each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is not a valid HTTP address.
    #[error(
        "the address of OpenSearch is invalid ({reason}); set NOREN_OPENSEARCH_URL to one such as http://127.0.0.1:9200"
    )]
    Address {
        /// The fault.
        reason: String,
    },
    /// The alias is not a valid name.
    #[error(
        "`{alias}` is not a valid alias in OpenSearch; set NOREN_OPENSEARCH_INDEX to 1 to 200 of the characters a-z, 0-9, `-`, `_` and `.`, \
         starting with a letter or digit"
    )]
    Alias {
        /// The alias.
        alias: String,
    },
    /// A later version of this program created the index.
    #[error(
        "the index behind the alias {alias} has schema {found}, and this noren knows schemas up to {known}; update noren, \
         or rebuild the index from the store with `noren reindex --back-ends`"
    )]
    Newer {
        /// The alias.
        alias: String,
        /// The schema of the index.
        found: String,
        /// The schema of this program.
        known: String,
    },
    /// The index has a schema that is too old to be read. A rebuild replaces it.
    #[error(
        "the index behind the alias {alias} has schema {found}, and this noren needs schema {known}; a noren-sync that has \
         the store (NOREN_STORE) rebuilds it, or do it with `noren reindex --back-ends`"
    )]
    Older {
        /// The alias.
        alias: String,
        /// The schema of the index.
        found: String,
        /// The schema of this program.
        known: String,
    },
    /// The texts in the index were analysed in another language.
    #[error(
        "the index behind the alias {alias} was created for NOREN_LANGUAGE={found}, not {wanted}; set \
         NOREN_LANGUAGE={found}, or rebuild the index from the store with `noren reindex --back-ends`"
    )]
    OtherLanguage {
        /// The alias.
        alias: String,
        /// The language of the index.
        found: Language,
        /// The requested language.
        wanted: Language,
    },
    /// The alias points to something that is not an index of this program.
    #[error("the alias {alias} cannot be used ({reason}); set NOREN_OPENSEARCH_INDEX to another alias")]
    Unusable {
        /// The alias.
        alias: String,
        /// The fault.
        reason: String,
    },
    /// The alias does not exist, and creating it was not requested.
    #[error(
        "there is no index behind the alias {alias}; set NOREN_OPENSEARCH_INDEX to an alias that exists, or \
         NOREN_CREATE_TABLES=true so that noren-sync creates one"
    )]
    Missing {
        /// The alias.
        alias: String,
    },
    /// OpenSearch denies access.
    #[error(
        "access to the index behind the alias {alias} is denied; check the user and password in NOREN_OPENSEARCH_URL, or \
         the AWS credentials and their permissions"
    )]
    Denied {
        /// The alias.
        alias: String,
        /// The response of OpenSearch.
        #[source]
        source: PortError,
    },
    /// A call to OpenSearch failed.
    #[error(transparent)]
    Failed(#[from] PortError),
}

impl OpenError {
    /// Returns true if the same call may succeed later, without a change of the configuration.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_transient())
    }
}

impl From<OpenError> for PortError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Failed(error) => error,
            other => Self::new(PortErrorKind::Unavailable, "opening the index", other),
        }
    }
}

/// A call to OpenSearch that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("no answer from {address}; check NOREN_OPENSEARCH_URL, the network and OpenSearch")]
    Unreachable { address: String, source: Error },
    #[error("{address} answered {status}: {reason}")]
    Status { address: String, status: u16, error_type: String, reason: String },
    #[error("{address} sent a response that cannot be decoded")]
    Malformed { address: String, source: serde_json::Error },
    /// The response has fewer or more items than requested, so it is unknown which item belongs to which document.
    #[error("{address} answered for {received} of {expected} documents")]
    ItemCount { address: String, expected: usize, received: usize },
}

impl CallError {
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns the type that OpenSearch gives its error, such as `index_not_found_exception`; empty if it gives none.
    pub(crate) fn error_type(&self) -> &str {
        match self {
            Self::Status { error_type, .. } => error_type,
            _ => "",
        }
    }

    pub(crate) fn kind(&self) -> PortErrorKind {
        match self {
            Self::Unreachable { .. } | Self::ItemCount { .. } => PortErrorKind::Unavailable,
            Self::Malformed { .. } => PortErrorKind::Internal,
            Self::Status { status, error_type, .. } => kind_of(*status, error_type),
        }
    }

    /// Converts to the error of a port, with the operation that failed.
    pub(crate) fn during(self, operation: &str) -> PortError {
        PortError::new(self.kind(), operation, self)
    }
}

/// Classifies an error of OpenSearch. A missing index and missing rights count as unavailable, because an operator can
/// restore them while the program runs.
pub(crate) fn kind_of(status: u16, error_type: &str) -> PortErrorKind {
    match (status, error_type) {
        // OpenSearch blocks writes and new indexes while the disks are above the flood-stage watermark.
        (_, "cluster_block_exception" | "index_create_block_exception") => PortErrorKind::Full,
        (429, _) => PortErrorKind::Throttled,
        (401 | 403 | 404 | 408, _) => PortErrorKind::Unavailable,
        (500.., _) => PortErrorKind::Unavailable,
        _ => PortErrorKind::Internal,
    }
}

/// Extracts the type and reason of the error in a response body.
pub(crate) fn parse_error_body(body: &[u8]) -> (String, String) {
    #[derive(Deserialize)]
    struct Body {
        error: Value,
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(Body { error }) => type_and_reason(&error),
        Err(_) => (
            String::new(),
            "no reason given; check that NOREN_OPENSEARCH_URL is the address of OpenSearch".to_owned(),
        ),
    }
}

/// Extracts the type and reason of an error, or of its root cause if it has one. Appends the reason in `caused_by`.
pub(crate) fn type_and_reason(error: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let root = error["root_cause"].get(0).filter(|cause| cause["reason"].is_string()).unwrap_or(error);
    let (error_type, mut reason) = match error {
        Value::String(reason) => (String::new(), reason.clone()),
        _ => (text(&root["type"]), text(&root["reason"])),
    };
    if let Some(cause) = error["caused_by"]["reason"].as_str()
        && !reason.contains(cause)
    {
        reason = format!("{reason}: {cause}");
    }
    let printable = reason.chars().take(MAX_REASON_CHARS).map(|c| if c.is_control() { ' ' } else { c });
    (error_type, printable.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_say_what_can_be_done() {
        assert_eq!(kind_of(429, "rejected_execution_exception"), PortErrorKind::Throttled);
        assert_eq!(kind_of(429, "cluster_block_exception"), PortErrorKind::Full);
        assert_eq!(kind_of(403, "index_create_block_exception"), PortErrorKind::Full);
        assert_eq!(kind_of(503, ""), PortErrorKind::Unavailable);
        assert_eq!(kind_of(404, "index_not_found_exception"), PortErrorKind::Unavailable);
        assert_eq!(kind_of(400, "parsing_exception"), PortErrorKind::Internal);
        let error =
            json!({ "type": "outer", "reason": "it\nfailed", "caused_by": { "reason": "too large" } });
        assert_eq!(type_and_reason(&error), ("outer".to_owned(), "it failed: too large".to_owned()));
        assert_eq!(type_and_reason(&json!("plain")), (String::new(), "plain".to_owned()));
        assert!(parse_error_body(b"<html>").1.contains("NOREN_OPENSEARCH_URL"));
    }
}
