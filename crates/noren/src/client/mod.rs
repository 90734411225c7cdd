//! Clients of a catalogue's HTTP API: of a running service, or of the services' routers in this process. Both give the
//! same responses, so a command behaves the same with either.

mod api;
mod in_process;
mod key;
mod lines;
mod response;
mod service;

pub use api::{Api, LineHandler};
pub use in_process::InProcess;
pub use key::api_key;
pub use response::{Problem, Response, read_json};
pub use service::{RequestError, Service};
