//! Merging segments. A search repeats each lookup for every segment, so an index that is not written to should have few.
//!
//! tantivy merges segments of similar size while it writes: small ones soon, large ones late. An import writes large segments, and
//! would otherwise spend a sixth of its time on merging what it has just written. Once nothing has been written for a second, the
//! writer merges the remaining segments of similar size in the background. A large segment is not rewritten for a few documents.

use std::time::Duration;

use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy, MergeCandidate, MergePolicy};
use tantivy::{FutureResult, IndexWriter};

use crate::layout::folder::GenerationFolder;
use crate::write::options::WriterOptions;

/// The pause in writing after which small segments are merged.
pub(super) const IDLE_BEFORE_MERGE: Duration = Duration::from_secs(1);
/// The share of deleted documents from which a segment is rewritten.
const DELETED_RATIO_BEFORE_MERGE: f32 = 0.25;
/// The number of documents from which a segment is large.
const LARGE_SEGMENT: u32 = 5000;
/// The number of small segments that are merged into one. Single writes make small segments, which slow down searches meanwhile.
const SMALL_PER_MERGE: usize = 8;
/// The number of large segments of similar size that are merged into one.
const LARGE_PER_MERGE: usize = 24;
/// The binary logarithm of the ratio up to which the sizes of large segments count as similar.
const LARGE_LEVEL_LOG2: f64 = 2.0;

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
    writer.set_merge_policy(Box::new(MergeLargeLate::new()));
    Ok(writer)
}

/// Merges small segments and large ones separately, see the [module](self).
#[derive(Debug)]
struct MergeLargeLate {
    small: LogMergePolicy,
    large: LogMergePolicy,
}

impl MergeLargeLate {
    fn new() -> Self {
        let policy = |segments| {
            let mut policy = LogMergePolicy::default();
            policy.set_del_docs_ratio_before_merge(DELETED_RATIO_BEFORE_MERGE);
            policy.set_min_num_segments(segments);
            policy.set_min_layer_size(LARGE_SEGMENT);
            policy
        };
        let mut large = policy(LARGE_PER_MERGE);
        large.set_level_log_size(LARGE_LEVEL_LOG2);
        Self { small: policy(SMALL_PER_MERGE), large }
    }
}

impl MergePolicy for MergeLargeLate {
    fn compute_merge_candidates(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        let (large, small): (Vec<_>, Vec<_>) =
            segments.iter().cloned().partition(|segment| segment.num_docs() >= LARGE_SEGMENT);
        let mut candidates = self.small.compute_merge_candidates(&small);
        candidates.extend(self.large.compute_merge_candidates(&large));
        candidates
    }
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

/// Returns the number of segments to merge, from the smallest on. The largest of them has at most 4 times the documents of all smaller
/// ones together; a tiny segment does not keep the others apart. `documents` has the size of each segment, in ascending order.
fn count_similar(documents: &[u32]) -> usize {
    const MAX_RATIO: u64 = 4;
    let (mut smaller, mut count) = (0, 0);
    for (at, documents) in documents.iter().enumerate() {
        if at == 0 || u64::from(*documents) <= MAX_RATIO * smaller {
            count = at + 1;
        }
        smaller += u64::from(*documents);
    }
    count
}

#[cfg(test)]
mod tests {
    use domain::Language;
    use tantivy::TantivyDocument;

    use super::*;

    /// Returns the number of segments after commits of some documents each.
    fn segments(commits: usize, documents: u32) -> usize {
        let dir = tempfile::tempdir().unwrap();
        let folder = GenerationFolder::open(dir.path(), Language::default()).unwrap();
        let mut writer = open_writer(&folder, &WriterOptions::default()).unwrap();
        for _ in 0..commits {
            for id in 0..documents {
                let mut document = TantivyDocument::new();
                document.add_text(folder.fields.id, id.to_string());
                writer.add_document(document).unwrap();
            }
            writer.commit().unwrap();
        }
        writer.wait_merging_threads().unwrap();
        folder.index.searchable_segment_metas().unwrap().len()
    }

    #[test]
    fn small_segments_are_merged_soon_and_large_ones_late() {
        assert!(segments(10, 1) < SMALL_PER_MERGE);
        assert_eq!(segments(10, LARGE_SEGMENT), 10);
    }

    #[test]
    fn segments_of_similar_size_are_merged_and_large_ones_left_alone() {
        assert_eq!(count_similar(&[]), 0);
        assert_eq!(count_similar(&[1000]), 1);
        assert_eq!(count_similar(&[10, 1000]), 1);
        assert_eq!(count_similar(&[10, 30, 160, 100_000]), 3);
        assert_eq!(count_similar(&[24_000; 11]), 11);
        assert_eq!(count_similar(&[153, 16_828, 16_835, 16_860, 300_000]), 4, "the last one is large");
        assert_eq!(count_similar(&[153, 16_828, 16_835, 16_860, 150_000]), 5);
    }
}
