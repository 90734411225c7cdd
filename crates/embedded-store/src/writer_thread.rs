//! The thread that writes. It commits everything that waits in one transaction, because the fsync costs far more than the
//! writes, and sends results only after the commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{Notify, mpsc};

use crate::idempotency;
use crate::job::{Failure, Job};
use crate::options::Clock;
use crate::schema::{LOG_LIMIT_BYTES, set_busy_timeout};
use crate::transaction::{Effects, WriteTransaction};

/// Jobs in one transaction.
const MAX_GROUP_JOBS: usize = 256;
/// KiB in one transaction, unless a single job is larger.
const MAX_GROUP_KIB: u32 = 8 << 10;
/// The interval at which expired idempotency records are removed while none are added.
const PURGE_INTERVAL: Duration = Duration::from_secs(60);
/// The time for which the writer waits for readers when it truncates the write-ahead log.
const TRUNCATE_TIMEOUT: Duration = Duration::from_millis(200);

/// The state of the thread.
pub(crate) struct WriterThread {
    conn: Connection,
    log: PathBuf,
    clock: Clock,
    committed: Arc<Notify>,
    purged_at: Instant,
    kib_since_check: u32,
    /// The size of the log at which the next attempt to truncate it is made.
    truncate_at: u64,
    busy_timeout: Duration,
}

impl WriterThread {
    pub(crate) fn new(
        conn: Connection,
        file: &Path,
        busy_timeout: Duration,
        clock: Clock,
        committed: Arc<Notify>,
    ) -> Self {
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        Self {
            conn,
            log: log.into(),
            clock,
            committed,
            purged_at: Instant::now(),
            kib_since_check: 0,
            truncate_at: LOG_LIMIT_BYTES,
            busy_timeout,
        }
    }

    /// Commits jobs until the sender is dropped.
    pub(crate) fn run(mut self, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
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
                let idempotency_records = self.commit_group(group);
                self.maintain(idempotency_records, kib);
            }
        }
    }

    /// Commits jobs together or, if that fails, each alone, so that one cannot fail the others. Returns the number of
    /// idempotency records that were added.
    fn commit_group(&mut self, mut group: Vec<Box<dyn Job>>) -> usize {
        let mut failure = match self.commit(&mut group) {
            Ok(effects) => {
                group.into_iter().for_each(|job| job.finish(None));
                return effects.idempotency_records;
            }
            Err(failure) => failure,
        };
        if group.len() == 1 || failure.is_locked {
            group.into_iter().for_each(|job| job.finish(Some(&failure)));
            return 0;
        }
        tracing::warn!(
            error = failure.text,
            jobs = group.len(),
            "a group of writes failed; trying each of them alone"
        );
        let mut idempotency_records = 0;
        for mut job in group {
            // If the file is locked by now, waiting for it once per job would take too long.
            let alone = match failure.is_locked {
                true => Err(failure.clone()),
                false => self.commit(std::slice::from_mut(&mut job)),
            };
            match alone {
                Ok(effects) => {
                    idempotency_records += effects.idempotency_records;
                    job.finish(None);
                }
                Err(error) => {
                    failure = error;
                    job.finish(Some(&failure));
                }
            }
        }
        idempotency_records
    }

    fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<Effects, Failure> {
        let transaction = Transaction::new(&mut self.conn, TransactionBehavior::Immediate)
            .map_err(|error| Failure::new(&error, true))?;
        let write = WriteTransaction::new(&transaction, (self.clock)().as_millisecond());
        let result = jobs.iter_mut().try_for_each(|job| job.run(&write));
        let effects = write.effects();
        // If a job failed, dropping the transaction rolls it back.
        result.and_then(|()| transaction.commit()).map_err(|error| Failure::new(&error, false))?;
        if effects.made_messages_visible {
            self.committed.notify_waiters();
        }
        Ok(effects)
    }

    /// Does a bounded amount of maintenance that no caller waits for.
    fn maintain(&mut self, idempotency_records: usize, kib: u32) {
        if idempotency_records > 0 || self.purged_at.elapsed() > PURGE_INTERVAL {
            self.purged_at = Instant::now();
            let now = (self.clock)().as_millisecond();
            if let Err(error) = idempotency::remove_expired(&self.conn, now, idempotency_records) {
                tracing::warn!(error = %error, "expired idempotency keys could not be removed");
            }
        }
        self.kib_since_check = self.kib_since_check.saturating_add(kib);
        if self.kib_since_check >= MAX_GROUP_KIB {
            self.kib_since_check = 0;
            if let Err(error) = self.limit_log() {
                tracing::warn!(error = %error, "the write-ahead log could not be truncated");
            }
        }
    }

    /// Truncates the write-ahead log if it is large.
    ///
    /// SQLite restarts the log only at a moment without readers. Under steady reading there may be none, so the writer waits
    /// for one, but briefly and rarely: a program that reads for hours must not block writes.
    fn limit_log(&mut self) -> rusqlite::Result<()> {
        let size = std::fs::metadata(&self.log).map_or(0, |log| log.len());
        if size < self.truncate_at {
            return Ok(());
        }
        set_busy_timeout(&mut self.conn, TRUNCATE_TIMEOUT)?;
        let busy = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        set_busy_timeout(&mut self.conn, self.busy_timeout)?;
        self.truncate_at = match busy? {
            true => size + LOG_LIMIT_BYTES,
            false => LOG_LIMIT_BYTES,
        };
        if self.truncate_at > 4 * LOG_LIMIT_BYTES {
            tracing::warn!(
                log.bytes = size,
                "the write-ahead log grows: a program has been reading the file for very long"
            );
        }
        Ok(())
    }
}
