//! Access control over HTTP: reads credentials, asks [`access`] who it is, and checks the scope of the route.

mod client;
mod credentials;
mod guard;
mod layer;
mod limited;
mod origin;
mod refused;

pub use client::ClientAddress;
pub use guard::Guard;
pub use origin::{Hosts, Origins};

pub(crate) use guard::{Accepted, Rules};
pub(crate) use layer::{Controlled, control, hide_from_other_sites};

/// Returns the principal of a request that has passed the access layer.
///
/// # Errors
/// A 500 if it has not passed it, which is a defect: the request is refused.
pub fn principal(extensions: &http::Extensions) -> Result<&access::Principal, crate::Problem> {
    extensions.get::<access::Principal>().ok_or_else(crate::Problem::internal)
}
