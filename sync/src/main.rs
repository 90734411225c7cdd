//! The consumer as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    api::config::run("noren-sync", sync::service::run)
}
