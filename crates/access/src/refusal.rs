//! Why a request is refused.

use crate::{AccessStoreError, Scope};

/// Why the credentials of a request do not let it in. The messages are for clients and contain nothing secret.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The route needs credentials, and the request has none.
    #[error("this address needs an API key or a token with the scope `{0}`")]
    NoCredentials(Scope),
    /// The credentials are unknown, malformed or forged. Which of these it is, is not told.
    #[error("the credentials are invalid")]
    Invalid,
    /// The credentials were valid until some time ago.
    #[error("the credentials have expired")]
    Expired,
    /// The key was revoked.
    #[error("the key was revoked")]
    Revoked,
    /// The credentials are valid and lack the scope of the route.
    #[error("the credentials lack the scope `{0}`, which this address needs")]
    LacksScope(Scope),
    /// The credentials could not be checked. Access is refused meanwhile.
    #[error("credentials cannot be checked at the moment")]
    Unavailable(#[source] AccessStoreError),
}
