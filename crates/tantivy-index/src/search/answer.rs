//! Answers one search on one snapshot.

use domain::ports::PortError;
use domain::search::{FacetRequest, FacetValue, Hit, SearchAnswer, SearchRequest};
use text::highlight::Highlighter;

use crate::error::search_error;
use crate::layout::document::stored_product;
use crate::search::correction::corrected_query;
use crate::search::deadline::Deadline;
use crate::search::inside::Inside;
use crate::search::interpretation::InterpretedQuery;
use crate::search::pass::{Matches, Pass};
use crate::search::snapshot::Snapshot;
use crate::search::window::{RankedProduct, Window};

/// Answers a search.
pub(crate) fn search(
    snapshot: &Snapshot,
    request: &SearchRequest,
    deadline: Deadline,
) -> Result<SearchAnswer, PortError> {
    let window = Window::new(request, snapshot)?;
    let inside = Inside::new(&request.restriction, snapshot).map_err(search_error)?;
    let pass =
        Pass { snapshot, request, facets: &request.facets, window: &window, inside: &inside, deadline };
    let (Matches { total, relaxed_total, any_word_matches, products, facets: counters }, query) =
        pass.run()?;
    let (page, has_more) = window.page(products, &snapshot.segments).map_err(search_error)?;
    let hits = load_hits(&page, &query, snapshot).map_err(search_error)?;
    let next = match (has_more, page.last(), hits.last()) {
        (true, Some(last), Some(hit)) => Some(window.cursor(last, &hit.product, &query.interpretation)),
        _ => None,
    };
    let mut facets = Vec::with_capacity(counters.len());
    for (field, counter) in request.facets.iter().zip(counters) {
        facets.push((field.clone(), counter.facet(request.facet_values, snapshot).map_err(search_error)?));
    }
    let corrected_query = match any_word_matches {
        true => corrected_query(request, &query, &hits, snapshot, &inside).map_err(search_error)?,
        false => None,
    };
    Ok(SearchAnswer {
        hits,
        total,
        relaxed_total,
        facets,
        corrected_query,
        relaxed: query.relaxed(&request.words),
        next,
        snapshot: snapshot.name.clone(),
    })
}

/// Loads and highlights the products of a page.
fn load_hits(
    page: &[RankedProduct],
    query: &InterpretedQuery,
    snapshot: &Snapshot,
) -> tantivy::Result<Vec<Hit>> {
    let highlighter =
        Highlighter::new(query.words.iter().map(|word| (&word.word, !word.expansion.corrections.is_empty())));
    let mut hits = Vec::with_capacity(page.len());
    for ranked in page {
        let product = stored_product(&snapshot.searcher, ranked.address)?;
        let highlights =
            if query.words.is_empty() { Default::default() } else { highlighter.highlight(&product.content) };
        hits.push(Hit { product, score: ranked.score, highlights });
    }
    Ok(hits)
}

/// Returns the values of one facet.
pub(crate) fn facet_values(
    snapshot: &Snapshot,
    request: &FacetRequest,
    deadline: Deadline,
) -> Result<Vec<FacetValue>, PortError> {
    let window = Window::empty(&request.search);
    let facets = std::slice::from_ref(&request.field);
    let inside = Inside::new(&request.search.restriction, snapshot).map_err(search_error)?;
    let pass =
        Pass { snapshot, request: &request.search, facets, window: &window, inside: &inside, deadline };
    let (matches, _) = pass.run()?;
    let mut values = Vec::new();
    for counter in matches.facets {
        (values, _) = counter.top_values(&request.prefix, request.limit, snapshot).map_err(search_error)?;
    }
    Ok(values)
}
