//! The reasons for which a request is refused.

use crate::{AccessStoreError, Scope};

/// The reason for which a request is refused. The messages are for clients and contain no secret.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The route needs credentials, and the request has none.
    #[error("this address needs an API key or a token with the scope `{0}`")]
    NoCredentials(Scope),
    /// The credentials are unknown, malformed or forged. The message does not say which.
    #[error("the credentials are invalid")]
    Invalid,
    /// The credentials are right, but have expired.
    #[error("the credentials have expired")]
    Expired,
    /// The key was revoked.
    #[error("the key was revoked")]
    Revoked,
    /// The credentials are valid, but lack the scope of the route.
    #[error("the credentials lack the scope `{0}`, which this address needs")]
    LacksScope(Scope),
    /// The credentials cannot be checked, because a back end does not respond. Access is refused until it does.
    #[error("credentials cannot be checked at the moment")]
    Unavailable(#[source] AccessStoreError),
}
