//! The failure of a command: one line, and an exit code.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use bench::BenchError;
use feeds::FeedError;
use runtime::{StartError, with_causes};

/// A command that could not do its work. A fault of one product is not a failure of the command.
#[derive(Debug)]
pub struct Failure {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    note: Option<String>,
    exit_code: u8,
}

impl Failure {
    /// Creates a failure with exit code 1. The message says what to do about it, where that is known.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None, note: None, exit_code: 1 }
    }

    /// Creates a failure because of wrong arguments or variables, with exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit_code: 2, ..Self::new(message) }
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// Adds lines that are printed after the failure, such as the progress made before it.
    #[must_use]
    pub fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// Returns the lines to print after the failure.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Returns the exit code of the process.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit_code)
    }

    /// Returns true if the reader of our output has stopped reading, as `head` does. That is not an error.
    pub fn is_broken_pipe(&self) -> bool {
        let source = self.source.as_ref().and_then(|source| source.downcast_ref::<std::io::Error>());
        source.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// Creates a failure from an error and its causes.
    fn of(error: &dyn Error) -> Self {
        Self::new(with_causes(error.to_string(), error.source()))
    }
}

/// Writes the failure and its causes in one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = self.source.as_ref().map(|source| source.as_ref() as &dyn Error);
        f.write_str(&with_causes(self.message.clone(), cause))
    }
}

impl Error for Failure {}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let failure = if error.is_usage() { Self::usage(error.line()) } else { Self::new(error.line()) };
        match error.details() {
            [] => failure,
            details => failure.with_note(details.join("\n")),
        }
    }
}

impl From<FeedError> for Failure {
    fn from(error: FeedError) -> Self {
        Self::of(&error)
    }
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        match error {
            BenchError::Start(error) => error.into(),
            error => Self::of(&error),
        }
    }
}

/// Adds the failed action to an error.
pub trait Context<T> {
    /// Returns the value, or a failure with this message and the error as its cause.
    ///
    /// # Errors
    /// If this is an error.
    fn context(self, message: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Context<T> for Result<T, E> {
    fn context(self, message: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(message()).because(error))
    }
}
