//! The parts of a running service that know no products: configuration, telemetry, HTTP middleware, problem documents,
//! retries, the server.

pub mod access;
mod access_log;
mod algolia;
mod allocator;
pub mod audit;
pub mod body;
mod body_budget;
pub mod config;
pub mod console;
pub mod deadline;
mod function;
pub mod health;
pub mod http;
#[cfg(feature = "lambda")]
pub mod lambda;
mod landing;
mod observe;
mod off_thread;
pub mod probe;
pub mod problem;
mod request_id;
mod retry;
mod routes;
mod safe_headers;
pub mod server;
pub mod server_timing;
pub mod start;
mod start_error;
pub mod telemetry;
pub mod trace_context;
mod waiting;

pub use deadline::Deadline;
pub use health::{Gauges, OutboxDepth, Part, QueueDepth, QueueProbe};
pub use http::Service;
pub use off_thread::off_thread;
pub use problem::Problem;
pub use retry::{Retries, retry};
pub use routes::{Requirement, Requirements, Routes};
pub use start::run;
pub use start_error::{StartError, exit_code, with_causes};
pub use waiting::{PATIENCE, Waiting};
