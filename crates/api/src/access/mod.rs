//! Access control of a service: opens the access store that the configuration names, and routes for API keys.

mod routes;
mod store;

pub use routes::{FilterCheck, key_routes};
#[cfg(feature = "embedded")]
pub use store::exists_in;
pub use store::{StoreOptions, open, open_store, part, parts_to_open};
