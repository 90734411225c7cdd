//! The store: the writer and the readers of one file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::PortError;
use rusqlite::Connection;
use tokio::sync::Notify;

use crate::oldest_age::OldestAge;
use crate::open_error::OpenError;
use crate::options::{Clock, Options, Outbox};
use crate::readers::Readers;
use crate::schema::{BUSY_TIMEOUT, FILE_NAME, open_writer};
use crate::transaction::WriteTransaction;
use crate::writer::Writer;

/// The name of the store and the queue in the configuration.
pub(crate) const BACK_END: &str = "sqlite";

/// The store and the queue. Clones share one writer; dropping the last one waits for the writer to end.
#[derive(Clone)]
pub struct EmbeddedStore(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    /// Notified of each commit of this process that made messages visible.
    pub(crate) committed: Arc<Notify>,
    pub(crate) visibility_timeout: Duration,
    pub(crate) outbox: Outbox,
    pub(crate) oldest_message: OldestAge,
    pub(crate) oldest_outbox_entry: OldestAge,
    clock: Clock,
}

impl EmbeddedStore {
    /// Opens the file `noren.db` in the folder `dir`. Creates both if they do not exist, and migrates a file of an older
    /// version.
    ///
    /// Blocks for a few milliseconds, or up to 5 s if another program keeps the file locked.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_with_busy_timeout(dir, options, BUSY_TIMEOUT)
    }

    /// Opens the file with a limit to how long the writer waits for another process.
    pub(crate) fn open_with_busy_timeout(
        dir: &Path,
        options: Options,
        busy_timeout: Duration,
    ) -> Result<Self, OpenError> {
        let conn = open_writer(dir, busy_timeout)?;
        let file = dir.join(FILE_NAME);
        let committed = Arc::new(Notify::new());
        let clock = Arc::clone(&options.clock);
        let writer = Writer::start(conn, &file, busy_timeout, clock, Arc::clone(&committed))
            .map_err(OpenError::Thread)?;
        Ok(Self(Arc::new(Shared {
            writer,
            readers: Readers::new(file),
            committed,
            visibility_timeout: options.visibility_timeout,
            outbox: options.outbox,
            oldest_message: OldestAge::default(),
            oldest_outbox_entry: OldestAge::default(),
            clock: options.clock,
        })))
    }

    /// Returns the time in milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        (self.0.clock)().as_millisecond()
    }

    /// Reads a row and writes the row of the table `probe`.
    pub(crate) async fn probe(&self) -> Result<(), PortError> {
        let read =
            |conn: &Connection| conn.prepare_cached("SELECT 1 FROM products LIMIT 1")?.exists([]).map(drop);
        self.0.readers.run("reading the store", read).await?;
        let write = |transaction: &WriteTransaction<'_>| {
            let sql =
                "INSERT INTO probe (only, at) VALUES (1, ?1) ON CONFLICT DO UPDATE SET at = excluded.at";
            transaction.conn.prepare_cached(sql)?.execute([transaction.now]).map(drop)
        };
        self.0.writer.run("writing to the store", 0, write).await
    }
}

/// Converts a duration to the milliseconds of the file.
pub(crate) fn to_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
