//! The reasons for which tokens are invalid. Only the operator may know them.

use jsonwebtoken::errors::{Error, ErrorKind};

use crate::Refusal;

/// Logs why a token is invalid.
pub(super) fn invalid(reason: &'static str) -> Refusal {
    tracing::debug!(reason, "refused a token");
    Refusal::Invalid
}

/// Returns the reason without the texts of the token that an error may quote.
pub(super) fn reason(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidSignature => "its signature is not by the key",
        ErrorKind::InvalidAlgorithm => "its algorithm is not that of the key",
        ErrorKind::InvalidIssuer => "its issuer is another one",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "it lacks one of exp, iss, aud and sub",
        _ => "it is malformed",
    }
}
