//! One search: one request that answers page, total, facets and the state of the index together.

use domain::ports::{IndexStats, PortError};
use domain::search::{FacetRequest, FacetValue, Field, Hit, SearchAnswer, SearchRequest};
use serde_json::{Map, Value, json};
use text::highlight::Highlighter;

use crate::answer::Response;
use crate::correction::corrected;
use crate::facets::{Counting, aggregation};
use crate::filters::{Filter, all_of, any_of, filters, is_active, term};
use crate::matching::{has_itself, words_query};
use crate::order::Window;
use crate::reading::{Read, Reader};
use crate::schema::{field, state};
use crate::state::State;
use crate::tuning::{boosted, hidden, pinned};

/// The name of the state of an index in which nothing ever was.
const EMPTY: &str = "empty";

/// A search with its words and filters told apart.
struct Parts<'a> {
    request: &'a SearchRequest,
    read: Read,
    filters: Vec<Filter>,
    pinned: Vec<Value>,
    hidden: Option<Value>,
}

impl<'a> Parts<'a> {
    fn of(request: &'a SearchRequest, state: &State<'_>) -> Self {
        Self {
            request,
            read: Read::as_typed(request, state.language()),
            filters: filters(&request.filters, request.currency),
            pinned: pinned(request),
            hidden: hidden(request),
        }
    }

    /// What is found, among what passes `filters`.
    fn query(&self, filters: impl Iterator<Item = Value>) -> Value {
        let mut query = Map::new();
        let filters: Vec<Value> = std::iter::once(is_active()).chain(filters).collect();
        query.insert("filter".to_owned(), filters.into());
        query.insert("must_not".to_owned(), self.hidden.iter().cloned().collect());
        if self.has_scores() || !self.pinned.is_empty() {
            query.insert("must".to_owned(), self.scored());
        }
        json!({ "bool": query })
    }

    fn scored(&self) -> Value {
        let matching = if !self.read.words.is_empty() {
            words_query(&self.read, boosted(self.request))
        } else if self.has_scores() {
            boosted(self.request)
        } else {
            json!({ "match_all": { "boost": 0.0 } })
        };
        match self.pinned.as_slice() {
            [] => matching,
            // What is pinned has a score above all others, and the best one counts.
            pinned => {
                let queries: Vec<Value> = std::iter::once(matching).chain(pinned.iter().cloned()).collect();
                json!({ "dis_max": { "queries": queries } })
            }
        }
    }

    /// Whether some products match better than others.
    fn has_scores(&self) -> bool {
        !self.read.words.is_empty() || !self.request.tuning.boosts.is_empty()
    }

    /// The filters that pass `keep`.
    fn those(&self, keep: impl Fn(Option<&Field>) -> bool) -> impl Iterator<Item = Value> {
        let kept = self.filters.iter().filter(move |filter| keep(filter.facet.as_ref()));
        kept.map(|filter| filter.query.clone())
    }

    fn counting<'b>(&'b self, state: &'b State<'b>, facet: &'b Field) -> Counting<'b> {
        let query = self.query(self.those(|field| field != Some(facet)));
        Counting { state, facet, currency: self.request.currency, query }
    }
}

/// Answers a search.
pub(crate) async fn search(state: &State<'_>, request: &SearchRequest) -> Result<SearchAnswer, PortError> {
    let window = Window::new(request)?;
    let mut parts = Parts::of(request, state);
    let mut response = read_and_ask(state, &mut parts, &window).await?;
    let total = response.total();
    let (shown, has_more) = window.page(response.hits.hits.len(), total);
    let mut hits = Vec::with_capacity(shown);
    let words = &parts.read.words;
    let highlighter = Highlighter::new(words.iter().map(|word| (&word.word, !word.near.is_empty())));
    for found in response.hits.hits.iter().take(shown) {
        let product = found.product()?;
        let highlights =
            if words.is_empty() { Default::default() } else { highlighter.highlight(&product.content) };
        hits.push(Hit { product, score: found.score(), highlights });
    }
    let last = hits.last().filter(|_| has_more);
    let next = last.map(|last| window.cursor(&last.product, last.score, &parts.read.reading));
    let mut facets = Vec::with_capacity(request.facets.len());
    for (number, facet) in request.facets.iter().enumerate() {
        let counted = response.aggregations.remove(&facet_name(number)).unwrap_or_default();
        let counting = parts.counting(state, facet);
        facets.push((facet.clone(), counting.facet(counted, request.facet_values).await?));
    }
    let corrected_query = match counted(&response, "matches") {
        0 => None,
        _ => corrected(&request.words, words),
    };
    let relaxed = parts.read.relaxed(&request.words);
    let snapshot = snapshot(&response);
    Ok(SearchAnswer { hits, total, facets, corrected_query, relaxed, next, snapshot })
}

/// Reads the words and asks for what they find. Most words are found as they were typed, which one question settles.
async fn read_and_ask(
    state: &State<'_>,
    parts: &mut Parts<'_>,
    window: &Window<'_>,
) -> Result<Response, PortError> {
    let reader = Reader::new(state, parts.request);
    if let Some(before) = window.reading() {
        reader.take(&mut parts.read, before).await?;
    } else {
        let response = state.search(body(parts, window, &reader)).await?;
        let found = response.total().saturating_sub(parts.pinned.len() as u64);
        let mut is_other = parts.read.settle_beginning(counted(&response, "itself"));
        is_other |= reader.decide(&mut parts.read, found).await?;
        if !is_other {
            return Ok(response);
        }
    }
    state.search(body(parts, window, &reader)).await
}

/// Answers which values a facet has.
pub(crate) async fn facet_values(
    state: &State<'_>,
    request: &FacetRequest,
) -> Result<Vec<FacetValue>, PortError> {
    let mut parts = Parts::of(&request.search, state);
    Reader::new(state, &request.search).read(&mut parts.read).await?;
    parts.counting(state, &request.field).values(&request.prefix, request.limit).await
}

/// Counts what is not deleted.
pub(crate) async fn stats(index: &State<'_>) -> Result<IndexStats, PortError> {
    let query = any_of([state::ACTIVE, state::HIDDEN].map(|state| term(field::STATE, state)).into());
    let response = index.search(json!({ "size": 0, "track_total_hits": true, "query": query })).await?;
    Ok(IndexStats { products: response.total(), bytes: None })
}

fn body(parts: &Parts<'_>, window: &Window<'_>, reader: &Reader<'_>) -> Value {
    // A filter whose facet is counted must not hide anything from that facet: it comes after counting.
    let request = parts.request;
    let is_counted = |field: Option<&Field>| field.is_some_and(|field| request.facets.contains(field));
    let mut body = Map::new();
    body.insert("query".to_owned(), parts.query(parts.those(|field| !is_counted(field))));
    body.insert("post_filter".to_owned(), all_of(parts.those(is_counted).collect()));
    body.insert("track_total_hits".to_owned(), true.into());
    body.insert("track_scores".to_owned(), parts.has_scores().into());
    body.insert("_source".to_owned(), json!([field::PRODUCT]));
    window.add_to(&mut body);
    let mut aggregations = Map::new();
    for (number, facet) in request.facets.iter().enumerate() {
        let filter = all_of(parts.those(|field| is_counted(field) && field != Some(facet)).collect());
        aggregations.insert(facet_name(number), aggregation(facet, request.currency, &filter));
    }
    // Whatever is written gets the next number, and only when it is new.
    let mut index = json!({
        "made": { "max": { "field": field::MADE } },
        "change": { "max": { "field": "_seq_no" } },
    });
    if let Some(word) = parts.read.maybe_beginning() {
        index["itself"] = json!({ "filter": has_itself(word) });
    }
    if parts.read.words.iter().any(|word| word.meant().is_some()) {
        index["matches"] = json!({ "filter": reader.matches(&parts.read) });
    }
    aggregations.insert("index".to_owned(), json!({ "global": {}, "aggs": index }));
    body.insert("aggs".to_owned(), aggregations.into());
    body.into()
}

fn facet_name(number: usize) -> String {
    format!("facet{number}")
}

/// What was counted of the whole index under this name; 0 where nothing was asked.
fn counted(response: &Response, name: &str) -> u64 {
    let index = response.aggregations.get("index");
    index.and_then(|index| index[name]["doc_count"].as_u64()).unwrap_or(0)
}

fn snapshot(response: &Response) -> String {
    let newest =
        |name: &str| response.aggregations.get("index").and_then(|index| index[name]["value"].as_f64());
    match (newest("made"), newest("change")) {
        (Some(made), Some(change)) => format!("{:x}-{:x}", made as u64, change as u64),
        _ => EMPTY.to_owned(),
    }
}
