//! One search on one snapshot: a single pass over what the words find decides filters, facets, the total and the
//! page.

use std::sync::Arc;
use std::time::Instant;

use domain::ports::{Indexed, IndexedState, PortError};
use domain::search::{
    FacetRequest, FacetValue, Field, Hit, QueryInterpretation, SearchAnswer, SearchRequest,
};
use domain::{Product, ProductId, Version};
use tantivy::schema::OwnedValue;
use tantivy::schema::document::{DeserializeError, DocumentDeserialize, DocumentDeserializer};
use tantivy::{DocAddress, DocId, Searcher, TantivyError};
use text::highlight::Highlighter;
use text::query::Query;
use text::score::UNBOOSTED_STEPS;

use crate::correction::corrected;
use crate::facets::{self, FacetCounter};
use crate::filters::{SegmentFilters, Verdict};
use crate::matching::{Match, score};
use crate::order::{Place, SegmentTop, Window};
use crate::pool::out_of_time;
use crate::reading::{Read, Reader};
use crate::schema::{STATE_ACTIVE, STATE_HIDDEN};
use crate::snapshot::{Segment, Snapshot};
use crate::tuning::{SegmentBoosts, Tuned};
use crate::worker::port_error;

/// Answers a search.
pub(crate) fn search(
    snapshot: &Snapshot,
    request: &SearchRequest,
    deadline: Instant,
) -> Result<SearchAnswer, PortError> {
    let window = Window::new(request)?;
    let search = Search { snapshot, request, facets: &request.facets, window: &window, deadline };
    let Answered { found, read } = search.run()?;
    let highlighter =
        Highlighter::new(read.words.iter().map(|word| (&word.word, !word.expansion.near.is_empty())));
    let (places, has_more) = window.page(found.places, &snapshot.segments).map_err(failed)?;
    let mut hits = Vec::with_capacity(places.len());
    for place in &places {
        let product = product_at(snapshot, place.address).map_err(failed)?;
        let highlights =
            if read.words.is_empty() { Default::default() } else { highlighter.highlight(&product.content) };
        hits.push(Hit { product, score: place.score, highlights });
    }
    let next = match (has_more, places.last(), hits.last()) {
        (true, Some(place), Some(hit)) => Some(window.cursor(place, hit.product.id.clone(), &read.reading)),
        _ => None,
    };
    let mut facets = Vec::with_capacity(found.facets.len());
    for (field, counter) in request.facets.iter().zip(found.facets) {
        facets.push((field.clone(), counter.facet(request.facet_values, snapshot).map_err(failed)?));
    }
    let corrected_query = match found.has_matches {
        true => corrected(request, &read.words, snapshot).map_err(failed)?,
        false => None,
    };
    Ok(SearchAnswer {
        hits,
        total: found.total,
        facets,
        corrected_query,
        relaxed: read.relaxed(&request.words),
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
    for counter in search.run()?.found.facets {
        values = counter.most_frequent(&request.prefix, request.limit, snapshot).map_err(failed)?;
    }
    Ok(values)
}

/// The product of a document.
pub(crate) fn product_at(snapshot: &Snapshot, address: DocAddress) -> tantivy::Result<Arc<Product>> {
    let json = stored_json(&snapshot.searcher, address)?;
    let broken =
        |error: String| TantivyError::InternalError(format!("a stored product cannot be read: {error}"));
    let json = json.ok_or_else(|| broken("it is missing".to_owned()))?;
    serde_json::from_slice(&json).map(Arc::new).map_err(|error| broken(error.to_string()))
}

/// The product of a document as JSON; none in what search does not find.
pub(crate) fn stored_json(searcher: &Searcher, address: DocAddress) -> tantivy::Result<Option<Vec<u8>>> {
    let StoredJson(json) = searcher.doc(address)?;
    Ok(json)
}

/// The only field that is stored. tantivy's own document would take several steps more.
struct StoredJson(Option<Vec<u8>>);

impl DocumentDeserialize for StoredJson {
    fn deserialize<'de, D: DocumentDeserializer<'de>>(mut stored: D) -> Result<Self, DeserializeError> {
        let mut json = None;
        while let Some((_, value)) = stored.next_field::<OwnedValue>()? {
            if let OwnedValue::Bytes(bytes) = value {
                json = Some(bytes);
            }
        }
        Ok(Self(json))
    }
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

/// The version that the index holds under an id; no stored product is read for it.
pub(crate) fn version(snapshot: &Snapshot, id: &ProductId) -> Result<Option<Version>, PortError> {
    Ok(snapshot.held(id).map_err(failed)?.map(|(_, version, _)| Version(version)))
}

pub(crate) fn failed(error: TantivyError) -> PortError {
    port_error("searching the index", error)
}

/// A search of the whole index.
struct Search<'a> {
    snapshot: &'a Snapshot,
    request: &'a SearchRequest,
    facets: &'a [Field],
    window: &'a Window<'a>,
    deadline: Instant,
}

/// What a search found, and by which words.
struct Answered {
    found: Found,
    read: Read,
}

/// What a pass found.
struct Found {
    total: u64,
    /// Whether the words, without the filters, found anything.
    has_matches: bool,
    /// The best of each segment.
    places: Vec<Place>,
    /// In the order of the facets asked for.
    facets: Vec<FacetCounter>,
}

impl<'a> Search<'a> {
    fn run(&self) -> Result<Answered, PortError> {
        let tuned = Tuned::new(self.request, self.snapshot).map_err(failed)?;
        let query = Query::new(self.request, self.snapshot.language);
        let mut read = if query.words.is_empty() {
            self.everything(&tuned)?
        } else {
            let (snapshot, is_prefix_query) = (self.snapshot, self.request.is_prefix_query);
            let reader = Reader { snapshot, tuned: &tuned, is_prefix_query, deadline: self.deadline };
            reader.read(self.request, query, self.window.reading())?
        };
        let found = self.pass(&mut read.found, &tuned)?;
        Ok(Answered { found, read })
    }

    /// What is found without words: all active products, none better than the others.
    fn everything(&self, tuned: &Tuned) -> Result<Read, PortError> {
        // Without boosts the score is 0; with them there must be room below.
        let steps = if self.request.tuning.boosts.is_empty() { 0 } else { UNBOOSTED_STEPS };
        let mut found = Vec::with_capacity(self.snapshot.segments.len());
        for (number, segment) in self.snapshot.segments.iter().enumerate() {
            self.check_time()?;
            let documents = segment.active().filter(|document| !tuned.is_hidden(*document, number));
            found.push(documents.map(|document| Match { document, steps }).collect());
        }
        Ok(Read { words: Vec::new(), reading: QueryInterpretation::default(), found })
    }

    /// Filters, counts and orders what was found.
    fn pass(&self, matches: &mut [Vec<Match>], tuned: &Tuned) -> Result<Found, PortError> {
        let counter = |field| FacetCounter::new(field, self.request.currency, &self.snapshot.values);
        let facets = self.facets.iter().map(counter).collect::<Result<_, _>>()?;
        let mut found = Found {
            total: 0,
            has_matches: matches.iter().any(|found| !found.is_empty()),
            places: Vec::new(),
            facets,
        };
        for (number, (segment, matches)) in self.snapshot.segments.iter().zip(matches).enumerate() {
            self.check_time()?;
            let boosts = SegmentBoosts::new(self.request, segment, self.snapshot).map_err(failed)?;
            boosts.apply(matches, segment);
            tuned.pin(matches, number);
            // tantivy numbers segments with 32 bits.
            self.pass_segment(matches, segment, number as u32, &mut found).map_err(failed)?;
        }
        Ok(found)
    }

    /// A product that passes all filters counts everywhere; one that fails a single field counts in the facet of that
    /// field, which ignores its own filters.
    fn pass_segment(
        &self,
        matches: &[Match],
        segment: &'a Segment,
        number: u32,
        found: &mut Found,
    ) -> tantivy::Result<()> {
        if matches.is_empty() {
            return Ok(());
        }
        let filters = &self.request.filters;
        let filters = SegmentFilters::new(filters, self.request.currency, segment, &self.snapshot.values)?;
        let mut top = SegmentTop::new(self.window, segment)?;
        let mut passing = Vec::with_capacity(matches.len());
        let own: Vec<Option<usize>> = self.facets.iter().map(|field| filters.number_of(field)).collect();
        let mut failing_only: Vec<Vec<DocId>> = own.iter().map(|_| Vec::new()).collect();
        for found in matches {
            match filters.verdict(found.document, segment) {
                Verdict::Passes => passing.push(*found),
                Verdict::FailsOnly(failed) => {
                    for (own, documents) in own.iter().zip(&mut failing_only) {
                        if *own == Some(failed) {
                            documents.push(found.document);
                        }
                    }
                }
                Verdict::Fails => {}
            }
        }
        found.total += passing.len() as u64;
        passing.iter().for_each(|found| top.add(found.document, score(found.steps)));
        found.places.extend(top.places(number)?);
        if found.facets.is_empty() {
            return Ok(());
        }
        let passing: Vec<DocId> = passing.iter().map(|found| found.document).collect();
        facets::count(&mut found.facets, &passing, &failing_only, segment, number)
    }

    fn check_time(&self) -> Result<(), PortError> {
        if Instant::now() >= self.deadline { Err(out_of_time()) } else { Ok(()) }
    }
}
