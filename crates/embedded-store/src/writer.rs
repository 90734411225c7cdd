//! The one thread that writes. It puts everything that is waiting into one transaction, because the sync to the disk
//! costs far more than the writes, and answers only after the commit.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use domain::ports::{PortError, PortErrorKind};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::error::kind_of;
use crate::schema::{LOG_LIMIT_BYTES, wait_for_others};
use crate::{Clock, answers};

/// Jobs that may wait for the writer.
const MAX_WAITING_JOBS: usize = 256;
/// KiB that waiting jobs may hold together.
const MAX_WAITING_KIB: u32 = 64 << 10;
/// Jobs in one transaction.
const MAX_GROUP_JOBS: usize = 256;
/// KiB in one transaction, as far as a single job is not larger.
const MAX_GROUP_KIB: u32 = 8 << 10;
/// How long a job waits for a place in the line.
const PLACE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a caller waits for the answer: longer than everything that stands before its job should ever take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How often expired answers are looked for when no answers come in.
const PURGE_INTERVAL: Duration = Duration::from_secs(60);

/// How long the writer waits for readers when it cuts the log.
const CUT_PATIENCE: Duration = Duration::from_millis(200);

/// The transaction that a job works in.
pub(crate) struct Step<'a> {
    /// The connection, inside the transaction.
    pub(crate) conn: &'a Connection,
    /// The time of the transaction, in milliseconds since 1970.
    pub(crate) now: i64,
    enqueued: Cell<bool>,
    answered: Cell<usize>,
}

impl Step<'_> {
    /// Says that there are messages to receive once this is committed.
    pub(crate) fn note_enqueued(&self) {
        self.enqueued.set(true);
    }

    /// Says that an answer was remembered.
    pub(crate) fn note_answered(&self) {
        self.answered.set(self.answered.get() + 1);
    }
}

/// The way to the thread that writes. When it is dropped the thread ends, and with it the connection.
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    room: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on a connection of its own, which waits for other processes as long as `patience`. `committed` is told of each commit that enqueued messages.
    pub(crate) fn start(
        conn: Connection,
        file: &Path,
        patience: Duration,
        clock: Clock,
        committed: Arc<Notify>,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(MAX_WAITING_JOBS);
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        let worker = Worker {
            conn,
            log: log.into(),
            clock,
            committed,
            purged_at: Instant::now(),
            kib_since_check: 0,
            cut_log_at: LOG_LIMIT_BYTES,
            patience,
        };
        let thread =
            std::thread::Builder::new().name("noren-writer".into()).spawn(move || worker.work(waiting))?;
        Ok(Self {
            jobs: Some(jobs),
            room: Arc::new(Semaphore::new(MAX_WAITING_KIB as usize)),
            thread: Some(thread),
        })
    }

    /// Runs `work` in a transaction, perhaps with the work of others, and answers after its commit. It may be
    /// run a second time when the transaction failed. `bytes` is what it roughly holds and writes.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        context: &'static str,
        bytes: usize,
        work: impl Fn(&Step<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        let stopped =
            || PortError::bare(PortErrorKind::Unavailable, format!("{context}: the writer has stopped"));
        let Some(jobs) = &self.jobs else { return Err(stopped()) };
        let kib = u32::try_from(bytes >> 10).unwrap_or(u32::MAX).clamp(1, MAX_WAITING_KIB);
        let (reply, answer) = oneshot::channel();
        let place = async {
            let room = Arc::clone(&self.room).acquire_many_owned(kib).await.ok()?;
            let job = Pending { context, work, result: None, reply, kib, _room: room };
            jobs.send(Box::new(job)).await.ok()
        };
        match timeout(PLACE_TIMEOUT, place).await {
            Ok(Some(())) => {}
            Ok(None) => return Err(stopped()),
            Err(_) => {
                let text = format!("{context}: too many writes are waiting");
                return Err(PortError::bare(PortErrorKind::Throttled, text));
            }
        }
        match timeout(ANSWER_TIMEOUT, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(stopped()),
            Err(_) => {
                let text =
                    format!("{context}: the disk took too long; it is not known whether this was done");
                Err(PortError::bare(PortErrorKind::Unavailable, text))
            }
        }
    }
}

#[cfg(test)]
impl Writer {
    /// Jobs that were handed in and not answered.
    pub(crate) fn waiting(&self) -> usize {
        MAX_WAITING_KIB as usize - self.room.available_permits()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so already.
            let _ = thread.join();
        }
    }
}

/// Something to do in a transaction.
trait Job: Send {
    /// Whether someone still waits for the answer.
    fn is_wanted(&self) -> bool;
    fn kib(&self) -> u32;
    fn run(&mut self, step: &Step<'_>) -> rusqlite::Result<()>;
    /// Answers with what `run` came to, or with the error of the transaction.
    fn answer(self: Box<Self>, failure: Option<&Failure>);
}

struct Pending<T, W> {
    context: &'static str,
    work: W,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, PortError>>,
    kib: u32,
    _room: OwnedSemaphorePermit,
}

impl<T: Send, W: Fn(&Step<'_>) -> rusqlite::Result<T> + Send> Job for Pending<T, W> {
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn kib(&self) -> u32 {
        self.kib
    }

    fn run(&mut self, step: &Step<'_>) -> rusqlite::Result<()> {
        self.result = Some((self.work)(step)?);
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<&Failure>) {
        let answer = match (failure, self.result) {
            (None, Some(result)) => Ok(result),
            (Some(failure), _) => Err(PortError::new(failure.kind, self.context, failure.text.clone())),
            (None, None) => Err(PortError::bare(PortErrorKind::Internal, self.context)),
        };
        // The caller may have gone meanwhile.
        let _ = self.reply.send(answer);
    }
}

/// Why a transaction was not made; several jobs can be told.
#[derive(Clone)]
struct Failure {
    kind: PortErrorKind,
    text: String,
    /// Whether it failed before any job was run, because another process keeps the file locked.
    is_locked: bool,
}

impl Failure {
    fn new(error: &rusqlite::Error, is_locked: bool) -> Self {
        Self { kind: kind_of(error), text: error.to_string(), is_locked }
    }
}

/// What the thread owns.
struct Worker {
    conn: Connection,
    log: PathBuf,
    clock: Clock,
    committed: Arc<Notify>,
    purged_at: Instant,
    kib_since_check: u32,
    cut_log_at: u64,
    patience: Duration,
}

impl Worker {
    fn work(mut self, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut kib = first.kib();
            let mut group = vec![first];
            while group.len() < MAX_GROUP_JOBS && kib < MAX_GROUP_KIB {
                let Ok(job) = waiting.try_recv() else { break };
                kib = kib.saturating_add(job.kib());
                group.push(job);
            }
            group.retain(|job| job.is_wanted());
            if !group.is_empty() {
                let answered = self.process(group);
                self.tidy_up(answered, kib);
            }
        }
    }

    /// Commits the jobs together or, when that fails, each alone, so that one cannot fail the others. Returns how
    /// many answers were remembered.
    fn process(&mut self, mut group: Vec<Box<dyn Job>>) -> usize {
        let mut failure = match self.commit(&mut group) {
            Ok(answered) => {
                group.into_iter().for_each(|job| job.answer(None));
                return answered;
            }
            Err(failure) => failure,
        };
        if group.len() == 1 || failure.is_locked {
            group.into_iter().for_each(|job| job.answer(Some(&failure)));
            return 0;
        }
        tracing::warn!(
            error = failure.text,
            jobs = group.len(),
            "a group of writes failed; trying each alone"
        );
        let mut answered = 0;
        for mut job in group {
            // Once the file is locked, waiting for it again for each job would take too long.
            let alone = match failure.is_locked {
                true => Err(failure.clone()),
                false => self.commit(std::slice::from_mut(&mut job)),
            };
            match alone {
                Ok(more) => {
                    answered += more;
                    job.answer(None);
                }
                Err(error) => {
                    failure = error;
                    job.answer(Some(&failure));
                }
            }
        }
        answered
    }

    fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<usize, Failure> {
        let transaction = Transaction::new(&mut self.conn, TransactionBehavior::Immediate)
            .map_err(|error| Failure::new(&error, true))?;
        let now = (self.clock)().as_millisecond();
        let step = Step { conn: &transaction, now, enqueued: Cell::new(false), answered: Cell::new(0) };
        let ran = jobs.iter_mut().try_for_each(|job| job.run(&step));
        let (enqueued, answered) = (step.enqueued.get(), step.answered.get());
        // Dropping the transaction where a job failed rolls it back.
        ran.and_then(|()| transaction.commit()).map_err(|error| Failure::new(&error, false))?;
        if enqueued {
            self.committed.notify_waiters();
        }
        Ok(answered)
    }

    /// Work that nobody waits for, a bounded piece of it each time.
    fn tidy_up(&mut self, answered: usize, kib: u32) {
        if answered > 0 || self.purged_at.elapsed() > PURGE_INTERVAL {
            self.purged_at = Instant::now();
            let now = (self.clock)().as_millisecond();
            if let Err(error) = answers::purge(&self.conn, now, answered) {
                tracing::warn!(error = %error, "expired idempotency keys could not be removed");
            }
        }
        self.kib_since_check = self.kib_since_check.saturating_add(kib);
        if self.kib_since_check >= MAX_GROUP_KIB {
            self.kib_since_check = 0;
            if let Err(error) = self.keep_log_small() {
                tracing::warn!(error = %error, "the write-ahead log could not be cut");
            }
        }
    }

    /// SQLite starts the log anew only at a moment without readers. Under steady reading there may be none, and then
    /// we wait for one, but not long and not often: a program that reads for hours must not stop us.
    fn keep_log_small(&mut self) -> rusqlite::Result<()> {
        let size = std::fs::metadata(&self.log).map_or(0, |log| log.len());
        if size < self.cut_log_at {
            return Ok(());
        }
        wait_for_others(&mut self.conn, CUT_PATIENCE)?;
        let busy = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        wait_for_others(&mut self.conn, self.patience)?;
        self.cut_log_at = match busy? {
            true => size + LOG_LIMIT_BYTES,
            false => LOG_LIMIT_BYTES,
        };
        if self.cut_log_at > 4 * LOG_LIMIT_BYTES {
            tracing::warn!(
                log.bytes = size,
                "the write-ahead log grows: some program reads the file for very long"
            );
        }
        Ok(())
    }
}
