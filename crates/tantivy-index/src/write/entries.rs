//! What a generation holds, for those who compare it with the store.

use domain::ports::{CompareDepth, IndexEntry};
use domain::ports::{PortError, PortErrorKind};
use domain::{ProductId, Version};
use tantivy::columnar::Column;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocId, IndexReader, Searcher, TantivyError};
use text::projection::fingerprint;

use crate::layout::live_document::{first_living, id_term, living};
use crate::layout::schema::{Fields, STATE_DELETED, column};
use crate::search::search::stored_json;
use crate::write::worker::port_error;

/// Reads a generation as of its last commit.
#[derive(Clone)]
pub(crate) struct Contents {
    reader: IndexReader,
    fields: Fields,
}

impl Contents {
    pub(crate) fn new(reader: IndexReader, fields: Fields) -> Self {
        Self { reader, fields }
    }

    /// Documents, tombstones included.
    pub(crate) fn documents(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// What is held under each id, in the order given.
    pub(crate) async fn held(
        &self,
        ids: Vec<ProductId>,
        look: CompareDepth,
    ) -> Result<Vec<Option<IndexEntry>>, PortError> {
        self.read(move |state| ids.iter().map(|id| state.held(id, look)).collect()).await
    }

    /// What is held behind `after`, by id.
    pub(crate) async fn scan(
        &self,
        after: Option<ProductId>,
        limit: usize,
        look: CompareDepth,
    ) -> Result<Vec<IndexEntry>, PortError> {
        self.read(move |state| state.scan(after.as_ref(), limit, look)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&State) -> tantivy::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        const CONTEXT: &str = "reading what the index holds";
        let (searcher, fields) = (self.reader.searcher(), self.fields);
        let reading = tokio::task::spawn_blocking(move || read(&State::open(searcher, fields)?));
        let read = reading.await.map_err(|panic| PortError::new(PortErrorKind::Internal, CONTEXT, panic))?;
        read.map_err(|error| port_error(CONTEXT, error))
    }
}

/// One state of the generation, with the columns that tell what is held.
struct State {
    searcher: Searcher,
    fields: Fields,
    segments: Vec<Columns>,
}

struct Columns {
    version: Column<u64>,
    state: Column<u64>,
    print: Column<u64>,
}

impl State {
    fn open(searcher: Searcher, fields: Fields) -> tantivy::Result<Self> {
        let mut segments = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            let columns = reader.fast_fields();
            segments.push(Columns {
                version: columns.u64(column::VERSION)?,
                state: columns.u64(column::STATE)?,
                print: columns.u64(column::PRINT)?,
            });
        }
        Ok(Self { searcher, fields, segments })
    }

    fn held(&self, id: &ProductId, look: CompareDepth) -> tantivy::Result<Option<IndexEntry>> {
        let term = id_term(self.fields, id);
        for (number, reader) in (0..).zip(self.searcher.segment_readers()) {
            let ids = reader.inverted_index(self.fields.id)?;
            if let Some(document) = living(reader, &ids, &term)? {
                return self.read(id.clone(), number, document, look).map(Some);
            }
        }
        Ok(None)
    }

    /// The ids of each segment are in order; of all of them together the first ones are the answer.
    fn scan(
        &self,
        after: Option<&ProductId>,
        limit: usize,
        look: CompareDepth,
    ) -> tantivy::Result<Vec<IndexEntry>> {
        let mut found: Vec<(Vec<u8>, u32, DocId)> = Vec::new();
        for (number, reader) in (0..).zip(self.searcher.segment_readers()) {
            let ids = reader.inverted_index(self.fields.id)?;
            let mut range = ids.terms().range();
            if let Some(after) = after {
                range = range.gt(after.as_str());
            }
            let (mut stream, mut left) = (range.into_stream()?, limit);
            while left > 0 && stream.advance() {
                let postings = ids.read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
                if let Some(document) = first_living(reader, postings) {
                    found.push((stream.key().to_vec(), number, document));
                    left -= 1;
                }
            }
        }
        found.sort_unstable();
        found.truncate(limit);
        let damaged = |reason: String| TantivyError::InternalError(format!("an id cannot be read: {reason}"));
        found
            .into_iter()
            .map(|(id, segment, document)| {
                let id = std::str::from_utf8(&id).map_err(|error| damaged(error.to_string()))?;
                let id = ProductId::parse(id).map_err(damaged)?;
                self.read(id, segment, document, look)
            })
            .collect()
    }

    fn read(
        &self,
        id: ProductId,
        segment: u32,
        document: DocId,
        look: CompareDepth,
    ) -> tantivy::Result<IndexEntry> {
        let columns = &self.segments[segment as usize];
        let number = |column: &Column<u64>| column.first(document).unwrap_or_default();
        let fingerprint = match look {
            CompareDepth::Versions => None,
            CompareDepth::Documents => {
                let json = stored_json(&self.searcher, DocAddress::new(segment, document))?;
                Some(fingerprint(&json.unwrap_or_default(), number(&columns.print)))
            }
        };
        let is_live = number(&columns.state) != STATE_DELETED;
        Ok(IndexEntry { id, version: Version(number(&columns.version)), is_live, fingerprint })
    }
}
