//! One search on one snapshot: a single pass over what the words find decides filters, facets, the total and the
//! page.

use std::borrow::Borrow;
use std::sync::Arc;
use std::time::Instant;

use domain::ports::{Indexed, IndexedState, PortError};
use domain::search::{FacetField, FacetRequest, FacetValue, Hit, SearchAnswer, SearchRequest};
use domain::{Product, ProductId, Version};
use tantivy::schema::Value;
use tantivy::{DocAddress, DocId, TantivyDocument, TantivyError};
use text::highlight::{Sought, highlights};
use text::query::{by_telling, leave_out};

use crate::expansion::{QueryWord, corrected, expand};
use crate::facets::{FacetTotals, SegmentCounter};
use crate::filters::{SegmentFilters, Verdict};
use crate::matching::{Match, Ranking, matches};
use crate::order::{Place, SegmentTop, Window};
use crate::pool::out_of_time;
use crate::schema::{STATE_ACTIVE, STATE_HIDDEN};
use crate::snapshot::{Segment, Snapshot};
use crate::writer::port_error;

/// Documents between two looks at the clock.
const DOCUMENTS_BETWEEN_LOOKS: usize = 8192;

/// Answers a search.
pub(crate) fn search(
    snapshot: &Snapshot,
    request: &SearchRequest,
    deadline: Instant,
) -> Result<SearchAnswer, PortError> {
    let window = Window::new(request)?;
    let search = Search { snapshot, request, facets: &request.facets, window: &window, deadline };
    let Answered { found, words, relaxed } = search.run()?;
    let sought = Sought {
        word: |found: &str| words.iter().any(|word| word.finds(found)),
        pair: |pair: &str| words.iter().any(|word| word.word.is_pair(pair)),
    };
    let (places, has_more) = window.page(found.places);
    let mut hits = Vec::with_capacity(places.len());
    for place in &places {
        let product = product_at(snapshot, place.address).map_err(failed)?;
        let highlights = highlights(&product.content, &sought);
        hits.push(Hit { product, score: place.score, highlights });
    }
    let next = match (has_more, places.last(), hits.last()) {
        (true, Some(place), Some(hit)) => Some(window.cursor(place, hit.product.id.clone())),
        _ => None,
    };
    let mut facets = Vec::with_capacity(found.facets.len());
    for (field, totals) in request.facets.iter().zip(found.facets) {
        facets.push((field.clone(), totals.facet(request.facet_values, snapshot).map_err(failed)?));
    }
    let corrected_query = match found.has_matches {
        true => corrected(&request.words, &words, snapshot).map_err(failed)?,
        false => None,
    };
    Ok(SearchAnswer {
        hits,
        total: found.total,
        facets,
        corrected_query,
        relaxed,
        next,
        snapshot: snapshot.name.clone(),
    })
}

/// Answers which values a facet has.
pub(crate) fn facet_values(
    snapshot: &Snapshot,
    request: &FacetRequest,
    deadline: Instant,
) -> Result<Vec<FacetValue>, PortError> {
    let window = Window::none(&request.search);
    let facets = std::slice::from_ref(&request.field);
    let search = Search { snapshot, request: &request.search, facets, window: &window, deadline };
    let mut values = Vec::new();
    for totals in search.run()?.found.facets {
        values = totals.most_frequent(&request.prefix, request.limit, snapshot).map_err(failed)?;
    }
    Ok(values)
}

/// The product of a document.
pub(crate) fn product_at(snapshot: &Snapshot, address: DocAddress) -> tantivy::Result<Arc<Product>> {
    let document: TantivyDocument = snapshot.searcher.doc(address)?;
    let json = document.get_first(snapshot.fields.json).and_then(|value| value.as_bytes());
    let broken =
        |error: String| TantivyError::InternalError(format!("a stored product cannot be read: {error}"));
    let json = json.ok_or_else(|| broken("it is missing".to_owned()))?;
    serde_json::from_slice(json).map(Arc::new).map_err(|error| broken(error.to_string()))
}

/// What the snapshot holds under an id.
pub(crate) fn indexed(snapshot: &Snapshot, id: &ProductId) -> Result<Option<Indexed>, PortError> {
    let Some((address, version, state)) = snapshot.held(id).map_err(failed)? else { return Ok(None) };
    let state = match state {
        STATE_ACTIVE => IndexedState::Active(product_at(snapshot, address).map_err(failed)?),
        STATE_HIDDEN => IndexedState::Hidden,
        _ => IndexedState::Deleted,
    };
    Ok(Some(Indexed { version: Version(version), state }))
}

fn failed(error: TantivyError) -> PortError {
    port_error("searching the index", error)
}

/// A search of the whole index.
struct Search<'a> {
    snapshot: &'a Snapshot,
    request: &'a SearchRequest,
    facets: &'a [FacetField],
    window: &'a Window<'a>,
    deadline: Instant,
}

/// What a search found, and by which words.
struct Answered {
    found: Found,
    words: Vec<QueryWord>,
    /// Words that were left out, as they stand in the query.
    relaxed: Vec<String>,
}

/// What a pass found.
struct Found {
    total: u64,
    /// Whether the words, without the filters, found anything.
    has_matches: bool,
    /// The best of each segment.
    places: Vec<Place>,
    /// In the order of the facets asked for.
    facets: Vec<FacetTotals>,
}

impl Search<'_> {
    /// Searches with all words and, where no product has them all, with those that are left by [`Search::relax`].
    fn run(&self) -> Result<Answered, PortError> {
        let mut words = expand(self.request, self.snapshot).map_err(failed)?;
        let mut found = self.pass(&words)?;
        let mut relaxed = Vec::new();
        if !found.has_matches && words.len() > 1 {
            let kept = self.relax(&words)?;
            if kept.contains(&true) {
                relaxed = leave_out(&mut words, kept, &self.request.words, |word| word.word.at.clone());
                found = self.pass(&words)?;
            }
        }
        Ok(Answered { found, words, relaxed })
    }

    /// Which words to keep, so that some product has them, see [`by_telling`].
    fn relax(&self, words: &[QueryWord]) -> Result<Vec<bool>, PortError> {
        let alone = Ranking::new(1);
        let mut found = Vec::with_capacity(words.len());
        for word in words {
            let matches = self.matches(std::slice::from_ref(word), &alone)?;
            let exact = matches.iter().filter(|found| alone.is_exact(found)).count();
            found.push(if exact > 0 { exact } else { matches.len() } as u64);
        }
        let (mut kept, mut is_kept) = (Vec::new(), vec![false; words.len()]);
        for at in by_telling(&found) {
            kept.push(&words[at]);
            // The first one is found, as was counted.
            if kept.len() > 1 && self.matches(&kept, &Ranking::new(kept.len()))?.is_empty() {
                kept.pop();
            } else {
                is_kept[at] = true;
            }
        }
        Ok(is_kept)
    }

    /// What has all words, whatever the filters say.
    fn matches<W: Borrow<QueryWord>>(&self, words: &[W], ranking: &Ranking) -> Result<Vec<Match>, PortError> {
        let mut all = Vec::new();
        for (number, segment) in self.snapshot.segments.iter().enumerate() {
            if Instant::now() >= self.deadline {
                return Err(out_of_time());
            }
            all.extend(matches(words, ranking, segment, number).map_err(failed)?);
        }
        Ok(all)
    }

    fn pass(&self, words: &[QueryWord]) -> Result<Found, PortError> {
        let ranking = Ranking::new(words.len());
        let facets = self.facets.iter().map(FacetTotals::new).collect();
        let mut found = Found { total: 0, has_matches: false, places: Vec::new(), facets };
        for (number, segment) in self.snapshot.segments.iter().enumerate() {
            let mut pass = SegmentPass::new(self, segment).map_err(failed)?;
            if words.is_empty() {
                self.each_in_time(segment.active(), |document| pass.add(document, || 0.0))?;
            } else {
                let matches = matches(words, &ranking, segment, number).map_err(failed)?;
                self.each_in_time(matches.iter(), |found| {
                    pass.add(found.document, || ranking.score(found));
                })?;
            }
            // tantivy numbers segments with 32 bits.
            pass.finish(&mut found, number as u32).map_err(failed)?;
        }
        Ok(found)
    }

    fn each_in_time<T>(
        &self,
        documents: impl Iterator<Item = T>,
        mut each: impl FnMut(T),
    ) -> Result<(), PortError> {
        for (count, document) in documents.enumerate() {
            if count % DOCUMENTS_BETWEEN_LOOKS == 0 && Instant::now() >= self.deadline {
                return Err(out_of_time());
            }
            each(document);
        }
        Ok(())
    }
}

/// The pass over one segment.
struct SegmentPass<'a> {
    filters: SegmentFilters<'a>,
    /// Each facet with the number of its own field among the filters.
    counters: Vec<(Option<usize>, SegmentCounter<'a>)>,
    top: SegmentTop<'a>,
    total: u64,
    has_matches: bool,
}

impl<'a> SegmentPass<'a> {
    fn new(search: &Search<'a>, segment: &'a Segment) -> tantivy::Result<Self> {
        let filters = SegmentFilters::new(search.request, segment)?;
        let mut counters = Vec::with_capacity(search.facets.len());
        for field in search.facets {
            let counter = SegmentCounter::new(field, search.request.currency, segment)?;
            counters.push((filters.number_of(field), counter));
        }
        let top = SegmentTop::new(search.window, segment)?;
        Ok(Self { filters, counters, top, total: 0, has_matches: false })
    }

    /// Takes a document that the words find. One that passes all filters counts everywhere; one that fails a single
    /// field counts in the facet of that field, which ignores its own filters.
    fn add(&mut self, document: DocId, score: impl FnOnce() -> f32) {
        self.has_matches = true;
        match self.filters.verdict(document) {
            Verdict::Fails => {}
            Verdict::Passes => {
                self.total += 1;
                self.top.add(document, score());
                for (_, counter) in &mut self.counters {
                    counter.add(document);
                }
            }
            Verdict::FailsOnly(failed) => {
                for (own, counter) in &mut self.counters {
                    if *own == Some(failed) {
                        counter.add(document);
                    }
                }
            }
        }
    }

    fn finish(self, found: &mut Found, segment: u32) -> tantivy::Result<()> {
        found.total += self.total;
        found.has_matches |= self.has_matches;
        found.places.extend(self.top.places(segment)?);
        for ((_, counter), totals) in self.counters.into_iter().zip(&mut found.facets) {
            counter.finish(totals, segment)?;
        }
        Ok(())
    }
}
