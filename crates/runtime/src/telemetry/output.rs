//! The output of the log, which is standard error.
//!
//! Lines of requests go through a bounded buffer, which a thread writes, so that a reader of the log that stops reading does not stop
//! requests. If the buffer is full, such lines are dropped and counted. All other lines are written at once: the audit log must have its
//! line before the response is sent. A function writes all lines at once, because it stands still between invocations.
//!
//! The thread is woken for the first line and writes those of the next milliseconds with it. A queue whose reader wakes for each line, such
//! as that of `tracing-appender`, costs a search as much as all else that logs do.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use crate::{access_log, function};

/// The size of the buffer: some 10,000 lines.
const BUFFER_BYTES: usize = 5_000_000;
/// The time for which lines are collected before they are written.
const COLLECTING: Duration = Duration::from_millis(20);
/// The longest time that the end of the process waits for the thread.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Lines of requests that were dropped.
const DROPPED: &str = "noren_log_dropped_lines_total";

/// The buffer of this process.
static BUFFER: OnceLock<Arc<Buffer>> = OnceLock::new();

/// Lines that are not written yet.
#[derive(Default)]
struct Buffer {
    state: Mutex<State>,
    /// Signalled when there are lines, when all are written, and at the end.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    is_writing: bool,
    is_ending: bool,
    dropped: u64,
}

impl Buffer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8]) {
        let mut state = self.state();
        if state.lines.len() + line.len() > BUFFER_BYTES {
            state.dropped += 1;
            return;
        }
        let is_first = state.lines.is_empty();
        state.lines.extend_from_slice(line);
        drop(state);
        if is_first {
            self.changed.notify_all();
        }
    }

    /// Writes lines until the end of the process.
    fn write_to(&self, mut output: impl Write) {
        let mut taken = Vec::new();
        loop {
            let mut state = self.state();
            while state.lines.is_empty() && !state.is_ending {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.lines.is_empty() {
                return;
            }
            if !state.is_ending {
                let waited = self.changed.wait_timeout_while(state, COLLECTING, |state| !state.is_ending);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            std::mem::swap(&mut state.lines, &mut taken);
            state.is_writing = true;
            drop(state);
            // There is nowhere to report a closed log.
            let _ = output.write_all(&taken);
            taken.clear();
            self.state().is_writing = false;
            self.changed.notify_all();
        }
    }

    /// Waits until all lines are written, at most for [`STOP_TIMEOUT`].
    fn end(&self) {
        let mut state = self.state();
        state.is_ending = true;
        self.changed.notify_all();
        let is_busy = |state: &mut State| !state.lines.is_empty() || state.is_writing;
        let _ = self.changed.wait_timeout_while(state, STOP_TIMEOUT, is_busy);
    }
}

/// Standard error.
pub(super) struct Output {
    of_requests: Option<Arc<Buffer>>,
}

impl Output {
    pub(super) fn start() -> Self {
        if function::facts().is_some() {
            return Self { of_requests: None };
        }
        let buffer = Arc::clone(BUFFER.get_or_init(Arc::default));
        let writing = Arc::clone(&buffer);
        let write = move || writing.write_to(io::stderr());
        let thread = std::thread::Builder::new().name("access-log".to_owned()).spawn(write);
        metrics::describe_counter!(
            DROPPED,
            "Lines of requests that were dropped because nobody read the log in time"
        );
        // Without the thread, lines are written at once.
        Self { of_requests: thread.is_ok().then_some(buffer) }
    }
}

/// Adds lines to the buffer; each call is one line.
pub(super) struct Line(Arc<Buffer>);

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Box<dyn Write + 'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Box::new(io::stderr())
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        match &self.of_requests {
            Some(buffer) if metadata.target() == access_log::TARGET => Box::new(Line(Arc::clone(buffer))),
            _ => self.make_writer(),
        }
    }
}

/// Sets the metric of dropped lines.
pub(crate) fn count_dropped_lines() {
    if let Some(buffer) = BUFFER.get() {
        metrics::counter!(DROPPED).absolute(buffer.state().dropped);
    }
}

/// Writes what is in the buffer, at the end of the process. Gives up if nobody reads it within a second.
pub(super) fn stop() {
    if let Some(buffer) = BUFFER.get() {
        buffer.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps what is written, and holds the writer up while it is locked.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn all_lines_are_written_by_the_end_and_a_full_buffer_drops_further_ones() {
        let (buffer, log) = (Arc::new(Buffer::default()), Log::default());
        let held = log.0.lock().unwrap();
        let (writing, to) = (Arc::clone(&buffer), log.clone());
        std::thread::spawn(move || writing.write_to(to));
        let line = [b'x'; 1000];
        // The writer may hold the lines of one buffer, beside the full one.
        let fitting = 2 * BUFFER_BYTES / line.len();
        for _ in 0..fitting + 10 {
            buffer.add(&line);
        }
        let dropped = buffer.state().dropped as usize;
        assert!(dropped >= 10, "{dropped}");
        drop(held);
        buffer.end();
        assert_eq!(log.0.lock().unwrap().len(), (fitting + 10 - dropped) * line.len());
    }
}
