//! The handle of the thread that writes.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use domain::ports::{PortError, PortErrorKind};
use rusqlite::Connection;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::job::{Job, PendingJob};
use crate::options::Clock;
use crate::transaction::WriteTransaction;
use crate::writer_thread::WriterThread;

/// Jobs that may wait for the writer.
const MAX_WAITING_JOBS: usize = 256;
/// KiB that waiting jobs may hold together.
const MAX_WAITING_KIB: u32 = 64 << 10;
/// The time for which a job waits for a place in the queue of jobs.
const ADMISSION_TIMEOUT: Duration = Duration::from_secs(5);
/// The time for which a caller waits for its result: longer than the jobs before its own should ever take.
const RESULT_TIMEOUT: Duration = Duration::from_secs(30);

/// The handle of the thread that writes. Dropping it ends the thread and closes its connection.
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    memory: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on a connection of its own, which waits for other processes up to `busy_timeout`. `committed` is
    /// notified of each commit that made messages visible.
    pub(crate) fn start(
        conn: Connection,
        file: &Path,
        busy_timeout: Duration,
        clock: Clock,
        committed: Arc<Notify>,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(MAX_WAITING_JOBS);
        let thread = WriterThread::new(conn, file, busy_timeout, clock, committed);
        let thread =
            std::thread::Builder::new().name("noren-writer".into()).spawn(move || thread.run(waiting))?;
        let memory = Arc::new(Semaphore::new(MAX_WAITING_KIB as usize));
        Ok(Self { jobs: Some(jobs), memory, thread: Some(thread) })
    }

    /// Runs `work` in a transaction, possibly with the work of other callers, and returns its result after the commit.
    /// `work` may run a second time if the transaction failed. `context` names the operation; `bytes` is the approximate
    /// size of what the work holds and writes.
    ///
    /// # Errors
    /// Fails as throttled if too many jobs wait for 5 s, and as unavailable if there is no result after 30 s: then the outcome
    /// is unknown.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        context: &'static str,
        bytes: usize,
        work: impl Fn(&WriteTransaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        let stopped =
            || PortError::bare(PortErrorKind::Unavailable, format!("{context}: the writer has stopped"));
        let Some(jobs) = &self.jobs else { return Err(stopped()) };
        let kib = u32::try_from(bytes >> 10).unwrap_or(u32::MAX).clamp(1, MAX_WAITING_KIB);
        let (reply, result) = oneshot::channel();
        let admission = async {
            let memory = Arc::clone(&self.memory).acquire_many_owned(kib).await.ok()?;
            let job = PendingJob { context, work, result: None, reply, kib, _memory: memory };
            jobs.send(Box::new(job)).await.ok()
        };
        match timeout(ADMISSION_TIMEOUT, admission).await {
            Ok(Some(())) => {}
            Ok(None) => return Err(stopped()),
            Err(_) => {
                let text = format!("{context}: too many writes are waiting");
                return Err(PortError::bare(PortErrorKind::Throttled, text));
            }
        }
        match timeout(RESULT_TIMEOUT, result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(stopped()),
            Err(_) => {
                let text = format!("{context}: the disk took too long; the outcome is unknown");
                Err(PortError::bare(PortErrorKind::Unavailable, text))
            }
        }
    }
}

#[cfg(test)]
impl Writer {
    /// Returns the number of jobs that have no result yet, if they are small.
    pub(crate) fn waiting(&self) -> usize {
        MAX_WAITING_KIB as usize - self.memory.available_permits()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has reported it already.
            let _ = thread.join();
        }
    }
}
