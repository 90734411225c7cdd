//! The products that a client may find.

use domain::search::Restriction;
use tantivy::DocId;

use crate::search::filters::SegmentFilters;
use crate::search::segment::Segment;
use crate::search::snapshot::Snapshot;

/// The documents that are inside the restriction of a search.
pub(crate) struct Inside<'a> {
    /// The filters of each condition by segment number; empty without a restriction.
    segments: Vec<Vec<SegmentFilters<'a>>>,
}

impl<'a> Inside<'a> {
    /// Prepares a restriction for the segments of a snapshot.
    pub(crate) fn new(restriction: &'a Restriction, snapshot: &'a Snapshot) -> tantivy::Result<Self> {
        let mut segments = Vec::new();
        if !restriction.is_none() {
            for segment in &snapshot.segments {
                let conditions = restriction.conditions().iter();
                let filters = conditions.map(|condition| {
                    SegmentFilters::new(&condition.filters, condition.currency, segment, &snapshot.values)
                });
                segments.push(filters.collect::<tantivy::Result<_>>()?);
            }
        }
        Ok(Self { segments })
    }

    /// Returns true if there is a restriction.
    pub(crate) fn is_restricted(&self) -> bool {
        !self.segments.is_empty()
    }

    /// Returns true if the document is inside.
    pub(crate) fn has(&self, document: DocId, segment: &Segment) -> bool {
        let conditions = self.segments.get(segment.number as usize);
        conditions.is_none_or(|conditions| conditions.iter().all(|filters| filters.pass(document)))
    }
}
