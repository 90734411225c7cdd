//! Noren in one process, and its command line.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    noren::run(noren::cli::Cli::parse())
}
