//! How a service runs: configuration, telemetry, HTTP middleware, problems, the server. It knows no products.

pub mod problem;

pub use problem::Problem;
