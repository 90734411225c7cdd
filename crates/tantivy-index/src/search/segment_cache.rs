//! The parts of segments that stay in memory from one snapshot to the next.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::Searcher;
use tantivy::index::{SegmentId, SegmentReader};

use crate::search::columns::SegmentColumns;
use crate::search::segment::SegmentMemory;
use crate::search::values::ValueTables;

/// The factor by which the value tables may grow before they are rebuilt, without the values that no product has any more.
const MAX_VALUE_GROWTH: usize = 2;
/// The number of values up to which the tables are never rebuilt.
const MIN_VALUES: usize = 20_000;

/// Holds the memory of the segments of the newest snapshot.
#[derive(Default)]
pub(crate) struct SegmentCache {
    segments: HashMap<SegmentId, Arc<SegmentMemory>>,
    values: ValueTables,
    /// The number of values after the tables were last rebuilt.
    values_at_rebuild: usize,
}

impl SegmentCache {
    /// Returns the memory of each segment, reading it if the segment is new, and frees that of other segments.
    pub(crate) fn load(&mut self, searcher: &Searcher) -> tantivy::Result<Vec<Arc<SegmentMemory>>> {
        if self.values.len() > MIN_VALUES.max(MAX_VALUE_GROWTH * self.values_at_rebuild) {
            // Rebuilding the tables changes all value ids, so all columns are read again.
            *self = Self::default();
        }
        let mut memories = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            memories.push(match self.segments.get(&reader.segment_id()) {
                Some(known) => Arc::clone(known),
                None => Arc::new(SegmentMemory::new(SegmentColumns::read(reader, &mut self.values)?)),
            });
        }
        let ids = searcher.segment_readers().iter().map(SegmentReader::segment_id);
        self.segments = ids.zip(memories.iter().cloned()).collect();
        if self.values_at_rebuild == 0 {
            self.values_at_rebuild = self.values.len();
        }
        Ok(memories)
    }

    /// Returns the value tables that the segments refer to.
    pub(crate) fn values(&self) -> &ValueTables {
        &self.values
    }
}
