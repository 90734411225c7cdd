//! The thread that writes a generation. It owns tantivy's writer and turns each call into one commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use domain::ports::{PortError, PortErrorKind};
use domain::{ProductId, Version};
use tantivy::{IndexReader, ReloadPolicy, TantivyDocument, TantivyError};
use tokio::sync::oneshot;

use crate::error::port_error;
use crate::layout::files::sync_folder;
use crate::layout::folder::GenerationFolder;
use crate::layout::live_document::id_term;
use crate::layout::open_error::OpenError;
use crate::write::entries::EntryReader;
use crate::write::indexed_versions::IndexedVersions;
use crate::write::merging::{IDLE_BEFORE_MERGE, open_writer, start_merge};
use crate::write::options::WriterOptions;

/// A call to the thread. It is executed even if the caller no longer waits for the reply.
pub(super) enum Call {
    /// Makes the replacements whose conditions hold, in one commit.
    Replace(Vec<Replacement>, Reply<Vec<Replaced>>),
    Ready(Reply<()>),
    Optimize(Reply<()>),
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, PortError>>;

/// The state of the thread.
pub(super) struct WriterThread {
    folder: GenerationFolder,
    options: WriterOptions,
    reader: IndexReader,
    /// `None` after a failure; the next call opens a new one.
    writer: Option<tantivy::IndexWriter>,
}

impl WriterThread {
    pub(super) fn open(folder: GenerationFolder, options: WriterOptions) -> Result<Self, OpenError> {
        let open_error = |error| OpenError::from_tantivy(&folder.path, error);
        let writer = open_writer(&folder, &options).map_err(open_error)?;
        let reader = folder
            .index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(0)
            .try_into()
            .map_err(open_error)?;
        Ok(Self { folder, options, reader, writer: Some(writer) })
    }

    /// Returns a reader of the entries as of the last commit.
    pub(super) fn entry_reader(&self) -> EntryReader {
        EntryReader::new(self.reader.clone(), self.folder.fields)
    }

    /// Executes calls until the queue has no sender, then waits for merges.
    pub(super) fn run(&mut self, queue: &Receiver<Call>) {
        let mut optimized_since_write = false;
        loop {
            match queue.recv_timeout(IDLE_BEFORE_MERGE) {
                Ok(Call::Replace(replacements, reply)) => {
                    optimized_since_write = false;
                    drop(reply.send(self.guarded(|thread| thread.replace_all(replacements))));
                }
                Ok(Call::Ready(reply)) => drop(reply.send(self.guarded(|_| Ok(())))),
                Ok(Call::Optimize(reply)) => drop(reply.send(self.guarded(Self::optimize))),
                Err(RecvTimeoutError::Timeout) if !optimized_since_write => {
                    optimized_since_write = true;
                    self.optimize_in_background();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if let Some(writer) = self.writer.take()
            && let Err(error) = writer.wait_merging_threads()
        {
            tracing::warn!(%error, "a merge of the index failed while the writer stopped");
        }
    }

    /// Runs `work` with an open writer. After an error or a panic, drops the writer with everything that it buffered; the
    /// next call opens a new one. Failures therefore never end the thread, and no restart is needed.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, PortError>) -> Result<T, PortError> {
        let worked = catch_unwind(AssertUnwindSafe(|| {
            self.ensure_writer()?;
            work(self)
        }));
        let result = worked
            .unwrap_or_else(|_| Err(PortError::bare(PortErrorKind::Internal, "writing the index panicked")));
        if result.is_err() {
            let writer = self.writer.take();
            if catch_unwind(AssertUnwindSafe(|| drop(writer))).is_err() {
                tracing::error!("closing a failed index writer panicked");
            }
        }
        result
    }

    fn ensure_writer(&mut self) -> Result<(), PortError> {
        if self.writer.is_none() {
            let failed = |error| port_error("opening the index for writing", error);
            let writer = open_writer(&self.folder, &self.options).map_err(failed)?;
            // The failed call may have been committed all the same.
            self.reader.reload().map_err(failed)?;
            self.writer = Some(writer);
        }
        Ok(())
    }

    fn optimize(&mut self) -> Result<(), PortError> {
        // A merge that is still running could remove segments that the merge below selects.
        if let Some(writer) = self.writer.take() {
            writer.wait_merging_threads().map_err(optimize_error)?;
        }
        self.ensure_writer()?;
        if let Some(writer) = &mut self.writer
            && let Some(merge) = start_merge(&self.folder, writer).map_err(optimize_error)?
        {
            merge.wait().map_err(optimize_error)?;
        }
        Ok(())
    }

    /// Starts a merge without waiting for it, so that calls are not delayed.
    fn optimize_in_background(&mut self) {
        let started = self.guarded(|thread| match &mut thread.writer {
            Some(writer) => start_merge(&thread.folder, writer).map(drop).map_err(optimize_error),
            None => Ok(()),
        });
        if let Err(error) = started {
            tracing::warn!(error = error.chain(), "segments of the index could not be merged");
        }
    }

    /// Makes the replacements whose conditions hold, in one commit.
    fn replace_all(&mut self, replacements: Vec<Replacement>) -> Result<Vec<Replaced>, PortError> {
        let searcher = self.reader.searcher();
        let versions = IndexedVersions::open(&searcher, self.folder.fields).map_err(write_error)?;
        let mut outcomes = Vec::with_capacity(replacements.len());
        for replacement in replacements {
            let indexed = versions.get(&replacement.id).map_err(write_error)?;
            outcomes.push(match replacement.condition.holds(indexed) {
                true => self.replace(replacement, indexed)?,
                false => Replaced::Skipped,
            });
        }
        if outcomes.contains(&Replaced::Done) {
            self.commit()?;
        }
        Ok(outcomes)
    }

    /// Makes a replacement. `indexed` is the version that the index holds.
    fn replace(&mut self, replacement: Replacement, indexed: Option<Version>) -> Result<Replaced, PortError> {
        let Some(writer) = &mut self.writer else {
            return Err(PortError::bare(PortErrorKind::Unavailable, "the index writer is not open"));
        };
        let document = match replacement.content {
            Ok(document) => document,
            Err(reason) => return Ok(Replaced::Refused(reason)),
        };
        // Each delete costs time at commit, so an id that is not indexed is not deleted.
        if indexed.is_some() {
            writer.delete_term(id_term(self.folder.fields, &replacement.id));
        }
        if let Some(document) = document {
            writer.add_document(document).map_err(write_error)?;
        }
        Ok(Replaced::Done)
    }

    fn commit(&mut self) -> Result<(), PortError> {
        if let Some(writer) = &mut self.writer {
            writer.commit().map_err(write_error)?;
        }
        // tantivy ends a commit by renaming its list of segments and does not sync the folder afterwards.
        sync_folder(&self.folder.path).map_err(|error| write_error(error.into()))?;
        self.reader.reload().map_err(write_error)
    }
}

/// The new document; `None` to remove the existing one; an error with the reason if no document can be built.
pub(super) type NewDocument = Result<Option<TantivyDocument>, String>;

/// A replacement of a document. `Content` is the new document, or the record from which it is built.
pub(super) struct Replacement<Content = NewDocument> {
    pub(super) id: ProductId,
    /// The new content; `None` to remove the document.
    pub(super) content: Content,
    /// The condition on the version that the index holds.
    pub(super) condition: Condition,
}

pub(super) enum Condition {
    OlderThan(Version),
    Equals(Option<Version>),
}

impl Condition {
    fn holds(&self, indexed: Option<Version>) -> bool {
        match self {
            Self::OlderThan(version) => indexed < Some(*version),
            Self::Equals(version) => indexed == *version,
        }
    }
}

/// The outcome of a replacement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Replaced {
    /// The document was replaced or removed.
    Done,
    /// The condition does not hold, so nothing was changed.
    Skipped,
    /// The record cannot be converted to a document.
    Refused(String),
}

fn write_error(error: TantivyError) -> PortError {
    port_error("writing the index", error)
}

fn optimize_error(error: TantivyError) -> PortError {
    port_error("merging segments of the index", error)
}

#[cfg(test)]
mod tests {
    use domain::Language;

    use text::projection::{DocumentState, Projection};

    use super::*;
    use crate::layout::document::document;

    #[test]
    fn a_panic_while_writing_costs_one_call_and_nothing_of_it_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let folder = GenerationFolder::open(dir.path(), Language::default()).unwrap();
        let fields = folder.fields;
        let mut thread = WriterThread::open(folder, WriterOptions::default()).unwrap();
        let tombstone = |id: &str| {
            let id = ProductId::parse(id).unwrap();
            let projection = Projection { id: &id, version: Version(1), state: DocumentState::Deleted };
            let content = Ok(Some(document(fields, &projection)));
            Replacement { id, content, condition: Condition::OlderThan(Version(1)) }
        };
        let error = thread
            .guarded::<()>(|thread| {
                thread.replace(tombstone("half"), None)?;
                panic!("a defect")
            })
            .unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Internal);
        let replaced = thread.guarded(|thread| thread.replace_all(vec![tombstone("whole")])).unwrap();
        assert_eq!(replaced, [Replaced::Done]);
        assert_eq!(thread.reader.searcher().num_docs(), 1);
    }
}
