//! The single pass over the matches of a search, which applies filters, counts facets and the total, and selects the first products.

use domain::ports::PortError;
use domain::search::{Field, QueryInterpretation, SearchRequest};
use tantivy::DocId;
use text::query::Query;
use text::score::UNBOOSTED_STEPS;

use crate::error::search_error;
use crate::search::boosts::SegmentBoosts;
use crate::search::deadline::Deadline;
use crate::search::facets::{self, FacetCounter};
use crate::search::filters::{SegmentFilters, Verdict};
use crate::search::inside::Inside;
use crate::search::interpretation::{InterpretedQuery, Interpreter};
use crate::search::left_out::LeftOut;
use crate::search::pinned_and_hidden::PinnedAndHidden;
use crate::search::ranking::Match;
use crate::search::segment::Segment;
use crate::search::snapshot::Snapshot;
use crate::search::top::SegmentTop;
use crate::search::window::{RankedProduct, Window};

/// A search of all segments of a snapshot.
pub(crate) struct Pass<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) request: &'a SearchRequest,
    pub(crate) facets: &'a [Field],
    pub(crate) window: &'a Window<'a>,
    pub(crate) inside: &'a Inside<'a>,
    pub(crate) deadline: Deadline,
}

/// The result of a pass.
pub(crate) struct Matches {
    /// The number of products that count. They are inside the restriction and pass the filters. If some words are optional and any of
    /// these products has every word, only those with every word and pinned ones count.
    pub(crate) total: u64,
    /// The number of other products that match some of the words and pass the filters; `None` if all matches count.
    pub(crate) relaxed_total: Option<u64>,
    /// True if any product inside the restriction matches the words, regardless of filters.
    pub(crate) any_word_matches: bool,
    /// The first products of each segment.
    pub(crate) products: Vec<RankedProduct>,
    /// The counts of the facets, in the order of [`Pass::facets`].
    pub(crate) facets: Vec<FacetCounter>,
}

impl<'a> Pass<'a> {
    /// Interprets the query and runs the search.
    pub(crate) fn run(&self) -> Result<(Matches, InterpretedQuery), PortError> {
        let left_out = LeftOut::new(self.request, self.snapshot, self.deadline)?;
        let rules = PinnedAndHidden::find(self.request, self.snapshot, self.inside, left_out);
        let rules = rules.map_err(search_error)?;
        let query = Query::new(self.request, self.snapshot.language);
        let mut query = if query.words.is_empty() {
            self.match_everything(&rules)?
        } else {
            let (snapshot, is_prefix_query) = (self.snapshot, self.request.is_prefix_query);
            let interpreter =
                Interpreter { snapshot, rules: &rules, is_prefix_query, deadline: self.deadline };
            interpreter.interpret(self.request, query, self.window.interpretation())?
        };
        let matches = self.visit(&mut query, &rules)?;
        Ok((matches, query))
    }

    /// Matches all active products equally, for a query without words.
    fn match_everything(&self, rules: &PinnedAndHidden<'_>) -> Result<InterpretedQuery, PortError> {
        // The score is 0, but boosts may lower it, so with boosts it starts higher.
        let steps = if self.request.tuning.boosts.is_empty() { 0 } else { UNBOOSTED_STEPS };
        let mut matches = Vec::with_capacity(self.snapshot.segments.len());
        for segment in &self.snapshot.segments {
            self.deadline.check()?;
            let documents = segment.active().filter(|document| !rules.is_hidden(*document, segment));
            let mut all = Vec::with_capacity(segment.reader.num_docs() as usize);
            all.extend(documents.map(|document| Match { document, steps }));
            matches.push(all);
        }
        let interpretation = QueryInterpretation::default();
        Ok(InterpretedQuery { words: Vec::new(), interpretation, matches, complete: None })
    }

    /// Visits the matches of each segment. Applies boosts and pinned products to them.
    fn visit(&self, query: &mut InterpretedQuery, rules: &PinnedAndHidden<'_>) -> Result<Matches, PortError> {
        let mut complete = query.complete.take();
        if let Some(all) = &complete
            && !self.any_passes(all).map_err(search_error)?
        {
            complete = None;
        }
        let matches = &mut query.matches;
        let counter = |field| FacetCounter::new(field, self.request.currency, &self.snapshot.values);
        let mut result = Matches {
            total: 0,
            relaxed_total: complete.as_ref().map(|_| 0),
            any_word_matches: matches.iter().any(|matches| !matches.is_empty()),
            products: Vec::new(),
            facets: self.facets.iter().map(counter).collect::<Result<_, _>>()?,
        };
        for (segment, matches) in self.snapshot.segments.iter().zip(matches) {
            self.deadline.check()?;
            let boosts = SegmentBoosts::new(self.request, segment, self.snapshot).map_err(search_error)?;
            boosts.apply(matches);
            rules.insert_pinned(matches, segment);
            let counts = complete.as_mut().map(|complete| {
                let mut counts = std::mem::take(&mut complete[segment.number as usize]);
                // Pinned products count, whether or not they have the words.
                let before = counts.len();
                counts.extend(rules.pinned_in(segment));
                if counts.len() > before {
                    counts.sort_unstable();
                    counts.dedup();
                }
                counts
            });
            let matches = std::mem::take(matches);
            self.visit_segment(matches, counts.as_deref(), segment, &mut result).map_err(search_error)?;
        }
        Ok(result)
    }

    /// Returns true if any of the documents, by segment, passes the filters.
    fn any_passes(&self, documents: &[Vec<DocId>]) -> tantivy::Result<bool> {
        for (segment, documents) in self.snapshot.segments.iter().zip(documents) {
            let filters = self.filters(segment)?;
            if documents.iter().any(|document| filters.pass(*document)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn filters(&self, segment: &'a Segment) -> tantivy::Result<SegmentFilters<'a>> {
        SegmentFilters::of_request(self.request, segment, &self.snapshot.values)
    }

    /// Visits the matches of a segment. `counts` are the documents that count in the total and in facets, ascending and each once; `None`
    /// if all do.
    fn visit_segment(
        &self,
        mut matches: Vec<Match>,
        counts: Option<&[DocId]>,
        segment: &'a Segment,
        result: &mut Matches,
    ) -> tantivy::Result<()> {
        if matches.is_empty() {
            return Ok(());
        }
        let filters = self.filters(segment)?;
        let own: Vec<Option<usize>> = self.facets.iter().map(|field| filters.position(field)).collect();
        let mut failing_only: Vec<Vec<DocId>> = own.iter().map(|_| Vec::new()).collect();
        if !filters.is_empty() {
            let is_counted = |document| counts.is_none_or(|counts| counts.binary_search(&document).is_ok());
            matches.retain(|found| match filters.verdict(found.document) {
                Verdict::Passes => true,
                Verdict::FailsOnly(position) => {
                    if own.contains(&Some(position)) && is_counted(found.document) {
                        for (own, documents) in own.iter().zip(&mut failing_only) {
                            if *own == Some(position) {
                                documents.push(found.document);
                            }
                        }
                    }
                    false
                }
                Verdict::Fails => false,
            });
        }
        let mut top = SegmentTop::new(self.window, segment)?;
        top.add_all(&matches);
        result.products.extend(top.into_products()?);
        let counted: Vec<DocId> = match counts {
            None => matches.iter().map(|found| found.document).collect(),
            // These are few: with many, no word would be optional.
            Some(counts) => counts.iter().copied().filter(|document| is_in(*document, &matches)).collect(),
        };
        result.total += counted.len() as u64;
        if let Some(relaxed) = &mut result.relaxed_total {
            *relaxed += (matches.len() - counted.len()) as u64;
        }
        if result.facets.is_empty() {
            return Ok(());
        }
        facets::count_segment(&mut result.facets, &counted, &failing_only, segment)
    }
}

/// Returns true if the document is one of the matches, which are ascending.
fn is_in(document: DocId, matches: &[Match]) -> bool {
    matches.binary_search_by_key(&document, |found| found.document).is_ok()
}
