//! The handle of the thread that writes a generation.

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use domain::ports::{Applied, CompareDepth, Generation, PortError, PortErrorKind, Repair, RepairOutcome};
use domain::{Change, Record};
use tokio::sync::oneshot;

use crate::layout::folder::GenerationFolder;
use crate::layout::open_error::OpenError;
use crate::write::document_builder::DocumentBuilder;
use crate::write::entries::EntryReader;
use crate::write::options::WriterOptions;
use crate::write::writer_thread::{Call, Condition, Replaced, Replacement, Reply, WriterThread};

/// The most calls that may wait for the thread.
const MAX_WAITING_CALLS: usize = 16;

/// Sends calls to the thread that writes a generation. Dropping the handle waits for the current call and for merges.
pub(super) struct GenerationWriter {
    calls: Option<SyncSender<Call>>,
    thread: Option<JoinHandle<()>>,
    documents: DocumentBuilder,
    /// Reads the generation's entries as of the last commit.
    pub(super) entries: EntryReader,
    /// False for an older format, which a rebuild replaces.
    pub(super) is_current: bool,
}

impl GenerationWriter {
    /// Opens tantivy's writer and starts the thread.
    pub(super) fn start(folder: GenerationFolder, options: WriterOptions) -> Result<Self, OpenError> {
        let (path, is_current) = (folder.path.clone(), folder.is_current);
        let documents = DocumentBuilder::new(&folder, options);
        let mut writer = WriterThread::open(folder, options)?;
        let entries = writer.entry_reader();
        let (calls, queue) = sync_channel(MAX_WAITING_CALLS);
        let thread = thread::Builder::new()
            .name("index-writer".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(|source| OpenError::Io { folder: path, source })?;
        Ok(Self { calls: Some(calls), thread: Some(thread), documents, entries, is_current })
    }

    /// Returns the depth at which the generation can be compared. Documents of a live generation of an older format differ from the
    /// expected ones until it has been rebuilt, so only their versions show if they are up to date.
    pub(super) fn depth(&self, generation: Generation, wanted: CompareDepth) -> CompareDepth {
        match generation {
            Generation::Live if !self.is_current => CompareDepth::Versions,
            Generation::Live | Generation::Next => wanted,
        }
    }

    pub(super) async fn apply(&self, changes: Vec<Change>) -> Result<Vec<Applied>, PortError> {
        let replacements = changes.into_iter().map(|change| Replacement {
            id: change.id().clone(),
            content: Some(change.record()),
            condition: Condition::OlderThan(change.version()),
        });
        let outcomes = self.replace(replacements.collect()).await?.into_iter().map(|outcome| match outcome {
            Replaced::Done => Applied::Done,
            Replaced::Skipped => Applied::Stale,
            Replaced::Refused(reason) => Applied::Refused(reason),
        });
        Ok(outcomes.collect())
    }

    pub(super) async fn repair(&self, repairs: Vec<Repair>) -> Result<Vec<RepairOutcome>, PortError> {
        let replacements = repairs.into_iter().map(|repair| Replacement {
            id: repair.id,
            content: repair.record,
            condition: Condition::Equals(repair.expected_version),
        });
        let outcomes = self.replace(replacements.collect()).await?.into_iter().map(|outcome| match outcome {
            Replaced::Done => RepairOutcome::Done,
            Replaced::Skipped => RepairOutcome::Overtaken,
            Replaced::Refused(reason) => RepairOutcome::Refused(reason),
        });
        Ok(outcomes.collect())
    }

    async fn replace(
        &self,
        replacements: Vec<Replacement<Option<Record>>>,
    ) -> Result<Vec<Replaced>, PortError> {
        let replacements = self.documents.build(replacements).await?;
        self.call(|reply| Call::Replace(replacements, reply)).await
    }

    pub(super) async fn ready(&self) -> Result<(), PortError> {
        self.call(Call::Ready).await
    }

    pub(super) async fn optimize(&self) -> Result<(), PortError> {
        self.call(Call::Optimize).await
    }

    /// Sends a call and waits for the reply.
    ///
    /// # Errors
    /// [`PortErrorKind::Throttled`] if too many calls are waiting.
    async fn call<T>(&self, call: impl FnOnce(Reply<T>) -> Call) -> Result<T, PortError> {
        let stopped = || PortError::bare(PortErrorKind::Internal, "the index writer has stopped");
        let (reply, replied) = oneshot::channel();
        let calls = self.calls.as_ref().ok_or_else(stopped)?;
        calls.try_send(call(reply)).map_err(|error| match error {
            TrySendError::Full(_) => {
                PortError::bare(PortErrorKind::Throttled, "too many writes are waiting for the index")
            }
            TrySendError::Disconnected(_) => stopped(),
        })?;
        replied.await.map_err(|_| stopped())?
    }
}

impl Drop for GenerationWriter {
    fn drop(&mut self) {
        // The thread ends once its queue has no sender.
        self.calls = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the index writer panicked");
        }
    }
}
