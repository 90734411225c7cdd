//! Merging segments. A search repeats each lookup for every segment, so an index that is not written to should have few.
//!
//! tantivy merges segments of similar size while it writes. In addition, once nothing has been written for a second, the
//! writer merges the remaining small segments in the background. A large segment is not rewritten for a few documents.

use std::time::Duration;

use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{FutureResult, IndexWriter};

use crate::layout::folder::GenerationFolder;
use crate::write::options::WriterOptions;

/// The pause in writing after which small segments are merged.
pub(super) const IDLE_BEFORE_MERGE: Duration = Duration::from_secs(1);
/// The share of deleted documents from which a segment is rewritten.
const DELETED_RATIO_BEFORE_MERGE: f32 = 0.25;
/// The number of segments of similar size that tantivy merges into one.
const SEGMENTS_PER_MERGE: usize = 8;

/// Opens tantivy's writer with the merge policy of this crate.
pub(super) fn open_writer(
    folder: &GenerationFolder,
    options: &WriterOptions,
) -> tantivy::Result<IndexWriter> {
    let tantivy_options = IndexWriterOptions::builder()
        .memory_budget_per_thread(options.heap_bytes)
        .num_worker_threads(options.threads)
        .num_merge_threads(1)
        .build();
    let writer = folder.index.writer_with_options(tantivy_options)?;
    let mut policy = LogMergePolicy::default();
    policy.set_del_docs_ratio_before_merge(DELETED_RATIO_BEFORE_MERGE);
    policy.set_min_num_segments(SEGMENTS_PER_MERGE);
    writer.set_merge_policy(Box::new(policy));
    Ok(writer)
}

/// Starts to merge the smallest segments that are similar in size. Returns `None` if there are fewer than two.
pub(super) fn start_merge(
    folder: &GenerationFolder,
    writer: &mut IndexWriter,
) -> tantivy::Result<Option<FutureResult<Option<SegmentMeta>>>> {
    let mut segments: Vec<_> = folder.index.searchable_segment_metas()?;
    segments.sort_unstable_by_key(SegmentMeta::num_docs);
    let count = count_similar(&segments.iter().map(SegmentMeta::num_docs).collect::<Vec<_>>());
    let ids: Vec<SegmentId> = segments[..count].iter().map(SegmentMeta::id).collect();
    Ok((ids.len() > 1).then(|| writer.merge(&ids)))
}

/// Returns the number of segments, from the smallest on, that are similar in size: each has at most 4 times the documents of all
/// smaller ones together. `documents` has the size of each segment, in ascending order.
fn count_similar(documents: &[u32]) -> usize {
    const MAX_RATIO: u64 = 4;
    let mut smaller = 0;
    let is_similar = |documents: &&u32| {
        let documents = u64::from(**documents);
        let is_similar = smaller == 0 || documents <= MAX_RATIO * smaller;
        smaller += documents;
        is_similar
    };
    documents.iter().take_while(is_similar).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_similar_size_are_merged_and_large_ones_left_alone() {
        assert_eq!(count_similar(&[]), 0);
        assert_eq!(count_similar(&[1000]), 1);
        assert_eq!(count_similar(&[10, 1000]), 1);
        assert_eq!(count_similar(&[10, 30, 160, 100_000]), 3);
        assert_eq!(count_similar(&[24_000; 11]), 11);
    }
}
