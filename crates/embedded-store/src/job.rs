//! Jobs: the units of work of the writer.

use domain::ports::{PortError, PortErrorKind};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::kind_of;
use crate::transaction::WriteTransaction;

/// Work to do in a transaction.
pub(crate) trait Job: Send {
    /// Returns true if the caller still waits for the result.
    fn is_wanted(&self) -> bool;
    /// Returns the approximate size, in KiB.
    fn kib(&self) -> u32;
    /// Does the work. It may run again in a second transaction if the first one failed.
    fn run(&mut self, transaction: &WriteTransaction<'_>) -> rusqlite::Result<()>;
    /// Sends the result of the last run, or the error of the transaction, to the caller.
    fn finish(self: Box<Self>, failure: Option<&Failure>);
}

/// A job whose caller waits for a `T`.
pub(crate) struct PendingJob<T, W> {
    /// Names the operation in errors.
    pub(crate) context: &'static str,
    pub(crate) work: W,
    pub(crate) result: Option<T>,
    pub(crate) reply: oneshot::Sender<Result<T, PortError>>,
    pub(crate) kib: u32,
    /// The job's share of the memory for waiting jobs, freed when the job is dropped.
    pub(crate) _memory: OwnedSemaphorePermit,
}

impl<T: Send, W: Fn(&WriteTransaction<'_>) -> rusqlite::Result<T> + Send> Job for PendingJob<T, W> {
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn kib(&self) -> u32 {
        self.kib
    }

    fn run(&mut self, transaction: &WriteTransaction<'_>) -> rusqlite::Result<()> {
        self.result = Some((self.work)(transaction)?);
        Ok(())
    }

    fn finish(self: Box<Self>, failure: Option<&Failure>) {
        let result = match (failure, self.result) {
            (None, Some(result)) => Ok(result),
            (Some(failure), _) => Err(PortError::new(failure.kind, self.context, failure.text.clone())),
            (None, None) => Err(PortError::bare(PortErrorKind::Internal, self.context)),
        };
        // The caller may have stopped waiting.
        let _ = self.reply.send(result);
    }
}

/// The reason why a transaction failed, for all of its jobs.
#[derive(Clone)]
pub(crate) struct Failure {
    pub(crate) kind: PortErrorKind,
    pub(crate) text: String,
    /// True if the transaction could not begin, usually because another process keeps the file locked. No job ran.
    pub(crate) is_locked: bool,
}

impl Failure {
    pub(crate) fn new(error: &rusqlite::Error, is_locked: bool) -> Self {
        Self { kind: kind_of(error), text: error.to_string(), is_locked }
    }
}
