//! The product store and the change queue in one SQLite file, for one machine: nothing else to install.
//!
//! One thread writes and groups what is waiting into one transaction; a few connections read. Several processes may
//! open the same folder: each has its own writer, and SQLite's lock decides whose turn it is. See
//! `migrations/1.sql` for the layout of the file.

mod answers;
mod dead_letters;
mod error;
mod marks;
mod products;
mod queue;
mod readers;
mod schema;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::{PortError, PortErrorKind};
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::readers::Readers;
pub use crate::schema::{OpenError, copy};
use crate::writer::Writer;

/// What the configuration calls both.
const BACK_END: &str = "sqlite";

/// Tells the time. Everything that the file says of time comes from it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a store is to work.
#[derive(Clone)]
pub struct Options {
    /// How long a message received stays hidden from other receivers.
    pub visibility_timeout: Duration,
    /// What a write does with the fact that it must be synced.
    pub outbox: Outbox,
    /// What time it is.
    pub clock: Clock,
}

impl Default for Options {
    /// Messages hidden for 10 s, the queue in the same file, the computer's clock.
    fn default() -> Self {
        Self {
            visibility_timeout: Duration::from_secs(10),
            outbox: Outbox::Enqueue,
            clock: Arc::new(Timestamp::now),
        }
    }
}

/// What a write does with the fact that it must be synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outbox {
    /// The queue is the same file: the write enqueues its change itself and leaves no mark.
    Enqueue,
    /// The queue is elsewhere: the write leaves a mark, for the caller to clear.
    Mark,
}

/// The store and the queue. Clones share one writer; the last one to be dropped waits until the writer has ended.
#[derive(Clone)]
pub struct EmbeddedStore(Arc<Shared>);

struct Shared {
    writer: Writer,
    readers: Readers,
    /// Told of each commit of this process that enqueued messages.
    committed: Arc<Notify>,
    visibility_timeout: Duration,
    outbox: Outbox,
    clock: Clock,
}

impl EmbeddedStore {
    /// Opens the file `noren.db` in the folder `dir`. Both are made when they are not there; the file of an older
    /// version is brought up to date.
    ///
    /// It blocks while it does so: a few milliseconds, and up to 5 s where another program keeps the file locked.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_with_patience(dir, options, schema::BUSY_TIMEOUT)
    }

    /// Opens it so that the writer waits for another process no longer than `patience`.
    fn open_with_patience(dir: &Path, options: Options, patience: Duration) -> Result<Self, OpenError> {
        let conn = schema::open_writer(dir, patience)?;
        let file = dir.join(schema::FILE_NAME);
        let committed = Arc::new(Notify::new());
        let writer = Writer::start(conn, &file, patience, Arc::clone(&options.clock), Arc::clone(&committed))
            .map_err(OpenError::Thread)?;
        Ok(Self(Arc::new(Shared {
            writer,
            readers: Readers::new(file),
            committed,
            visibility_timeout: options.visibility_timeout,
            outbox: options.outbox,
            clock: options.clock,
        })))
    }

    /// The time in milliseconds since 1970.
    fn now(&self) -> i64 {
        (self.0.clock)().as_millisecond()
    }

    /// Reads and writes a little.
    async fn probe(&self) -> Result<(), PortError> {
        let read = |conn: &rusqlite::Connection| {
            conn.prepare_cached("SELECT 1 FROM products LIMIT 1")?.exists([]).map(drop)
        };
        self.0.readers.run("reading the store", read).await?;
        let write = |step: &writer::Step<'_>| {
            let sql =
                "INSERT INTO probe (only, at) VALUES (1, ?1) ON CONFLICT DO UPDATE SET at = excluded.at";
            step.conn.prepare_cached(sql)?.execute([step.now]).map(drop)
        };
        self.0.writer.run("writing to the store", 0, write).await
    }
}

/// A duration as the file counts time.
fn to_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// One answer for each of several requests that failed together.
fn repeat_error<T, E: From<PortError>>(error: PortError, times: usize) -> Vec<Result<T, E>> {
    let (kind, text) = (error.kind, error.chain());
    let others = (1..times).map(|_| Err(PortError::bare(kind, text.clone()).into()));
    std::iter::once(Err(error.into())).chain(others).take(times).collect()
}

/// A defect of the caller or of ours.
fn defect(context: impl Into<String>) -> PortError {
    PortError::bare(PortErrorKind::Internal, context)
}
