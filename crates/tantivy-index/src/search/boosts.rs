//! The boosts of a search: rules that rank some products higher or lower.

use domain::search::{Boost, SearchRequest};
use text::score::{UNBOOSTED_STEPS, boost_steps};

use crate::search::filters::{SegmentFilters, Verdict};
use crate::search::ranking::Match;
use crate::search::segment::Segment;
use crate::search::snapshot::Snapshot;

/// The boosts of a search in one segment: the filters of each, and the steps that it adds.
pub(crate) struct SegmentBoosts<'a>(Vec<(SegmentFilters<'a>, i32)>);

impl<'a> SegmentBoosts<'a> {
    pub(crate) fn new(
        request: &'a SearchRequest,
        segment: &'a Segment,
        snapshot: &Snapshot,
    ) -> tantivy::Result<Self> {
        let boost = |boost: &'a Boost| {
            let filters = SegmentFilters::new(&boost.filters, request.currency, segment, &snapshot.values)?;
            Ok((filters, boost_steps(boost.by)))
        };
        Ok(Self(request.tuning.boosts.iter().map(boost).collect::<tantivy::Result<_>>()?))
    }

    /// Adds to the score of each match the boosts whose filters it passes. Must run before pinned products are inserted, which
    /// boosts do not move.
    pub(crate) fn apply(&self, matches: &mut [Match]) {
        if self.0.is_empty() {
            return;
        }
        for found in matches {
            let passing =
                self.0.iter().filter(|(filters, _)| filters.verdict(found.document) == Verdict::Passes);
            let max = UNBOOSTED_STEPS as i32;
            let by = passing.map(|(_, steps)| *steps).fold(0, i32::saturating_add).clamp(-max, max);
            found.steps = found.steps.saturating_add_signed(by);
        }
    }
}
