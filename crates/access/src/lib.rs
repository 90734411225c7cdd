//! Who may do what: scopes, API keys, the principal of a request, and the port of the access store.
//!
//! Nothing here knows products or the requests of HTTP. `runtime::access` reads credentials from requests and turns a
//! [`Refusal`] into a response; the filter of a principal is a text that `query` parses.

#![warn(missing_docs)]

#[cfg(feature = "jwt")]
pub mod jwt;
mod keyring;
pub mod limits;
mod principal;
mod rate_limit;
mod record;
mod refusal;
mod scope;
mod store;
mod tenant;
mod token;

pub use keyring::{Keyring, NewKey, Rotated};
pub use principal::{Identity, Principal};
pub use rate_limit::{NoRateLimit, RateLimit};
pub use record::KeyRecord;
pub use refusal::Refusal;
pub use scope::{Scope, Scopes, UnknownScope};
pub use store::{AccessStore, AccessStoreError};
pub use tenant::TenantToken;
pub use token::{ApiKey, KeyId, SecretHash};
