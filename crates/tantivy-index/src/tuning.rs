//! What a shop decided about a search: products that come first, that are not shown, and that rank higher or lower.

use domain::ProductId;
use domain::search::{Boost, SearchRequest, Sort};
use tantivy::DocId;
use text::score::{PINNED_SCORE, STEP, UNBOOSTED_STEPS, boost_steps};

use crate::filters::{SegmentFilters, Verdict};
use crate::matching::Match;
use crate::schema::STATE_ACTIVE;
use crate::snapshot::{Segment, Snapshot};

/// The products that a shop's rules name, in one snapshot.
#[derive(Default)]
pub(crate) struct Tuned {
    /// The places of products that are not shown: segment and document.
    hidden: Vec<(usize, DocId)>,
    /// Those of products that come first, with their score.
    pinned: Vec<(usize, DocId, u32)>,
}

impl Tuned {
    pub(crate) fn new(request: &SearchRequest, snapshot: &Snapshot) -> tantivy::Result<Self> {
        let tuning = &request.tuning;
        let mut tuned = Self::default();
        for id in &tuning.hidden {
            tuned.hidden.extend(active(id, snapshot)?);
        }
        if request.sort == Sort::Relevance {
            for (at, id) in tuning.pinned.iter().enumerate() {
                let place = active(id, snapshot)?.filter(|place| !tuned.hidden.contains(place));
                let known = place.is_some_and(|(segment, document)| {
                    tuned.pinned.iter().any(|(known, at, _)| (*known, *at) == (segment, document))
                });
                let steps = (PINNED_SCORE / STEP) as u32;
                tuned.pinned.extend(
                    place.filter(|_| !known).map(|(segment, document)| {
                        (segment, document, steps - at as u32 * (1.0 / STEP) as u32)
                    }),
                );
            }
        }
        Ok(tuned)
    }

    /// Takes out what is not shown.
    pub(crate) fn hide(&self, found: &mut Vec<Match>, segment: usize) {
        if self.hidden.iter().any(|(at, _)| *at == segment) {
            found.retain(|found| !self.hidden.contains(&(segment, found.document)));
        }
    }

    /// Whether anything is not shown.
    pub(crate) fn hides(&self) -> bool {
        !self.hidden.is_empty()
    }

    /// Whether a document is not shown.
    pub(crate) fn is_hidden(&self, document: DocId, segment: usize) -> bool {
        self.hidden.contains(&(segment, document))
    }

    /// Puts in what comes first, whether the words found it or not.
    pub(crate) fn pin(&self, found: &mut Vec<Match>, segment: usize) {
        for (_, document, steps) in self.pinned.iter().filter(|(at, ..)| *at == segment) {
            let pinned = Match { document: *document, steps: *steps };
            match found.binary_search_by_key(document, |found| found.document) {
                Ok(at) => found[at] = pinned,
                Err(at) => found.insert(at, pinned),
            }
        }
    }
}

fn active(id: &ProductId, snapshot: &Snapshot) -> tantivy::Result<Option<(usize, DocId)>> {
    let held = snapshot.held(id)?.filter(|(_, _, state)| *state == STATE_ACTIVE);
    Ok(held.map(|(address, ..)| (address.segment_ord as usize, address.doc_id)))
}

/// The boosts of a search in one segment.
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

    /// Moves what passes the filters of a boost. What is pinned stays where it is: this comes before.
    pub(crate) fn apply(&self, found: &mut [Match], segment: &Segment) {
        if self.0.is_empty() {
            return;
        }
        for found in found {
            let passing = self
                .0
                .iter()
                .filter(|(filters, _)| filters.verdict(found.document, segment) == Verdict::Passes);
            let most = UNBOOSTED_STEPS as i32;
            let by = passing.map(|(_, steps)| *steps).fold(0, i32::saturating_add).clamp(-most, most);
            found.steps = found.steps.saturating_add_signed(by);
        }
    }
}
