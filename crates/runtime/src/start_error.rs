//! The error of a process that cannot start or continue.

use std::process::ExitCode;
use std::time::Duration;

/// The reason why a process cannot start or continue.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StartError {
    message: String,
    details: Vec<String>,
    is_usage: bool,
    is_transient: bool,
    /// The time for which the program waited in vain.
    waited: Option<Duration>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StartError {
    /// Creates an error whose message says what is wrong and what to do.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            details: Vec::new(),
            is_usage: false,
            is_transient: false,
            waited: None,
            source: None,
        }
    }

    /// Creates an error of a flag or a variable, which ends the process with exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { is_usage: true, ..Self::new(message) }
    }

    /// Creates an error with its cause.
    pub fn because(
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { source: Some(source.into()), ..Self::new(message) }
    }

    /// Creates the error of a back end that cannot be opened. `is_transient` decides whether the same attempt may succeed later.
    pub fn opening<E>(part: &str, source: E, is_transient: impl FnOnce(&E) -> bool) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let is_transient = is_transient(&source);
        Self::because(format!("cannot open the {part}"), source).transient(is_transient)
    }

    /// Adds one line for each of several faults.
    #[must_use]
    pub fn with_details(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }

    /// Returns true for an error of a flag or a variable.
    pub fn is_usage(&self) -> bool {
        self.is_usage
    }

    /// Sets whether the same attempt may succeed later, without a change of the configuration.
    #[must_use]
    pub fn transient(self, is_transient: bool) -> Self {
        Self { is_transient, ..self }
    }

    /// Returns true if the same attempt may succeed later, because a back end does not respond.
    pub fn is_transient(&self) -> bool {
        self.is_transient
    }

    /// Adds the time for which the program waited before it gave up.
    pub(crate) fn after_waiting(self, waited: Duration) -> Self {
        Self { waited: Some(waited), ..self }
    }

    /// Returns the lines of [`with_details`](Self::with_details).
    pub fn details(&self) -> &[String] {
        &self.details
    }

    /// Formats the error and its causes as one line.
    pub fn line(&self) -> String {
        let mut line = with_causes(self.message.clone(), std::error::Error::source(self));
        if let Some(waited) = self.waited {
            line.push_str(&format!(" (gave up after {} s)", waited.as_secs()));
        }
        line.replace('\n', " ")
    }
}

/// Appends the causes of an error to its message. Omits a cause that the message contains already, as many errors quote theirs.
pub fn with_causes(mut message: String, mut cause: Option<&dyn std::error::Error>) -> String {
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    message
}

/// Returns the exit code of a process: 0, or after printing the error in one line and its details, 2 for a wrong flag or
/// variable and 1 otherwise.
pub fn exit_code(result: Result<(), StartError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.line());
            error.details().iter().for_each(|detail| eprintln!("{detail}"));
            if error.is_usage() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}
