//! Starting a process: every reason not to is one line that says what to do.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches};

/// Why a process cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StartError {
    message: String,
    details: Vec<String>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StartError {
    /// An error whose message says what is wrong and what to do.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), details: Vec::new(), source: None }
    }

    /// The same, with its cause.
    pub fn because(
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { message: message.into(), details: Vec::new(), source: Some(source.into()) }
    }

    /// The same with a line for each of several things that are wrong.
    #[must_use]
    pub fn with_details(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }

    /// A line for each of several things that are wrong; none where one line says it all.
    pub fn details(&self) -> &[String] {
        &self.details
    }

    /// The error and its causes in one line.
    pub fn line(&self) -> String {
        let mut line = self.message.clone();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let text = cause.to_string();
            // Many errors already hold the text of their cause.
            if !line.contains(&text) {
                line = format!("{line}: {text}");
            }
            source = cause.source();
        }
        line.replace('\n', " ")
    }
}

/// The exit code of a process: 0, or 1 after printing the error in one line, and its details.
pub fn exit_code(result: Result<(), StartError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.line());
            error.details().iter().for_each(|detail| eprintln!("{detail}"));
            ExitCode::FAILURE
        }
    }
}

/// The flag of every service that asks instead of serving.
const CHECK_HEALTH: &str = "check-health";

/// The whole `main` of a service: reads flags and variables, starts logging, and runs it to its end. With
/// `--check-health` it asks the service that is already running instead.
pub fn run<C, F>(service: &'static str, run: impl FnOnce(C) -> F) -> ExitCode
where
    C: clap::Parser,
    F: Future<Output = Result<(), StartError>>,
{
    let flag = Arg::new(CHECK_HEALTH)
        .long(CHECK_HEALTH)
        .action(ArgAction::SetTrue)
        .help("Ask the service that runs at the address of --listen whether it is ready; exit code 0 or 1");
    let mut command = C::command().arg(flag);
    let mut matches = command.get_matches_mut();
    if matches.get_flag(CHECK_HEALTH) {
        return exit_code(check_health(&matches));
    }
    let config =
        C::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.format(&mut command).exit());
    let started = || {
        crate::config::check_environment()?;
        crate::telemetry::start(service)?;
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| StartError::because("cannot start the threads of the service", error))
    };
    exit_code(started().and_then(|runtime| runtime.block_on(run(config))))
}

/// Asks the service that was started with the same flags and variables.
fn check_health(matches: &ArgMatches) -> Result<(), StartError> {
    let listen = matches.try_get_one::<SocketAddr>("listen").ok().flatten();
    crate::probe::check(*listen.ok_or_else(|| StartError::new("this service listens nowhere"))?)
}
