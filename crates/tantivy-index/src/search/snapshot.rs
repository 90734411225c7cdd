//! A snapshot: the state of an index after a commit.

use std::sync::OnceLock;

use domain::{Language, ProductId};
use tantivy::{DocAddress, Searcher};
use text::collation::Collation;

use crate::layout::folder::GenerationFolder;
use crate::layout::live_document::{id_term, live_document};
use crate::layout::schema::Fields;
use crate::search::expansion::ExpansionCache;
use crate::search::segment::Segment;
use crate::search::segment_cache::SegmentCache;
use crate::search::values::ValueTables;

/// The state of an index after a commit.
pub(crate) struct Snapshot {
    pub(crate) searcher: Searcher,
    pub(crate) segments: Vec<Segment>,
    fields: Fields,
    pub(crate) language: Language,
    /// The order of names; `None` in an index of an older version, which compares lower-case names.
    pub(crate) collation: Option<Collation>,
    /// Identifies the snapshot; changes with each commit.
    pub(crate) name: String,
    pub(crate) expansions: ExpansionCache,
    pub(crate) values: ValueTables,
    products: OnceLock<u64>,
}

/// A document as [`Snapshot::find`] returns it.
pub(crate) struct FoundDocument {
    pub(crate) address: DocAddress,
    pub(crate) version: u64,
    /// A `STATE_` constant of the schema.
    pub(crate) state: u64,
}

impl Snapshot {
    /// Opens the segments of a searcher.
    pub(crate) fn open(
        searcher: Searcher,
        folder: &GenerationFolder,
        name: String,
        cache: &mut SegmentCache,
    ) -> tantivy::Result<Self> {
        let (fields, language) = (folder.fields, folder.language);
        let mut segments = Vec::with_capacity(searcher.segment_readers().len());
        for ((number, reader), memory) in (0..).zip(searcher.segment_readers()).zip(cache.load(&searcher)?) {
            segments.push(Segment::open(number, reader, fields, memory)?);
        }
        Ok(Self {
            searcher,
            segments,
            fields,
            language,
            collation: folder.is_current.then(|| Collation::new(language)),
            name,
            expansions: ExpansionCache::default(),
            values: cache.values().clone(),
            products: OnceLock::new(),
        })
    }

    /// Finds the document of an id: a product or a tombstone.
    pub(crate) fn find(&self, id: &ProductId) -> tantivy::Result<Option<FoundDocument>> {
        let term = id_term(self.fields, id);
        for segment in &self.segments {
            if let Some(document) = live_document(&segment.reader, segment.ids(), &term)?
                && let Some(version) = segment.version(document)
                && let Some(state) = segment.state(document)
            {
                return Ok(Some(FoundDocument { address: segment.address(document), version, state }));
            }
        }
        Ok(None)
    }

    /// Returns the number of products that are not deleted, regardless of status.
    pub(crate) fn products(&self) -> u64 {
        *self.products.get_or_init(|| self.segments.iter().map(Segment::count_products).sum())
    }
}
