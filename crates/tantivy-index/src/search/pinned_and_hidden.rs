//! The products that a shop's rules pin to the top of a search or hide from it, those that the operators of the query leave out,
//! and those that the client may not find.

use domain::ProductId;
use domain::search::{SearchRequest, Sort};
use tantivy::{DocAddress, DocId};
use text::score::{PINNED_SCORE, STEP};

use crate::layout::schema::STATE_ACTIVE;
use crate::search::inside::Inside;
use crate::search::left_out::LeftOut;
use crate::search::ranking::Match;
use crate::search::segment::Segment;
use crate::search::snapshot::Snapshot;

/// The products that the rules for one search pin or hide, as documents of one snapshot. Products outside the restriction and
/// those that the query leaves out are hidden, too.
pub(crate) struct PinnedAndHidden<'a> {
    pub(crate) inside: &'a Inside<'a>,
    hidden: Vec<DocAddress>,
    left_out: LeftOut,
    /// The pinned documents with their scores, in units of [`STEP`].
    pinned: Vec<(DocAddress, u32)>,
}

impl<'a> PinnedAndHidden<'a> {
    /// Looks up the documents:
    ///
    /// 1. A product that is both pinned and hidden is hidden.
    /// 2. A product that is pinned twice has the first of its positions.
    /// 3. Products are pinned only if the request sorts by relevance, and only inside the restriction.
    pub(crate) fn find(
        request: &SearchRequest,
        snapshot: &Snapshot,
        inside: &'a Inside<'a>,
        left_out: LeftOut,
    ) -> tantivy::Result<Self> {
        const FIRST: u32 = (PINNED_SCORE / STEP) as u32;
        const DISTANCE: u32 = (1.0 / STEP) as u32;
        let mut rules = Self { inside, hidden: Vec::new(), left_out, pinned: Vec::new() };
        for id in &request.tuning.hidden {
            rules.hidden.extend(find_active(id, snapshot)?);
        }
        if request.sort == Sort::Relevance {
            for (id, position) in request.tuning.pinned.iter().zip(0..) {
                let Some(address) = find_active(id, snapshot)? else { continue };
                let is_pinned = rules.pinned.iter().any(|(pinned, _)| *pinned == address);
                let segment = &snapshot.segments[address.segment_ord as usize];
                if !is_pinned && !rules.is_hidden(address.doc_id, segment) {
                    rules.pinned.push((address, FIRST - position * DISTANCE));
                }
            }
        }
        Ok(rules)
    }

    /// Removes hidden products from the matches of a segment.
    pub(crate) fn remove_hidden(&self, matches: &mut Vec<Match>, segment: &Segment) {
        let has_hidden = self.hidden.iter().any(|hidden| hidden.segment_ord == segment.number);
        if has_hidden || self.inside.is_restricted() || !self.left_out.is_empty() {
            matches.retain(|found| !self.is_hidden(found.document, segment));
        }
    }

    /// Returns true if any product may be hidden.
    pub(crate) fn has_hidden(&self) -> bool {
        self.inside.is_restricted() || !self.hidden.is_empty() || !self.left_out.is_empty()
    }

    /// Returns true if this product is hidden.
    pub(crate) fn is_hidden(&self, document: DocId, segment: &Segment) -> bool {
        !self.inside.has(document, segment)
            || self.hidden.contains(&segment.address(document))
            || self.left_out.has(document, segment)
    }

    /// Returns the pinned products of a segment.
    pub(crate) fn pinned_in(&self, segment: &Segment) -> impl Iterator<Item = DocId> {
        let pinned = self.pinned.iter().filter(|(pinned, _)| pinned.segment_ord == segment.number);
        pinned.map(|(pinned, _)| pinned.doc_id)
    }

    /// Inserts pinned products into the matches of a segment, whether or not they match the words.
    pub(crate) fn insert_pinned(&self, matches: &mut Vec<Match>, segment: &Segment) {
        for (address, steps) in self.pinned.iter().filter(|(pinned, _)| pinned.segment_ord == segment.number)
        {
            let pinned = Match { document: address.doc_id, steps: *steps };
            match matches.binary_search_by_key(&pinned.document, |found| found.document) {
                Ok(at) => matches[at] = pinned,
                Err(at) => matches.insert(at, pinned),
            }
        }
    }
}

fn find_active(id: &ProductId, snapshot: &Snapshot) -> tantivy::Result<Option<DocAddress>> {
    let found = snapshot.find(id)?.filter(|found| found.state == STATE_ACTIVE);
    Ok(found.map(|found| found.address))
}
