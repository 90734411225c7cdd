//! Access control over HTTP: reads credentials, lets [`access`] check them, and compares scopes with that of the route.

mod client;
mod credentials;
mod guard;
mod layer;
mod origin;
mod rate_limits;
mod refused;

pub use access::limits::network_of;
pub use client::ClientAddress;
pub use guard::Guard;
pub use origin::{Hosts, Origins};

pub(crate) use guard::{Authenticator, GuardOptions};
pub(crate) use layer::{AccessState, check_access, hide_from_other_sites};

/// Returns the principal of a request that has passed the access layer.
///
/// # Errors
/// A 500 if it has not, which is a defect: the request is refused.
pub fn principal(extensions: &http::Extensions) -> Result<&access::Principal, crate::Problem> {
    extensions.get::<access::Principal>().ok_or_else(crate::Problem::internal)
}
