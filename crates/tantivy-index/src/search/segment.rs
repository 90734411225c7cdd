//! A segment, with all its data that searches read.

use std::sync::{Arc, OnceLock};

use tantivy::columnar::{BytesColumn, Column, StrColumn};
use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::schema::Field;
use tantivy::{DocAddress, DocId};
use text::dictionary::Dictionary;

use crate::layout::schema::{Fields, STATE_ACTIVE, STATE_DELETED, column};
use crate::search::columns::SegmentColumns;
use crate::search::prefix_cache::PrefixCache;
use crate::search::sequence_cache::SequenceCache;
use crate::search::vocabulary::Vocabulary;

/// A segment of a snapshot.
pub(crate) struct Segment {
    /// The position of the segment in its snapshot.
    pub(crate) number: u32,
    pub(crate) reader: SegmentReader,
    ids: Arc<InvertedIndexReader>,
    words: Arc<InvertedIndexReader>,
    codes: Arc<InvertedIndexReader>,
    pairs: Arc<InvertedIndexReader>,
    stems: Arc<InvertedIndexReader>,
    /// The field of runs of characters.
    pub(crate) runs: Field,
    pub(crate) id: Option<StrColumn>,
    version: Option<Column<u64>>,
    state: Option<Column<u64>>,
    pub(crate) attributes: Option<StrColumn>,
    pub(crate) numbers: Option<BytesColumn>,
    pub(crate) created_at: Option<Column<i64>>,
    pub(crate) name: Option<StrColumn>,
    memory: Arc<SegmentMemory>,
}

/// The parts of a segment that are kept in memory. A segment never changes, so all snapshots that contain it share them.
pub(crate) struct SegmentMemory {
    columns: SegmentColumns,
    /// Read for the first misspelt word.
    vocabulary: OnceLock<Vocabulary>,
    prefixes: PrefixCache,
    sequences: SequenceCache,
}

impl SegmentMemory {
    pub(crate) fn new(columns: SegmentColumns) -> Self {
        let (prefixes, sequences) = (PrefixCache::default(), SequenceCache::default());
        Self { columns, vocabulary: OnceLock::new(), prefixes, sequences }
    }
}

impl Segment {
    pub(crate) fn open(
        number: u32,
        reader: &SegmentReader,
        fields: Fields,
        memory: Arc<SegmentMemory>,
    ) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        Ok(Self {
            number,
            reader: reader.clone(),
            ids: reader.inverted_index(fields.id)?,
            words: reader.inverted_index(fields.words)?,
            codes: reader.inverted_index(fields.codes)?,
            pairs: reader.inverted_index(fields.pairs)?,
            stems: reader.inverted_index(fields.stems)?,
            runs: fields.runs,
            id: columns.str(column::ID)?,
            version: columns.column_opt(column::VERSION)?,
            state: columns.column_opt(column::STATE)?,
            attributes: columns.str(column::ATTRIBUTES)?,
            numbers: columns.bytes(column::NUMBERS)?,
            created_at: columns.column_opt(column::CREATED_AT)?,
            name: columns.str(column::NAME)?,
            memory,
        })
    }

    /// Returns the address of a document.
    pub(crate) fn address(&self, document: DocId) -> DocAddress {
        DocAddress::new(self.number, document)
    }

    /// Returns the inverted index of ids.
    pub(crate) fn ids(&self) -> &InvertedIndexReader {
        &self.ids
    }

    /// Returns the inverted index of a term dictionary.
    pub(crate) fn inverted_index(&self, dictionary: Dictionary) -> &InvertedIndexReader {
        match dictionary {
            Dictionary::Words => &self.words,
            Dictionary::Codes => &self.codes,
            Dictionary::Pairs => &self.pairs,
            Dictionary::Stems => &self.stems,
        }
    }

    /// Returns the columns that are read for each match.
    pub(crate) fn columns(&self) -> &SegmentColumns {
        &self.memory.columns
    }

    /// Returns the words without digits.
    pub(crate) fn vocabulary(&self) -> tantivy::Result<&Vocabulary> {
        if let Some(vocabulary) = self.memory.vocabulary.get() {
            return Ok(vocabulary);
        }
        // Two searches may read it at the same time; one result is dropped.
        let vocabulary = Vocabulary::read(&self.words)?;
        Ok(self.memory.vocabulary.get_or_init(|| vocabulary))
    }

    /// Returns the cache of the words that short prefixes stand for.
    pub(crate) fn prefixes(&self) -> &PrefixCache {
        &self.memory.prefixes
    }

    /// Returns the cache of the documents that have the phrases of queries.
    pub(crate) fn sequences(&self) -> &SequenceCache {
        &self.memory.sequences
    }

    pub(crate) fn version(&self, document: DocId) -> Option<u64> {
        self.version.as_ref().and_then(|version| version.first(document))
    }

    /// Returns the state of a document, a `STATE_` constant.
    pub(crate) fn state(&self, document: DocId) -> Option<u64> {
        self.state.as_ref().and_then(|state| state.first(document))
    }

    /// Returns every document that searches can find.
    pub(crate) fn active(&self) -> impl Iterator<Item = DocId> + '_ {
        self.reader.doc_ids_alive().filter(|document| self.state(*document) == Some(STATE_ACTIVE))
    }

    /// Counts the products that are not deleted, regardless of status.
    pub(crate) fn count_products(&self) -> u64 {
        let live = self.reader.doc_ids_alive();
        live.filter(|document| self.state(*document) != Some(STATE_DELETED)).count() as u64
    }
}
