//! Where lines of the log go: to standard error.
//!
//! Lines of requests go through a thread of their own with a bounded buffer, so that a reader of the log that stops reading does not stop
//! requests, and so that one call of the system writes many lines under load. If the buffer is full, such lines are dropped and counted. All other lines are written at once: the audit log must have its
//! line before the response is sent. A function writes all lines at once, because it stands still between invocations.

use std::io::{self, BufWriter, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::Metadata;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;

use crate::{access_log, function};

/// The lines that the buffer holds: some 5 MB.
const BUFFERED_LINES: usize = 10_000;

/// Lines of requests that were dropped.
const DROPPED: &str = "noren_log_dropped_lines_total";

/// The thread of this process, which ends with its guard.
static GUARD: Mutex<Option<WorkerGuard>> = Mutex::new(None);
static DROPPED_LINES: OnceLock<ErrorCounter> = OnceLock::new();

/// Standard error.
pub(super) struct Output {
    of_requests: Option<NonBlocking>,
}

impl Output {
    pub(super) fn start() -> Self {
        if function::facts().is_some() {
            return Self { of_requests: None };
        }
        let (writer, guard) = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(BUFFERED_LINES)
            .thread_name("access-log")
            .finish(BufWriter::new(io::stderr()));
        *GUARD.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
        let _ = DROPPED_LINES.set(writer.error_counter());
        metrics::describe_counter!(
            DROPPED,
            "Lines of requests that were dropped because nobody read the log in time"
        );
        Self { of_requests: Some(writer) }
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Box<dyn Write + 'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Box::new(io::stderr())
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        match &self.of_requests {
            Some(writer) if metadata.target() == access_log::TARGET => Box::new(writer.clone()),
            _ => self.make_writer(),
        }
    }
}

/// Sets the metric of dropped lines.
pub(crate) fn count_dropped_lines() {
    if let Some(dropped) = DROPPED_LINES.get() {
        metrics::counter!(DROPPED).absolute(dropped.dropped_lines() as u64);
    }
}

/// Writes what is in the buffer, at the end of the process. Gives up if nobody reads it within a second.
pub(super) fn stop() {
    drop(GUARD.lock().unwrap_or_else(PoisonError::into_inner).take());
}
