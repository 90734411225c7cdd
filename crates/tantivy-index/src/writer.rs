//! The writing side: one thread that owns tantivy's writer and turns each call into one commit.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{Applied, IndexWriter, PortError, PortErrorKind};
use domain::{Change, Language, ProductId};
use tantivy::columnar::Column;
use tantivy::directory::error::OpenWriteError;
use tantivy::index::{InvertedIndexReader, SegmentId, SegmentMeta, SegmentReader};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, FutureResult, IndexReader, ReloadPolicy, Searcher, TERMINATED, TantivyError, Term};
use text::field_weights::FieldWeights;
use tokio::sync::oneshot;

use crate::document::DocumentMaker;
use crate::folder::{Folder, OpenError, sync_folder};
use crate::schema::{Fields, column};

/// Calls that may wait for the writing thread.
const WAITING_CALLS: usize = 16;
/// Deleted documents in a segment, as a share of all, from which on it is written anew.
const DELETED_BEFORE_MERGE: f32 = 0.25;
/// Segments of about one size that become one.
const SEGMENTS_IN_MERGE: usize = 8;

/// How long nothing is written until segments are put together.
const BEFORE_SETTLING: Duration = Duration::from_secs(1);

/// How a [`TantivyWriter`] works.
#[derive(Debug, Clone, Copy)]
pub struct WriterOptions {
    /// Bytes that each indexing thread gathers in memory, at most, before it writes a segment; 15 MB at least.
    pub heap_bytes: usize,
    /// Indexing threads.
    pub threads: usize,
    /// What the texts of products are analysed as; the same as that of whoever searches the folder.
    pub language: Language,
    /// How much the parts of products count that are written from now on.
    pub weights: FieldWeights,
}

impl Default for WriterOptions {
    fn default() -> Self {
        let (language, weights) = (Language::default(), FieldWeights::default());
        Self { heap_bytes: 64_000_000, threads: 1, language, weights }
    }
}

/// The one writer of an index folder. Dropping it waits for the call at work and for merges, then lets the
/// folder go.
pub struct TantivyWriter {
    calls: Option<SyncSender<Call>>,
    thread: Option<JoinHandle<()>>,
}

enum Call {
    Apply(Vec<Change>, oneshot::Sender<Result<Vec<Applied>, PortError>>),
    Ready(oneshot::Sender<Result<(), PortError>>),
    Settle(oneshot::Sender<Result<(), PortError>>),
}

impl TantivyWriter {
    /// Opens the index in `folder` for writing, and makes an empty one when there is none.
    ///
    /// # Errors
    /// [`OpenError::Busy`] while another writer has the folder, [`OpenError::OtherLanguage`] for one that was made for
    /// another language, [`OpenError::Newer`] and [`OpenError::Damaged`] for one that this program cannot use,
    /// [`OpenError::Io`] when the file system fails.
    pub fn open(folder: &Path, options: WriterOptions) -> Result<Self, OpenError> {
        let folder = Folder::open(folder, options.language)?;
        let mut worker = Worker::new(folder, options)?;
        let (calls, queue) = sync_channel(WAITING_CALLS);
        let path = worker.folder.path.clone();
        let thread = thread::Builder::new()
            .name("index-writer".to_owned())
            .spawn(move || worker.work(&queue))
            .map_err(|source| OpenError::Io { folder: path, source })?;
        Ok(Self { calls: Some(calls), thread: Some(thread) })
    }

    async fn call<T>(
        &self,
        call: impl FnOnce(oneshot::Sender<Result<T, PortError>>) -> Call,
    ) -> Result<T, PortError> {
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

impl Drop for TantivyWriter {
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

#[async_trait]
impl IndexWriter for TantivyWriter {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        // A copy of a change is a reference to its product.
        let changes = changes.to_vec();
        self.call(|answer| Call::Apply(changes, answer)).await
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.call(Call::Ready).await
    }

    /// Puts the segments together that would be when nothing is written for a while.
    async fn settle(&self) -> Result<(), PortError> {
        self.call(Call::Settle).await
    }
}

struct Worker {
    folder: Folder,
    options: WriterOptions,
    maker: DocumentMaker,
    reader: IndexReader,
    /// None after a failure; the next call makes a new one.
    writer: Option<tantivy::IndexWriter>,
}

impl Worker {
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
            maker: DocumentMaker::new(folder.fields, folder.language, options.weights),
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
                    drop(answer.send(self.apply(&changes)));
                }
                Ok(Call::Ready(answer)) => drop(answer.send(self.ensure_writer())),
                Ok(Call::Settle(answer)) => drop(answer.send(self.settle_now())),
                Err(RecvTimeoutError::Timeout) if !is_settled => {
                    is_settled = true;
                    // Nobody waits for it, and what is written meanwhile does not either.
                    if let Err(error) = self.settle() {
                        tracing::warn!(%error, "segments of the index could not be put together");
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
    fn settle(&mut self) -> tantivy::Result<Option<FutureResult<Option<SegmentMeta>>>> {
        let Some(writer) = &mut self.writer else { return Ok(None) };
        let mut segments: Vec<_> = self.folder.index.searchable_segment_metas()?;
        segments.sort_unstable_by_key(SegmentMeta::num_docs);
        let chosen = alike(&segments.iter().map(SegmentMeta::num_docs).collect::<Vec<_>>());
        let ids: Vec<SegmentId> = segments[..chosen].iter().map(SegmentMeta::id).collect();
        Ok((ids.len() > 1).then(|| writer.merge(&ids)))
    }

    fn settle_now(&mut self) -> Result<(), PortError> {
        let failed = |error| port_error("putting segments of the index together", error);
        // Merges under way would take segments away that are to be put together.
        if let Some(writer) = self.writer.take() {
            writer.wait_merging_threads().map_err(failed)?;
        }
        self.ensure_writer()?;
        if let Some(merge) = self.settle().map_err(failed)? {
            merge.wait().map_err(failed)?;
        }
        Ok(())
    }

    fn apply(&mut self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        self.ensure_writer()?;
        let result = self.try_apply(changes);
        if result.is_err() {
            // Whatever it gathered must not come with the next commit.
            self.writer = None;
        }
        result
    }

    fn try_apply(&mut self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        let failed = |error| port_error("writing the index", error);
        let Some(writer) = &mut self.writer else {
            return Err(PortError::bare(PortErrorKind::Unavailable, "the index writer is not open"));
        };
        let searcher = self.reader.searcher();
        let versions = HeldVersions::open(&searcher, self.folder.fields).map_err(failed)?;
        let mut answers = Vec::with_capacity(changes.len());
        let mut changed = false;
        for change in changes {
            let held = versions.of(change.id()).map_err(failed)?;
            if held.is_some_and(|held| held >= change.version().0) {
                answers.push(Applied::Stale);
                continue;
            }
            match self.maker.document(change) {
                Ok(document) => {
                    // Deletes cost at commit, so there is none where there is nothing to delete.
                    if held.is_some() {
                        writer.delete_term(id_term(self.folder.fields, change.id()));
                    }
                    writer.add_document(document).map_err(failed)?;
                    changed = true;
                    answers.push(Applied::Done);
                }
                Err(error) => answers.push(Applied::Refused(error.to_string())),
            }
        }
        if changed {
            writer.commit().map_err(failed)?;
            // tantivy renames its list of segments at the end and does not sync the folder after that.
            sync_folder(&self.folder.path).map_err(|error| failed(error.into()))?;
            self.reader.reload().map_err(failed)?;
        }
        Ok(answers)
    }
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

fn id_term(fields: Fields, id: &ProductId) -> Term {
    Term::from_field_text(fields.id, id.as_str())
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

    fn of(&self, id: &ProductId) -> tantivy::Result<Option<u64>> {
        let term = id_term(self.fields, id);
        for segment in &self.segments {
            let Some(mut postings) = segment.ids.read_postings(&term, IndexRecordOption::Basic)? else {
                continue;
            };
            while postings.doc() != TERMINATED {
                if !segment.reader.is_deleted(postings.doc()) {
                    return Ok(segment.versions.first(postings.doc()));
                }
                postings.advance();
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
    use super::alike;

    #[test]
    fn segments_of_one_size_are_put_together_and_large_ones_left_alone() {
        assert_eq!(alike(&[]), 0);
        assert_eq!(alike(&[1000]), 1);
        assert_eq!(alike(&[10, 1000]), 1);
        assert_eq!(alike(&[10, 30, 160, 100_000]), 3);
        assert_eq!(alike(&[24_000; 11]), 11);
    }
}
