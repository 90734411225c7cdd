//! The parameters of a comparison.

use std::hash::Hasher as _;
use std::time::Duration;

use domain::ProductId;
use domain::ports::{CompareDepth, Generation};
use fnv::FnvHasher;

/// Parameters of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Comparison {
    /// The generation of the index to compare.
    pub generation: Generation,
    /// The depth: versions only, or whole documents.
    pub depth: CompareDepth,
    /// True to repair differences.
    pub repair: bool,
    /// The time that a difference may last before it counts.
    pub grace_period: Duration,
    /// The sample: one in this number of ids is compared; 1 compares all.
    pub one_in: u64,
}

impl Comparison {
    /// Returns true if the id belongs to the sample. The sample is the same in every comparison.
    pub(super) fn is_sampled(&self, id: &ProductId) -> bool {
        if self.one_in <= 1 {
            return true;
        }
        let mut hash = FnvHasher::default();
        hash.write(id.as_str().as_bytes());
        hash.finish().is_multiple_of(self.one_in)
    }
}
