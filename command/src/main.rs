//! The write service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::run("noren-command", command::service::run)
}
