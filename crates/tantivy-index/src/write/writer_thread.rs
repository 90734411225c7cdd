//! The thread that writes a generation. It owns tantivy's writer and turns each call into one commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use domain::ports::{Applied, PortError, PortErrorKind, Repair, RepairOutcome};
use domain::{Change, ProductId, Record, Version};
use tantivy::{IndexReader, ReloadPolicy, TantivyError};
use text::projection::Projector;
use tokio::sync::oneshot;

use crate::error::port_error;
use crate::layout::document::document;
use crate::layout::files::sync_folder;
use crate::layout::folder::GenerationFolder;
use crate::layout::live_document::id_term;
use crate::layout::open_error::OpenError;
use crate::write::entries::EntryReader;
use crate::write::indexed_versions::IndexedVersions;
use crate::write::merging::{IDLE_BEFORE_MERGE, open_writer, start_merge};
use crate::write::options::WriterOptions;

/// A call to the thread. If the caller has gone away, the call is executed all the same.
pub(super) enum Call {
    Apply(Vec<Change>, Reply<Vec<Applied>>),
    Repair(Vec<Repair>, Reply<Vec<RepairOutcome>>),
    Ready(Reply<()>),
    Optimize(Reply<()>),
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, PortError>>;

/// The state of the thread.
pub(super) struct WriterThread {
    folder: GenerationFolder,
    options: WriterOptions,
    projector: Projector,
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
        let projector = Projector::new(folder.language, options.weights);
        Ok(Self { folder, options, projector, reader, writer: Some(writer) })
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
                Ok(Call::Apply(changes, reply)) => {
                    optimized_since_write = false;
                    drop(reply.send(self.guarded(|thread| thread.apply(&changes))));
                }
                Ok(Call::Repair(repairs, reply)) => {
                    optimized_since_write = false;
                    drop(reply.send(self.guarded(|thread| thread.repair(&repairs))));
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
    /// next call opens a new one. So the thread never ends by itself, and no restart is needed.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, PortError>) -> Result<T, PortError> {
        let worked = catch_unwind(AssertUnwindSafe(|| {
            self.ensure_writer()?;
            work(self)
        }));
        let panicked = worked.is_err();
        let result = worked
            .unwrap_or_else(|_| Err(PortError::bare(PortErrorKind::Internal, "writing the index panicked")));
        if panicked {
            // The projector may have stopped in the middle of a product.
            self.projector = Projector::new(self.folder.language, self.options.weights);
        }
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

    fn apply(&mut self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        let replacements = changes.iter().map(|change| Replacement {
            id: change.id(),
            record: Some(change.record()),
            condition: Condition::OlderThan(change.version()),
        });
        let outcomes = self.replace_all(replacements)?.into_iter().map(|outcome| match outcome {
            Replaced::Done => Applied::Done,
            Replaced::Skipped => Applied::Stale,
            Replaced::Refused(reason) => Applied::Refused(reason),
        });
        Ok(outcomes.collect())
    }

    fn repair(&mut self, repairs: &[Repair]) -> Result<Vec<RepairOutcome>, PortError> {
        let replacements = repairs.iter().map(|repair| Replacement {
            id: &repair.id,
            record: repair.record.clone(),
            condition: Condition::Equals(repair.expected_version),
        });
        let outcomes = self.replace_all(replacements)?.into_iter().map(|outcome| match outcome {
            Replaced::Done => RepairOutcome::Done,
            Replaced::Skipped => RepairOutcome::Overtaken,
            Replaced::Refused(reason) => RepairOutcome::Refused(reason),
        });
        Ok(outcomes.collect())
    }

    /// Makes the replacements whose conditions hold, in one commit.
    fn replace_all<'a>(
        &mut self,
        replacements: impl Iterator<Item = Replacement<'a>>,
    ) -> Result<Vec<Replaced>, PortError> {
        let searcher = self.reader.searcher();
        let versions = IndexedVersions::open(&searcher, self.folder.fields).map_err(write_error)?;
        let mut outcomes = Vec::with_capacity(replacements.size_hint().0);
        for replacement in replacements {
            let indexed = versions.get(replacement.id).map_err(write_error)?;
            outcomes.push(match replacement.condition.holds(indexed) {
                true => self.replace(replacement.id, indexed, replacement.record.as_ref())?,
                false => Replaced::Skipped,
            });
        }
        if outcomes.contains(&Replaced::Done) {
            self.commit()?;
        }
        Ok(outcomes)
    }

    /// Replaces the document under an id by that of a record, or removes it if there is no record. `indexed` is the version
    /// that the index holds.
    fn replace(
        &mut self,
        id: &ProductId,
        indexed: Option<Version>,
        record: Option<&Record>,
    ) -> Result<Replaced, PortError> {
        let Some(writer) = &mut self.writer else {
            return Err(PortError::bare(PortErrorKind::Unavailable, "the index writer is not open"));
        };
        let fields = self.folder.fields;
        let document = match record.map(|record| self.projector.project(record)).transpose() {
            Ok(projection) => projection.map(|projection| document(fields, &projection)),
            Err(error) => return Ok(Replaced::Refused(error.to_string())),
        };
        // Each delete costs time at commit, so an id that is not indexed is not deleted.
        if indexed.is_some() {
            writer.delete_term(id_term(fields, id));
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

/// A document to replace.
struct Replacement<'a> {
    id: &'a ProductId,
    /// The record whose document is to be indexed; `None` to remove the document.
    record: Option<Record>,
    /// The condition on the version that the index holds.
    condition: Condition,
}

enum Condition {
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
enum Replaced {
    /// The index holds the new document.
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
    use domain::{Language, Tombstone};

    use super::*;

    #[test]
    fn a_panic_while_writing_costs_one_call_and_nothing_of_it_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let folder = GenerationFolder::open(dir.path(), Language::default()).unwrap();
        let mut thread = WriterThread::open(folder, WriterOptions::default()).unwrap();
        let delete = |id: &str| {
            let id = ProductId::parse(id).unwrap();
            Change::Delete(Tombstone { id, version: Version(1), deleted_at: domain::now() })
        };
        let error = thread
            .guarded::<()>(|thread| {
                let change = delete("half");
                thread.replace(change.id(), None, Some(&change.record()))?;
                panic!("a defect")
            })
            .unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Internal);
        let applied = thread.guarded(|thread| thread.apply(&[delete("whole")])).unwrap();
        assert_eq!(applied, [Applied::Done]);
        assert_eq!(thread.reader.searcher().num_docs(), 1);
    }
}
