//! Who may use a service, and how often.
//!
//! The services run as programs, as on a server that others reach. `routes` is the table of all routes; a route without an
//! entry fails `scopes`.

mod caching;
mod credentials;
mod defaults;
mod events;
mod keys;
mod limits;
mod routes;
mod scopes;
mod secrets;
mod shop;
