//! The versions that an index holds.

use std::sync::Arc;

use domain::{ProductId, Version};
use tantivy::Searcher;
use tantivy::columnar::Column;
use tantivy::index::{InvertedIndexReader, SegmentReader};

use crate::layout::live_document::{id_term, live_document};
use crate::layout::schema::{Fields, column};

/// Reads the versions of products and tombstones as of the last commit.
pub(super) struct IndexedVersions<'a> {
    segments: Vec<SegmentVersions<'a>>,
    fields: Fields,
}

struct SegmentVersions<'a> {
    reader: &'a SegmentReader,
    ids: Arc<InvertedIndexReader>,
    versions: Column<u64>,
}

impl<'a> IndexedVersions<'a> {
    pub(super) fn open(searcher: &'a Searcher, fields: Fields) -> tantivy::Result<Self> {
        let segment = |reader: &'a SegmentReader| {
            let versions = reader.fast_fields().u64(column::VERSION)?;
            Ok(SegmentVersions { reader, ids: reader.inverted_index(fields.id)?, versions })
        };
        let segments = searcher.segment_readers().iter().map(segment).collect::<tantivy::Result<_>>()?;
        Ok(Self { segments, fields })
    }

    /// Returns the version of the product or tombstone with an id; `None` if the index has neither.
    pub(super) fn get(&self, id: &ProductId) -> tantivy::Result<Option<Version>> {
        let term = id_term(self.fields, id);
        for segment in &self.segments {
            if let Some(document) = live_document(segment.reader, &segment.ids, &term)? {
                return Ok(segment.versions.first(document).map(Version));
            }
        }
        Ok(None)
    }
}
