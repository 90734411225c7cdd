//! Who may do what: scopes, API keys, the principal of a request, and the port of the access store.
//!
//! This crate depends neither on products nor on HTTP. `runtime::access` reads credentials from requests and turns a [`Refusal`]
//! into a response; `query` parses the filter of a principal, which is a plain text here.

#![warn(missing_docs)]

#[cfg(feature = "jwt")]
pub mod jwt;
mod keyring;
pub mod limits;
mod object;
mod principal;
mod rate_limit;
mod record;
mod refusal;
mod scope;
mod store;
mod tenant;
mod token;

pub use keyring::{Keyring, NewKey, NotCreated, NotRotated, Rotated};
pub use object::Object;
pub use principal::{Identity, Principal};
pub use rate_limit::{InvalidRateLimit, RateLimit};
pub use record::KeyRecord;
pub use refusal::Refusal;
pub use scope::{Scope, Scopes, UnknownScope};
pub use store::{AccessStore, AccessStoreError, COUNTER_RETENTION_SECONDS};
pub use tenant::TenantToken;
pub use token::{ApiKey, KeyId, SecretHash, without_secret};
