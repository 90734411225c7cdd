//! Noren in one process, and its command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    match runtime::start::parse(std::env::args_os()) {
        Ok(cli) => noren::run_command_line(cli),
        Err(error) => runtime::exit_code(Err(error)),
    }
}
