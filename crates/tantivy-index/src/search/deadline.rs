//! The deadline of a search.

use std::time::{Duration, Instant};

use domain::ports::{PortError, PortErrorKind};

/// The moment at which the caller of a search stops waiting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(Instant::now() + timeout)
    }

    pub(crate) fn instant(self) -> Instant {
        self.0
    }

    /// Checks that there is time left.
    ///
    /// # Errors
    /// [`PortErrorKind::Unavailable`] if the deadline has passed.
    pub(crate) fn check(self) -> Result<(), PortError> {
        if Instant::now() >= self.0 { Err(Self::error()) } else { Ok(()) }
    }

    /// Returns the error of a search that missed its deadline.
    pub(crate) fn error() -> PortError {
        PortError::bare(PortErrorKind::Unavailable, "the search took too long and was cancelled")
    }
}
