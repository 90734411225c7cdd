//! Runs the command that the command line names.

use std::process::ExitCode;

use clap::CommandFactory as _;
use runtime::StartError;
use runtime::telemetry::Logs;

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::{
    backup, bench, completions, cost, delete, dlq, eval, explain, export, import, keys, login, reindex,
    rules, search, serve, verify,
};

/// Runs a command to its end. An error is printed in one line on standard error.
pub fn run_command_line(cli: Cli) -> ExitCode {
    match start(cli) {
        Ok(code) => code,
        // The reader of our output needs no more of it, like `head`.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            runtime::err_line!("error: {failure}");
            if let Some(note) = failure.note() {
                runtime::err_line!("{note}");
            }
            failure.exit_code()
        }
    }
}

fn start(cli: Cli) -> Result<ExitCode, Failure> {
    runtime::start::keep_files_private();
    runtime::config::check_environment(&api::config::variables())?;
    // Other commands are no service: what they do over HTTP, a service records.
    let logs = if let Command::Serve(args) = &cli.command { args.logs() } else { Logs::of_command() };
    runtime::telemetry::start("noren", build_info::VERSION, &logs)?;
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let threads = threads.map_err(|error| StartError::because("cannot start the threads of noren", error))?;
    let code = threads.block_on(dispatch(cli.command));
    runtime::telemetry::stop();
    code
}

async fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve(args) => serve::serve(*args).await?,
        Command::Import(args) => return import::run(args).await,
        Command::Search(args) => search::search(&args).await?,
        Command::Explain(args) => explain::explain(&args).await?,
        Command::Export(args) => export::run(&args).await?,
        Command::Delete(args) => return delete::run(args).await,
        Command::Backup(args) => backup::backup(&args)?,
        Command::Verify(args) => return verify::verify(&args).await,
        Command::Reindex(args) => reindex::reindex(&args).await?,
        Command::Dlq(args) => return dlq::dlq(&args).await,
        Command::Keys(args) => keys::keys(args).await?,
        Command::Login(args) => login::login(&args).await?,
        Command::Logout(args) => login::logout(&args)?,
        Command::Eval(args) => eval::eval(&args).await?,
        Command::Bench(args) => bench::bench(&args).await?,
        Command::Cost(args) => cost::cost(&args)?,
        Command::Rules(args) => rules::rules(&args)?,
        Command::Completions(args) => completions::write_completions(&args, &mut Cli::command())?,
    }
    Ok(ExitCode::SUCCESS)
}
