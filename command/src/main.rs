//! The write service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    api::config::run("noren-command", command::service::run)
}
