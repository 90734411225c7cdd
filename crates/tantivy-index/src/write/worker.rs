//! The thread that writes one generation: it owns tantivy's writer and turns each call into one commit.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use domain::ports::{Applied, PortError, PortErrorKind};
use domain::ports::{Repair, RepairOutcome};
use domain::{Change, ProductId, Record, Version};
use tantivy::columnar::Column;
use tantivy::directory::error::OpenWriteError;
use tantivy::index::{InvertedIndexReader, SegmentId, SegmentMeta, SegmentReader};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{FutureResult, IndexReader, ReloadPolicy, Searcher, TantivyError};
use text::projection::Projector;
use tokio::sync::oneshot;

use crate::layout::document::document;
use crate::layout::folder::{Folder, OpenError, sync_folder};
use crate::layout::live_document::{id_term, living};
use crate::layout::schema::{Fields, column};
use crate::write::entries::Contents;
use crate::write::writer::WriterOptions;

/// Calls that may wait for the writing thread.
const WAITING_CALLS: usize = 16;
/// Deleted documents in a segment, as a share of all, from which on it is written anew.
const DELETED_BEFORE_MERGE: f32 = 0.25;
/// Segments of about one size that become one.
const SEGMENTS_IN_MERGE: usize = 8;
/// How long nothing is written until segments are put together.
const BEFORE_SETTLING: Duration = Duration::from_secs(1);

/// The way to the thread that writes a generation. Dropping it waits for the call at work and for merges.
pub(crate) struct Worker {
    calls: Option<SyncSender<Call>>,
    thread: Option<JoinHandle<()>>,
    /// What the generation holds, as of the last commit.
    pub(crate) contents: Contents,
}

enum Call {
    Apply(Vec<Change>, Answer<Vec<Applied>>),
    Repair(Vec<Repair>, Answer<Vec<RepairOutcome>>),
    Ready(Answer<()>),
    Settle(Answer<()>),
}

type Answer<T> = oneshot::Sender<Result<T, PortError>>;

impl Worker {
    /// Opens tantivy's writer and starts the thread.
    pub(crate) fn start(folder: Folder, options: WriterOptions) -> Result<Self, OpenError> {
        let path = folder.path.clone();
        let mut writing = Writing::new(folder, options)?;
        let contents = Contents::new(writing.reader.clone(), writing.folder.fields);
        let (calls, queue) = sync_channel(WAITING_CALLS);
        let thread = thread::Builder::new()
            .name("index-writer".to_owned())
            .spawn(move || writing.work(&queue))
            .map_err(|source| OpenError::Io { folder: path, source })?;
        Ok(Self { calls: Some(calls), thread: Some(thread), contents })
    }

    pub(crate) async fn apply(&self, changes: Vec<Change>) -> Result<Vec<Applied>, PortError> {
        self.call(|answer| Call::Apply(changes, answer)).await
    }

    pub(crate) async fn repair(&self, repairs: Vec<Repair>) -> Result<Vec<RepairOutcome>, PortError> {
        self.call(|answer| Call::Repair(repairs, answer)).await
    }

    pub(crate) async fn ready(&self) -> Result<(), PortError> {
        self.call(Call::Ready).await
    }

    pub(crate) async fn optimize(&self) -> Result<(), PortError> {
        self.call(Call::Settle).await
    }

    async fn call<T>(&self, call: impl FnOnce(Answer<T>) -> Call) -> Result<T, PortError> {
        let stopped = || PortError::bare(PortErrorKind::Internal, "the index writer has stopped");
        let (answer, answered) = oneshot::channel();
        let calls = self.calls.as_ref().ok_or_else(stopped)?;
        calls.try_send(call(answer)).map_err(|error| match error {
            TrySendError::Full(_) => {
                PortError::bare(PortErrorKind::Throttled, "too many writes wait for the index")
            }
            TrySendError::Disconnected(_) => stopped(),
        })?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Without senders the thread ends.
        self.calls = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the index writer panicked");
        }
    }
}

/// What the thread owns.
struct Writing {
    folder: Folder,
    options: WriterOptions,
    projector: Projector,
    reader: IndexReader,
    /// None after a failure; the next call makes a new one.
    writer: Option<tantivy::IndexWriter>,
}

impl Writing {
    fn new(folder: Folder, options: WriterOptions) -> Result<Self, OpenError> {
        let writer = open_writer(&folder, &options).map_err(|error| folder.open_error(error))?;
        let reader = folder
            .index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(0)
            .try_into()
            .map_err(|error| folder.open_error(error))?;
        Ok(Self {
            projector: Projector::new(folder.language, options.weights),
            reader,
            writer: Some(writer),
            folder,
            options,
        })
    }

    fn work(&mut self, queue: &Receiver<Call>) {
        let mut is_settled = false;
        loop {
            // A caller may have gone away; what it asked for is done all the same.
            match queue.recv_timeout(BEFORE_SETTLING) {
                Ok(Call::Apply(changes, answer)) => {
                    is_settled = false;
                    drop(answer.send(self.guarded(|writing| writing.try_apply(&changes))));
                }
                Ok(Call::Repair(repairs, answer)) => {
                    is_settled = false;
                    drop(answer.send(self.guarded(|writing| writing.try_repair(&repairs))));
                }
                Ok(Call::Ready(answer)) => drop(answer.send(self.guarded(|_| Ok(())))),
                Ok(Call::Settle(answer)) => drop(answer.send(self.guarded(Self::optimize_now))),
                Err(RecvTimeoutError::Timeout) if !is_settled => {
                    is_settled = true;
                    // Nobody waits for it, and what is written meanwhile does not either.
                    let settled =
                        self.guarded(|writing| writing.optimize().map(drop).map_err(optimizing_failed));
                    if let Err(error) = settled {
                        tracing::warn!(
                            error = error.chain(),
                            "segments of the index could not be put together"
                        );
                    }
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

    fn ensure_writer(&mut self) -> Result<(), PortError> {
        if self.writer.is_none() {
            let failed = |error| port_error("opening the index for writing", error);
            let writer = open_writer(&self.folder, &self.options).map_err(failed)?;
            // What failed may have been committed all the same.
            self.reader.reload().map_err(failed)?;
            self.writer = Some(writer);
        }
        Ok(())
    }

    /// Begins to put segments together that are alike in size, so that searches have few to look at. None when there
    /// are none.
    fn optimize(&mut self) -> tantivy::Result<Option<FutureResult<Option<SegmentMeta>>>> {
        let Some(writer) = &mut self.writer else { return Ok(None) };
        let mut segments: Vec<_> = self.folder.index.searchable_segment_metas()?;
        segments.sort_unstable_by_key(SegmentMeta::num_docs);
        let chosen = alike(&segments.iter().map(SegmentMeta::num_docs).collect::<Vec<_>>());
        let ids: Vec<SegmentId> = segments[..chosen].iter().map(SegmentMeta::id).collect();
        Ok((ids.len() > 1).then(|| writer.merge(&ids)))
    }

    fn optimize_now(&mut self) -> Result<(), PortError> {
        // Merges under way would take segments away that are to be put together.
        if let Some(writer) = self.writer.take() {
            writer.wait_merging_threads().map_err(optimizing_failed)?;
        }
        self.ensure_writer()?;
        if let Some(merge) = self.optimize().map_err(optimizing_failed)? {
            merge.wait().map_err(optimizing_failed)?;
        }
        Ok(())
    }

    /// Runs `work` with an open writer. After a failure, also a panic, the writer is thrown away with whatever it
    /// gathered, and the next call opens a new one: no restart is needed, and the thread never ends by itself.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, PortError>) -> Result<T, PortError> {
        let worked = catch_unwind(AssertUnwindSafe(|| {
            self.ensure_writer()?;
            work(self)
        }));
        let panicked = worked.is_err();
        let result = worked
            .unwrap_or_else(|_| Err(PortError::bare(PortErrorKind::Internal, "writing the index panicked")));
        if panicked {
            // It may have come no further than half of a product.
            self.projector = Projector::new(self.folder.language, self.options.weights);
        }
        if result.is_err() {
            let writer = self.writer.take();
            if catch_unwind(AssertUnwindSafe(|| drop(writer))).is_err() {
                tracing::error!("closing an index writer that failed panicked");
            }
        }
        result
    }

    fn try_apply(&mut self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        let searcher = self.reader.searcher();
        let versions = HeldVersions::open(&searcher, self.folder.fields).map_err(failed)?;
        let mut answers = Vec::with_capacity(changes.len());
        for change in changes {
            let held = versions.of(change.id()).map_err(failed)?;
            if held >= Some(change.version()) {
                answers.push(Applied::Stale);
                continue;
            }
            answers.push(match self.replace(change.id(), held, Some(&change.record()))? {
                Ok(()) => Applied::Done,
                Err(reason) => Applied::Refused(reason),
            });
        }
        if answers.contains(&Applied::Done) {
            self.commit()?;
        }
        Ok(answers)
    }

    fn try_repair(&mut self, repairs: &[Repair]) -> Result<Vec<RepairOutcome>, PortError> {
        let searcher = self.reader.searcher();
        let versions = HeldVersions::open(&searcher, self.folder.fields).map_err(failed)?;
        let mut answers = Vec::with_capacity(repairs.len());
        for Repair { id, expected_version, record } in repairs {
            let held = versions.of(id).map_err(failed)?;
            if held != *expected_version {
                answers.push(RepairOutcome::Overtaken);
                continue;
            }
            answers.push(match self.replace(id, held, record.as_ref())? {
                Ok(()) => RepairOutcome::Done,
                Err(reason) => RepairOutcome::Refused(reason),
            });
        }
        if answers.contains(&RepairOutcome::Done) {
            self.commit()?;
        }
        Ok(answers)
    }

    /// Puts the document of a record, or nothing, in the place of what is held; the inner error is that of a record that
    /// has no document.
    fn replace(
        &mut self,
        id: &ProductId,
        held: Option<Version>,
        record: Option<&Record>,
    ) -> Result<Result<(), String>, PortError> {
        let Some(writer) = &mut self.writer else {
            return Err(PortError::bare(PortErrorKind::Unavailable, "the index writer is not open"));
        };
        let fields = self.folder.fields;
        let document = match record.map(|record| self.projector.project(record)).transpose() {
            Ok(projection) => projection.map(|projection| document(fields, &projection)),
            Err(error) => return Ok(Err(error.to_string())),
        };
        // Deletes cost at commit, so there is none where there is nothing to delete.
        if held.is_some() {
            writer.delete_term(id_term(fields, id));
        }
        if let Some(document) = document {
            writer.add_document(document).map_err(failed)?;
        }
        Ok(Ok(()))
    }

    fn commit(&mut self) -> Result<(), PortError> {
        if let Some(writer) = &mut self.writer {
            writer.commit().map_err(failed)?;
        }
        // tantivy renames its list of segments at the end and does not sync the folder after that.
        sync_folder(&self.folder.path).map_err(|error| failed(error.into()))?;
        self.reader.reload().map_err(failed)
    }
}

fn failed(error: TantivyError) -> PortError {
    port_error("writing the index", error)
}

fn optimizing_failed(error: TantivyError) -> PortError {
    port_error("putting segments of the index together", error)
}

/// How many of the segments, the smallest first, are alike: each has at most so many times the documents of those
/// before it. Writing a large segment anew for a few documents would not be worth it.
fn alike(documents: &[u32]) -> usize {
    const TIMES: u64 = 4;
    let mut before = 0;
    let is_alike = |documents: &&u32| {
        let documents = u64::from(**documents);
        let is_alike = before == 0 || documents <= TIMES * before;
        before += documents;
        is_alike
    };
    documents.iter().take_while(is_alike).count()
}

fn open_writer(folder: &Folder, options: &WriterOptions) -> tantivy::Result<tantivy::IndexWriter> {
    let tantivy_options = IndexWriterOptions::builder()
        .memory_budget_per_thread(options.heap_bytes)
        .num_worker_threads(options.threads)
        .num_merge_threads(1)
        .build();
    let writer = folder.index.writer_with_options(tantivy_options)?;
    let mut policy = LogMergePolicy::default();
    policy.set_del_docs_ratio_before_merge(DELETED_BEFORE_MERGE);
    policy.set_min_num_segments(SEGMENTS_IN_MERGE);
    writer.set_merge_policy(Box::new(policy));
    Ok(writer)
}

/// The versions that the last commit holds.
struct HeldVersions<'a> {
    segments: Vec<HeldSegment<'a>>,
    fields: Fields,
}

struct HeldSegment<'a> {
    reader: &'a SegmentReader,
    ids: std::sync::Arc<InvertedIndexReader>,
    versions: Column<u64>,
}

impl<'a> HeldVersions<'a> {
    fn open(searcher: &'a Searcher, fields: Fields) -> tantivy::Result<Self> {
        let segment = |reader: &'a SegmentReader| {
            let versions = reader.fast_fields().u64(column::VERSION)?;
            Ok(HeldSegment { reader, ids: reader.inverted_index(fields.id)?, versions })
        };
        let segments = searcher.segment_readers().iter().map(segment).collect::<tantivy::Result<_>>()?;
        Ok(Self { segments, fields })
    }

    fn of(&self, id: &ProductId) -> tantivy::Result<Option<Version>> {
        let term = id_term(self.fields, id);
        for segment in &self.segments {
            if let Some(document) = living(segment.reader, &segment.ids, &term)? {
                return Ok(segment.versions.first(document).map(Version));
            }
        }
        Ok(None)
    }
}

/// Errors of tantivy are those of its files and threads: the next try, with a new writer, may succeed.
pub(crate) fn port_error(context: &str, error: TantivyError) -> PortError {
    let kind = match &error {
        TantivyError::IoError(cause) if cause.kind() == io::ErrorKind::StorageFull => PortErrorKind::Full,
        TantivyError::OpenWriteError(OpenWriteError::IoError { io_error: cause, .. })
            if cause.kind() == io::ErrorKind::StorageFull =>
        {
            PortErrorKind::Full
        }
        // What its own threads meet, tantivy hands on as text only.
        TantivyError::ErrorInThread(text) if text.contains("StorageFull") => PortErrorKind::Full,
        TantivyError::DataCorruption(_) | TantivyError::SchemaError(_) | TantivyError::InternalError(_) => {
            PortErrorKind::Internal
        }
        _ => PortErrorKind::Unavailable,
    };
    PortError::new(kind, context, error)
}

#[cfg(test)]
mod tests {
    use domain::{Language, Tombstone};

    use super::*;

    #[test]
    fn a_panic_while_writing_costs_one_call_and_nothing_of_it_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path(), Language::default()).unwrap();
        let mut writing = Writing::new(folder, WriterOptions::default()).unwrap();
        let delete = |id: &str| {
            let id = ProductId::parse(id).unwrap();
            Change::Delete(Tombstone { id, version: Version(1), deleted_at: domain::now() })
        };
        let error = writing
            .guarded::<()>(|writing| {
                let change = delete("half");
                writing.replace(change.id(), None, Some(&change.record()))?.unwrap();
                panic!("a defect")
            })
            .unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Internal);
        let applied = writing.guarded(|writing| writing.try_apply(&[delete("whole")])).unwrap();
        assert_eq!(applied, [Applied::Done]);
        assert_eq!(writing.reader.searcher().num_docs(), 1);
    }

    #[test]
    fn segments_of_one_size_are_put_together_and_large_ones_left_alone() {
        assert_eq!(alike(&[]), 0);
        assert_eq!(alike(&[1000]), 1);
        assert_eq!(alike(&[10, 1000]), 1);
        assert_eq!(alike(&[10, 30, 160, 100_000]), 3);
        assert_eq!(alike(&[24_000; 11]), 11);
    }
}
