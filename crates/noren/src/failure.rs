//! Why a command ended early, said in one line, and with which exit code.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// A command that could not do its work. What a single product lacks is no failure of the command.
#[derive(Debug)]
pub struct Failure {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    note: Option<String>,
    exit_code: u8,
}

impl Failure {
    /// Something outside went wrong; exit code 1. The message says what to do about it, where that is known.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None, note: None, exit_code: 1 }
    }

    /// The command was called wrongly; exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit_code: 2, ..Self::new(message) }
    }

    /// The failure with what went wrong underneath.
    #[must_use]
    pub fn because(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// The failure with a line about what was reached before it.
    #[must_use]
    pub fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// What was reached before it, where there is something to say.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The code that the process ends with.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit_code)
    }

    /// Whether whoever read our output stopped reading, as `head` does. That is no fault of anybody.
    pub fn is_broken_pipe(&self) -> bool {
        let source = self.source.as_ref().and_then(|source| source.downcast_ref::<std::io::Error>());
        source.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

/// The failure and all its causes in one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = self.source.as_ref().map(|source| source.as_ref() as &dyn Error);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl Error for Failure {}

/// Adds what was being done to an error.
pub trait Context<T> {
    /// The value, or a failure with this message.
    fn context(self, message: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Context<T> for Result<T, E> {
    fn context(self, message: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(message()).because(error))
    }
}
