//! The reasons for which tokens are invalid. They are for the log only: clients must not learn them.

use jsonwebtoken::errors::{Error, ErrorKind};

use crate::Refusal;

/// Logs the reason for which a token is invalid, and returns the refusal, which does not contain it.
pub(super) fn invalid(reason: &'static str) -> Refusal {
    tracing::debug!(reason, "refused a token");
    Refusal::Invalid
}

/// Returns the reason for an error, without quoting the token.
pub(super) fn reason(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidSignature => "its signature does not match the key",
        ErrorKind::InvalidAlgorithm => "its algorithm is not that of the key",
        ErrorKind::InvalidIssuer => "it has another issuer",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "it lacks one of exp, iss, aud and sub",
        _ => "it is malformed",
    }
}
