//! The read service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::run("noren-query", query::service::run)
}
