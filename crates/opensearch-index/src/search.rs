//! One search: one request that answers page, total, facets and the state of the index together.

use domain::Currency;
use domain::ports::{IndexStats, PortError};
use domain::search::{FacetField, FacetRequest, FacetValue, Hit, SearchAnswer, SearchRequest};
use serde_json::{Map, Value, json};
use text::highlight::{Marks, highlights};
use text::query::{Query, Word, leave_out};

use crate::answer::{Response, search as ask};
use crate::client::Client;
use crate::correction::corrected;
use crate::facets::{Counting, aggregation};
use crate::filters::{Filter, all_of, any_of, filters, is_active, term};
use crate::matching::words_query;
use crate::order::Window;
use crate::relaxation::words_to_keep;
use crate::schema::{field, state};

/// The name of the state of an index in which nothing ever was.
const EMPTY: &str = "empty";

/// A search with its words and filters told apart.
struct Parts {
    words: Vec<Word>,
    filters: Vec<Filter>,
}

impl Parts {
    fn of(request: &SearchRequest, client: &Client) -> Self {
        Self { words: Query::of(request, client.language).words, filters: filters(request) }
    }

    /// Leaves out the words that keep anything from being found, and answers them as they stand in the query.
    async fn relax(&mut self, client: &Client, query: &str) -> Result<Vec<String>, PortError> {
        let kept = words_to_keep(client, &self.words).await?;
        Ok(leave_out(&mut self.words, kept, query, |word| word.at.clone()))
    }

    /// What the words find, among what passes `filters`.
    fn query(&self, filters: impl Iterator<Item = Value>) -> Value {
        let mut query = Map::new();
        if !self.words.is_empty() {
            query.insert("must".to_owned(), json!([words_query(&self.words)]));
        }
        let filters: Vec<Value> = std::iter::once(is_active()).chain(filters).collect();
        query.insert("filter".to_owned(), filters.into());
        json!({ "bool": query })
    }

    /// The filters that pass `keep`.
    fn those(&self, keep: impl Fn(Option<&FacetField>) -> bool) -> impl Iterator<Item = Value> {
        let kept = self.filters.iter().filter(move |filter| keep(filter.facet.as_ref()));
        kept.map(|filter| filter.query.clone())
    }

    fn counting<'a>(&self, client: &'a Client, facet: &'a FacetField, currency: Currency) -> Counting<'a> {
        let query = self.query(self.those(|field| field != Some(facet)));
        Counting { client, facet, currency, query }
    }
}

/// Answers a search.
pub(crate) async fn search(client: &Client, request: &SearchRequest) -> Result<SearchAnswer, PortError> {
    let window = Window::new(request)?;
    let mut parts = Parts::of(request, client);
    let mut response = ask(client, body(request, &parts, &window)).await?;
    let mut relaxed = Vec::new();
    if response.total() == 0 {
        relaxed = parts.relax(client, &request.words).await?;
        if !relaxed.is_empty() {
            response = ask(client, body(request, &parts, &window)).await?;
        }
    }
    let total = response.total();
    let (shown, has_more) = window.page(response.hits.hits.len(), total);
    let mut hits = Vec::with_capacity(shown);
    let marks = Marks::new(parts.words.iter().map(|word| (word, true)));
    for found in response.hits.hits.iter().take(shown) {
        let product = found.product()?;
        let highlights =
            if parts.words.is_empty() { Default::default() } else { highlights(&product.content, &marks) };
        hits.push(Hit { product, score: found.score(), highlights });
    }
    let next = hits.last().filter(|_| has_more).map(|last| window.cursor(&last.product, last.score));
    let mut facets = Vec::with_capacity(request.facets.len());
    for (number, facet) in request.facets.iter().enumerate() {
        let counted = response.aggregations.remove(&facet_name(number)).unwrap_or_default();
        let counting = parts.counting(client, facet, request.currency);
        facets.push((facet.clone(), counting.facet(counted, request.facet_values).await?));
    }
    let corrected_query = corrected(client, &request.words, &parts.words, &hits).await?;
    let snapshot = snapshot(&response);
    Ok(SearchAnswer { hits, total, facets, corrected_query, relaxed, next, snapshot })
}

/// Answers which values a facet has.
pub(crate) async fn facet_values(
    client: &Client,
    request: &FacetRequest,
) -> Result<Vec<FacetValue>, PortError> {
    let mut parts = Parts::of(&request.search, client);
    let values = async |parts: &Parts| {
        let counting = parts.counting(client, &request.field, request.search.currency);
        counting.values(&request.prefix, request.limit).await
    };
    let found = values(&parts).await?;
    if !found.is_empty() || parts.relax(client, &request.search.words).await?.is_empty() {
        return Ok(found);
    }
    values(&parts).await
}

/// Counts what is not deleted.
pub(crate) async fn stats(client: &Client) -> Result<IndexStats, PortError> {
    let query = any_of([state::ACTIVE, state::HIDDEN].map(|state| term(field::STATE, state)).into());
    let response = ask(client, json!({ "size": 0, "track_total_hits": true, "query": query })).await?;
    Ok(IndexStats { products: response.total(), bytes: None })
}

fn body(request: &SearchRequest, parts: &Parts, window: &Window<'_>) -> Value {
    // A filter whose facet is counted must not hide anything from that facet: it comes after counting.
    let is_counted = |field: Option<&FacetField>| field.is_some_and(|field| request.facets.contains(field));
    let mut body = Map::new();
    body.insert("query".to_owned(), parts.query(parts.those(|field| !is_counted(field))));
    body.insert("post_filter".to_owned(), all_of(parts.those(is_counted).collect()));
    body.insert("track_total_hits".to_owned(), true.into());
    body.insert("track_scores".to_owned(), (!parts.words.is_empty()).into());
    body.insert("_source".to_owned(), json!([field::PRODUCT]));
    window.add_to(&mut body);
    let mut aggregations = Map::new();
    for (number, facet) in request.facets.iter().enumerate() {
        let filter = all_of(parts.those(|field| is_counted(field) && field != Some(facet)).collect());
        aggregations.insert(facet_name(number), aggregation(facet, request.currency, &filter));
    }
    // Whatever is written gets the next number, and only when it is new.
    aggregations.insert(
        "index".to_owned(),
        json!({ "global": {}, "aggs": {
        "made": { "max": { "field": field::MADE } },
        "change": { "max": { "field": "_seq_no" } },
    } }),
    );
    body.insert("aggs".to_owned(), aggregations.into());
    body.into()
}

fn facet_name(number: usize) -> String {
    format!("facet{number}")
}

fn snapshot(response: &Response) -> String {
    let newest =
        |name: &str| response.aggregations.get("index").and_then(|index| index[name]["value"].as_f64());
    match (newest("made"), newest("change")) {
        (Some(made), Some(change)) => format!("{:x}-{:x}", made as u64, change as u64),
        _ => EMPTY.to_owned(),
    }
}
