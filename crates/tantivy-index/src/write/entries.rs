//! Reads the entries of a generation, for comparing it with the store.

use domain::ports::{CompareDepth, IndexEntry, PortError, PortErrorKind};
use domain::{ProductId, Version};
use tantivy::columnar::Column;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, IndexReader, Searcher, TantivyError};
use text::projection::fingerprint;

use crate::error::port_error;
use crate::layout::document::stored_json;
use crate::layout::live_document::{first_live, id_term, live_document};
use crate::layout::schema::{Fields, STATE_DELETED, column};

/// Reads the entries of a generation as of its last commit.
#[derive(Clone)]
pub(super) struct EntryReader {
    reader: IndexReader,
    fields: Fields,
}

impl EntryReader {
    pub(super) fn new(reader: IndexReader, fields: Fields) -> Self {
        Self { reader, fields }
    }

    /// Returns the number of documents, including tombstones.
    pub(super) fn documents(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// Returns the entry for each id, in request order.
    pub(super) async fn get(
        &self,
        ids: Vec<ProductId>,
        depth: CompareDepth,
    ) -> Result<Vec<Option<IndexEntry>>, PortError> {
        self.on_commit(move |commit| ids.iter().map(|id| commit.get(id, depth)).collect()).await
    }

    /// Returns at most `limit` entries after `after`, in byte order of their ids.
    pub(super) async fn scan(
        &self,
        after: Option<ProductId>,
        limit: usize,
        depth: CompareDepth,
    ) -> Result<Vec<IndexEntry>, PortError> {
        self.on_commit(move |commit| commit.scan(after.as_ref(), limit, depth)).await
    }

    /// Runs `read` on the last commit, on a thread that may block.
    async fn on_commit<T: Send + 'static>(
        &self,
        read: impl FnOnce(&CommittedEntries) -> tantivy::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        const CONTEXT: &str = "reading entries of the index";
        let (searcher, fields) = (self.reader.searcher(), self.fields);
        let task = tokio::task::spawn_blocking(move || read(&CommittedEntries::open(searcher, fields)?));
        let result = task.await.map_err(|panic| PortError::new(PortErrorKind::Internal, CONTEXT, panic))?;
        result.map_err(|error| port_error(CONTEXT, error))
    }
}

/// The entries of one commit.
struct CommittedEntries {
    searcher: Searcher,
    fields: Fields,
    segments: Vec<EntryColumns>,
}

/// The columns of a segment that make up an entry.
struct EntryColumns {
    version: Column<u64>,
    state: Column<u64>,
    fields_hash: Column<u64>,
}

impl CommittedEntries {
    fn open(searcher: Searcher, fields: Fields) -> tantivy::Result<Self> {
        let mut segments = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            let columns = reader.fast_fields();
            segments.push(EntryColumns {
                version: columns.u64(column::VERSION)?,
                state: columns.u64(column::STATE)?,
                fields_hash: columns.u64(column::FIELDS_HASH)?,
            });
        }
        Ok(Self { searcher, fields, segments })
    }

    fn get(&self, id: &ProductId, depth: CompareDepth) -> tantivy::Result<Option<IndexEntry>> {
        let term = id_term(self.fields, id);
        for (number, reader) in (0..).zip(self.searcher.segment_readers()) {
            let ids = reader.inverted_index(self.fields.id)?;
            if let Some(document) = live_document(reader, &ids, &term)? {
                return self.entry(id.clone(), DocAddress::new(number, document), depth).map(Some);
            }
        }
        Ok(None)
    }

    /// Takes the first `limit` ids of each segment, where they are in order, then the first `limit` of all these.
    fn scan(
        &self,
        after: Option<&ProductId>,
        limit: usize,
        depth: CompareDepth,
    ) -> tantivy::Result<Vec<IndexEntry>> {
        let mut first: Vec<(Vec<u8>, DocAddress)> = Vec::new();
        for (number, reader) in (0..).zip(self.searcher.segment_readers()) {
            let ids = reader.inverted_index(self.fields.id)?;
            let mut range = ids.terms().range();
            if let Some(after) = after {
                range = range.gt(after.as_str());
            }
            let (mut stream, mut left) = (range.into_stream()?, limit);
            while left > 0 && stream.advance() {
                let postings = ids.read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
                if let Some(document) = first_live(reader, postings) {
                    first.push((stream.key().to_vec(), DocAddress::new(number, document)));
                    left -= 1;
                }
            }
        }
        first.sort_unstable();
        first.truncate(limit);
        let damaged = |reason: String| TantivyError::InternalError(format!("an id cannot be read: {reason}"));
        first
            .into_iter()
            .map(|(id, address)| {
                let id = std::str::from_utf8(&id).map_err(|error| damaged(error.to_string()))?;
                let id = ProductId::parse(id).map_err(damaged)?;
                self.entry(id, address, depth)
            })
            .collect()
    }

    fn entry(&self, id: ProductId, address: DocAddress, depth: CompareDepth) -> tantivy::Result<IndexEntry> {
        let columns = &self.segments[address.segment_ord as usize];
        let number = |column: &Column<u64>| column.first(address.doc_id).unwrap_or_default();
        let fingerprint = match depth {
            CompareDepth::Versions => None,
            CompareDepth::Documents => {
                let json = stored_json(&self.searcher, address)?;
                Some(fingerprint(&json.unwrap_or_default(), number(&columns.fields_hash)))
            }
        };
        let is_live = number(&columns.state) != STATE_DELETED;
        Ok(IndexEntry { id, version: Version(number(&columns.version)), is_live, fingerprint })
    }
}
