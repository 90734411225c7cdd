//! Clients of a catalogue's HTTP API: of a running service, or of the services' routers in this process. Both give the
//! same responses, so a command behaves the same with either.

mod api;
mod connection;
mod in_process;
mod key;
mod key_check;
mod lines;
mod products;
mod profile;
mod response;
mod service;

pub use api::{Api, LineHandler};
pub use connection::connect;
pub use in_process::InProcess;
pub(crate) use key::MAX_KEY_BYTES;
pub use key_check::KeyCheck;
pub use products::ProductPages;
pub use profile::Profile;
pub use response::{HOW_TO_GIVE_A_KEY, Problem, Response, read_json};
pub use service::{RequestError, Service};
