//! The consumer as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::run("noren-sync", sync::service::run)
}
