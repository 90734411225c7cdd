//! How a service runs: configuration, telemetry, HTTP middleware, problems, the server. It knows no products.

mod backoff;
pub mod body;
pub mod config;
pub mod health;
pub mod http;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod probe;
pub mod problem;
pub mod server;
pub mod start;
pub mod telemetry;

pub use backoff::Backoff;
pub use health::{Gauges, OutboxDepth, Part, QueueDepth, QueueProbe};
pub use http::Service;
pub use problem::Problem;
pub use start::{StartError, exit_code, run};
