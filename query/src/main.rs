//! The read service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    api::config::run("noren-query", query::service::run)
}
