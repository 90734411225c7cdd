//! The view of an operator: traces, the log of requests, and metrics.

mod access_log;
mod collector;
mod dashboard;
mod embedded_metric_format;
mod functions;
mod stale;
mod traces;
mod upstream_collector;
