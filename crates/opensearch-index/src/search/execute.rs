//! Executes searches. One request to OpenSearch returns page, total, facets and the id of the snapshot together.

use domain::ports::{IndexStats, PortError};
use domain::search::{FacetRequest, FacetValue, Hit, SearchAnswer, SearchRequest};
use serde_json::{Map, Value, json};
use text::corrected_query::corrected_query;
use text::highlight::Highlighter;

use crate::layout::schema::{field, state};
use crate::search::facets::aggregation;
use crate::search::interpretation::Interpreter;
use crate::search::left_out::left_out;
use crate::search::matching::has_exact_word;
use crate::search::order::RequestedPage;
use crate::search::plan::SearchPlan;
use crate::search::query_dsl::{all_of, any_of, term};
use crate::search::response::{SearchHit, SearchResponse};
use crate::search::snapshot::Snapshot;

/// The id of the snapshot of an index that has never had a document.
const EMPTY: &str = "empty";

/// The aggregation over the products that the total counts, if it does not count all matches.
const COUNTING: &str = "counting";
/// The aggregation over the whole index, regardless of the query.
const WHOLE_INDEX: &str = "index";
/// Part of [`WHOLE_INDEX`]: the time of the index's creation.
const INDEX_CREATED_AT: &str = "made";
/// Part of [`WHOLE_INDEX`]: the sequence number of the latest write.
const LATEST_WRITE: &str = "change";
/// Part of [`WHOLE_INDEX`]: products inside the restriction that have the last word of the query as a whole word.
const EXACT_LAST_WORD: &str = "itself";
/// Part of [`WHOLE_INDEX`]: visible products inside the restriction with every required word.
const MATCHES: &str = "matches";

/// Runs a search.
pub(super) async fn search(
    snapshot: &Snapshot<'_>,
    request: &SearchRequest,
) -> Result<SearchAnswer, PortError> {
    let page = RequestedPage::new(request, snapshot.language())?;
    let left_out = left_out(snapshot, request).await?;
    let mut plan = SearchPlan::new(request, snapshot, &left_out);
    let interpreter = Interpreter::new(snapshot, request, &left_out);
    let mut response = interpret_and_search(snapshot, &interpreter, &mut plan, &page).await?;
    let listed = response.total();
    let (shown, has_more) = page.page_of(response.hits.hits.len(), listed);
    let (total, relaxed_total) = match plan.counting() {
        None => (listed, None),
        Some(_) => {
            let counting = response.aggregations.remove(COUNTING).unwrap_or_default();
            let total = counting["doc_count"].as_u64().unwrap_or(0);
            (total, Some(listed.saturating_sub(total)))
        }
    };
    let hits = hits(&plan, &response, shown)?;
    let last = hits.last().zip(response.hits.hits.get(shown.saturating_sub(1))).filter(|_| has_more);
    let next = last.map(|(hit, found)| page.cursor_after(hit, found.sort_text(), &plan.query.interpretation));
    let mut facets = Vec::with_capacity(request.facets.len());
    for (position, facet) in request.facets.iter().enumerate() {
        let counted = response.aggregations.remove(&facet_name(position)).unwrap_or_default();
        let counter = plan.facet_counter(snapshot, facet);
        facets.push((facet.clone(), counter.facet(counted, request.facet_values).await?));
    }
    let corrected_query = match count_in_index(&response, MATCHES) {
        0 => None,
        _ => {
            let contents = hits.iter().map(|hit| &hit.product.content);
            corrected_query(&request.words, plan.query.interpreted_words(), contents, snapshot.language())
        }
    };
    let relaxed = plan.query.optional_words(&request.words);
    let snapshot = snapshot_id(&response);
    Ok(SearchAnswer { hits, total, relaxed_total, facets, corrected_query, relaxed, next, snapshot })
}

fn hits(plan: &SearchPlan<'_>, response: &SearchResponse, shown: usize) -> Result<Vec<Hit>, PortError> {
    let words = &plan.query.words;
    let highlighter = Highlighter::new(words.iter().map(|word| (&word.word, !word.candidates.is_empty())));
    let hit = |hit: &SearchHit| {
        let product = hit.product()?;
        let highlights =
            if words.is_empty() { Default::default() } else { highlighter.highlight(&product.content) };
        Ok(Hit { product, score: hit.score(), highlights })
    };
    response.hits.hits.iter().take(shown).map(hit).collect()
}

/// Interprets the words and runs the search. Most words match as typed, which takes one request.
async fn interpret_and_search(
    snapshot: &Snapshot<'_>,
    interpreter: &Interpreter<'_>,
    plan: &mut SearchPlan<'_>,
    page: &RequestedPage<'_>,
) -> Result<SearchResponse, PortError> {
    if let Some(earlier) = page.earlier_interpretation() {
        interpreter.reapply(&mut plan.query, earlier).await?;
    } else {
        let response = snapshot.search(body(plan, page, interpreter)?).await?;
        // Pinned products need not match the words.
        let matches = response.total().saturating_sub(plan.pinned.len() as u64);
        let mut is_changed = plan.query.decide_prefix(count_in_index(&response, EXACT_LAST_WORD));
        is_changed |= interpreter.decide_typos_and_optional(&mut plan.query, matches).await?;
        is_changed |= if plan.query.words.iter().any(|word| word.correction().is_some()) {
            interpreter.decide_kinds(&mut plan.query).await?
        } else {
            let kinds = 0..interpreter.kind_filters(&plan.query).len();
            let counts: Vec<u64> = kinds.map(|at| count_in_index(&response, &kind_name(at))).collect();
            plan.query.decide_kinds(&counts)
        };
        if !is_changed {
            return Ok(response);
        }
    }
    plan.decide_counting(interpreter).await?;
    snapshot.search(body(plan, page, interpreter)?).await
}

/// Returns the values of a facet.
pub(super) async fn facet_values(
    snapshot: &Snapshot<'_>,
    request: &FacetRequest,
) -> Result<Vec<FacetValue>, PortError> {
    let left_out = left_out(snapshot, &request.search).await?;
    let mut plan = SearchPlan::new(&request.search, snapshot, &left_out);
    let interpreter = Interpreter::new(snapshot, &request.search, &left_out);
    interpreter.interpret(&mut plan.query).await?;
    plan.decide_counting(&interpreter).await?;
    plan.facet_counter(snapshot, &request.field).values(&request.prefix, request.limit).await
}

/// Counts the products that are not deleted.
pub(super) async fn stats(snapshot: &Snapshot<'_>) -> Result<IndexStats, PortError> {
    let query = any_of([state::ACTIVE, state::HIDDEN].map(|state| term(field::STATE, state)).into());
    let response = snapshot.search(json!({ "size": 0, "track_total_hits": true, "query": query })).await?;
    Ok(IndexStats { products: response.total(), bytes: None })
}

/// Returns the body of the request.
///
/// A filter on the field of a counted facet must not restrict that facet: it is a `post_filter`, which applies after
/// counting, and every other facet repeats it.
fn body(
    plan: &SearchPlan<'_>,
    page: &RequestedPage<'_>,
    interpreter: &Interpreter<'_>,
) -> Result<Value, PortError> {
    let mut body = Map::new();
    body.insert("query".to_owned(), plan.query(plan.filters_on(|field| !plan.counts(field))));
    body.insert("post_filter".to_owned(), all_of(plan.filters_on(|field| plan.counts(field)).collect()));
    body.insert("track_total_hits".to_owned(), true.into());
    body.insert("track_scores".to_owned(), plan.has_scores().into());
    body.insert("_source".to_owned(), json!([field::PRODUCT]));
    page.add_to(&mut body);
    let mut aggregations = Map::new();
    for (position, facet) in plan.request.facets.iter().enumerate() {
        let others = plan.filters_on(|field| plan.counts(field) && field != facet);
        let others = others.chain(plan.counting().cloned());
        let aggregation = aggregation(facet, plan.request.currency, &all_of(others.collect()))?;
        aggregations.insert(facet_name(position), aggregation);
    }
    if let Some(counting) = plan.counting() {
        let passing = plan.filters_on(|field| plan.counts(field)).chain([counting.clone()]);
        aggregations.insert(COUNTING.to_owned(), json!({ "filter": all_of(passing.collect()) }));
    }
    let whole_index = json!({ "global": {}, "aggs": index_aggregations(plan, interpreter) });
    aggregations.insert(WHOLE_INDEX.to_owned(), whole_index);
    body.insert("aggs".to_owned(), aggregations.into());
    Ok(body.into())
}

/// Returns the aggregations over the whole index.
fn index_aggregations(plan: &SearchPlan<'_>, interpreter: &Interpreter<'_>) -> Value {
    // Every write that changes the index gets the next sequence number.
    let mut aggregations = json!({
        INDEX_CREATED_AT: { "max": { "field": field::INDEX_CREATED_AT } },
        LATEST_WRITE: { "max": { "field": "_seq_no" } },
    });
    if let Some(word) = plan.query.undecided_prefix() {
        aggregations[EXACT_LAST_WORD] = json!({ "filter": interpreter.restricted(has_exact_word(word)) });
    }
    let kinds = interpreter.kind_filters(&plan.query).into_iter().enumerate();
    for (at, filter) in kinds {
        aggregations[kind_name(at)] = json!({ "filter": interpreter.restricted(filter) });
    }
    if plan.query.words.iter().any(|word| word.correction().is_some()) {
        aggregations[MATCHES] = json!({ "filter": interpreter.restricted(interpreter.matches(&plan.query)) });
    }
    aggregations
}

/// Returns the name of the part of [`WHOLE_INDEX`] that counts the products that pass a kind filter.
fn kind_name(position: usize) -> String {
    format!("kind{position}")
}

fn facet_name(position: usize) -> String {
    format!("facet{position}")
}

/// Returns a count over the whole index; 0 if the search did not ask for it.
fn count_in_index(response: &SearchResponse, name: &str) -> u64 {
    let index = response.aggregations.get(WHOLE_INDEX);
    index.and_then(|index| index[name]["doc_count"].as_u64()).unwrap_or(0)
}

fn snapshot_id(response: &SearchResponse) -> String {
    let index = response.aggregations.get(WHOLE_INDEX);
    let max = |name: &str| index.and_then(|index| index[name]["value"].as_f64());
    match (max(INDEX_CREATED_AT), max(LATEST_WRITE)) {
        (Some(created_at), Some(latest)) => format!("{:x}-{:x}", created_at as u64, latest as u64),
        _ => EMPTY.to_owned(),
    }
}
