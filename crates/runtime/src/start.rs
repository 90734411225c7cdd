//! Starting a process: every reason not to is one line that says what to do.

use std::process::ExitCode;

/// Why a process cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StartError {
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StartError {
    /// An error whose message says what is wrong and what to do.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// The same, with its cause.
    pub fn because(
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { message: message.into(), source: Some(source.into()) }
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

/// The exit code of a process: 0, or 1 after printing the error in one line.
pub fn exit_code(result: Result<(), StartError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.line());
            ExitCode::FAILURE
        }
    }
}

/// The whole `main` of a service: reads flags and variables, starts logging, and runs it to its end.
pub fn run<C, F>(service: &'static str, run: impl FnOnce(C) -> F) -> ExitCode
where
    C: clap::Parser,
    F: Future<Output = Result<(), StartError>>,
{
    let config = C::parse();
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
