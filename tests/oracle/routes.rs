//! A client with a filter gets the same answers as if there were no other products. Each read route is called on an index with
//! all products under a random filter, and on an index that has only the products that pass it. The response cache is on, and
//! clients with other filters send the same requests in between.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::ports::{IndexWriter, SearchIndex};
use domain::search::{Condition, Field, Restriction, SearchRequest};
use domain::{Change, Currency, Language, Product};
use fastrand::Rng;
use search_parameters::{Endpoint, ParsedSearch, read, read_filter, write};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::catalogue::{random_facet, random_products, random_request, random_restriction};
use super::reference::is_inside;
use crate::support::{Searched, Searches, indexes, scaled};

const PRODUCTS: usize = 120;
const ROUNDS: u64 = 12;
const REQUESTS: usize = 40;
/// The most pages that are followed by cursor.
const PAGES: usize = 4;
/// The longest filter of a key or a tenant token.
const MAX_FILTER_BYTES: usize = 2000;
/// Rules that pin products inside and outside, and boost.
const RULES: &str = "version = 1\n[[pin]]\nquery = \"red\"\nproducts = [\"p1\", \"p2\", \"p3\", \"p4\", \"p5\"]\n\
                     [[pin]]\nquery = \"lamp\"\nproducts = [\"p6\", \"p7\", \"p8\", \"p9\"]\n";

/// A client: its filter, and the read side with only the products that it may find.
struct Client {
    filters: Vec<String>,
    restriction: Restriction,
    alone: Searches,
    _folder: TempDir,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_tantivy_answers_a_filtered_client_as_if_there_were_no_other_products() {
    for seed in 0..scaled(ROUNDS, 3) {
        let (_folder, writer, searcher) = indexes::tantivy(Language::English);
        compare_routes(&writer, Arc::new(searcher), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_opensearch_answers_a_filtered_client_as_if_there_were_no_other_products() {
    for seed in 0..scaled(ROUNDS, 2) {
        let Some((writer, searcher)) = indexes::opensearch("routes", Language::English).await else { return };
        compare_routes(&writer, Arc::new(searcher), seed).await;
    }
}

async fn compare_routes(writer: &dyn IndexWriter, index: Arc<dyn SearchIndex>, seed: u64) {
    let mut random = Rng::with_seed(seed);
    let products = random_products(PRODUCTS, &mut random);
    fill(writer, products.iter().cloned()).await;
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    std::fs::write(&rules, RULES).unwrap();
    let all = Searches::of(index, Some(&rules));
    let mut clients = vec![client(Restriction::default(), &products, &rules).await];
    while clients.len() < 4 {
        if let Some(restriction) = as_read(&random_restriction(&mut random)) {
            clients.push(client(restriction, &products, &rules).await);
        }
    }
    for number in 0..REQUESTS {
        let request = random_route(&products, &mut random);
        // Twice each, so that the second answer may come from the cache.
        for client in clients.iter().chain(&clients) {
            let context = format!("seed {seed}, request {number}, as {:?}: {request:?}", client.filters);
            compare_one(&all, client, &request, &products, &context).await;
        }
    }
}

async fn fill(writer: &dyn IndexWriter, products: impl Iterator<Item = Arc<Product>>) {
    let changes: Vec<Change> = products.map(Change::Create).collect();
    writer.apply(&changes).await.unwrap();
}

/// Returns the restriction as it is read back from its text; `None` if a condition has no text or too long a text.
fn as_read(restriction: &Restriction) -> Option<Restriction> {
    let mut read = Restriction::default();
    for text in texts(restriction) {
        let is_short = text.len() <= MAX_FILTER_BYTES;
        read = read.and(&read_filter(&text, Currency::USD).ok().filter(|_| is_short)?);
    }
    Some(read)
}

fn texts(restriction: &Restriction) -> Vec<String> {
    let text = |Condition { filters, currency }: &Condition| {
        let request = SearchRequest { filters: filters.clone(), ..SearchRequest::all(*currency) };
        write(Endpoint::Filter, &ParsedSearch::of(request))
    };
    restriction.conditions().iter().map(text).collect()
}

async fn client(restriction: Restriction, products: &[Arc<Product>], rules: &std::path::Path) -> Client {
    let (folder, writer, searcher) = indexes::tantivy(Language::English);
    fill(&writer, products.iter().filter(|product| is_inside(product, &restriction)).cloned()).await;
    let alone = Searches::of(Arc::new(searcher), Some(rules));
    Client { filters: texts(&restriction), restriction, alone, _folder: folder }
}

/// A request to a read route.
#[derive(Debug)]
enum Route {
    Get(String),
    /// Of this product.
    Similar(usize, String),
    Explain(usize, String),
    Post(Value),
}

fn random_route(products: &[Arc<Product>], random: &mut Rng) -> Route {
    // No parameter expresses a clause.
    let request = SearchRequest { clauses: Vec::new(), ..random_request(random) };
    let query = |endpoint| write(endpoint, &ParsedSearch { limit: 5, ..ParsedSearch::of(request.clone()) });
    let product = random.usize(..products.len());
    match random.u8(..10) {
        0 | 1 => Route::Get(format!("/products/suggest?{}", query(Endpoint::Suggest))),
        2 => {
            let field =
                Some(random_facet(random)).filter(|field| *field != Field::Price).unwrap_or(Field::Brand);
            Route::Get(format!("/products/facets/{field}?{}", query(Endpoint::FacetValues)))
        }
        3 => Route::Similar(product, query(Endpoint::Similar)),
        4 => Route::Explain(product, query(Endpoint::Explain)),
        5 => {
            let one = json!({"query": request.words, "facets": ["brand", "category"], "pageSize": 3});
            let other = json!({"query": request.words, "inStock": true, "explain": true, "sortBy": "name"});
            Route::Post(if random.bool() { json!({ "searches": [one, other] }) } else { one })
        }
        _ => {
            let further = ["", "&explain=true", "&facets=*"][random.usize(..3)];
            Route::Get(format!("/products/search?{}{further}", query(Endpoint::Search)))
        }
    }
}

async fn compare_one(
    all: &Searches,
    client: &Client,
    route: &Route,
    products: &[Arc<Product>],
    context: &str,
) {
    let filters: Vec<&str> = client.filters.iter().map(String::as_str).collect();
    match route {
        Route::Post(body) => {
            let (found, expected) = (all.post(&filters, body).await, client.alone.post(&[], body).await);
            assert_same(&found, &expected, context);
        }
        Route::Get(path) => {
            let mut cursors = None;
            for _ in 0..PAGES {
                let at = |cursor: Option<&String>| match cursor {
                    Some(cursor) => format!("{path}&cursor={cursor}"),
                    None => path.clone(),
                };
                let (own, other) = cursors.as_ref().map(|(own, other)| (own, other)).unzip();
                let found = all.get(&filters, &at(own)).await;
                let expected = client.alone.get(&[], &at(other)).await;
                assert_same(&found, &expected, context);
                if path.starts_with("/products/search") {
                    assert_tag_is_of_this_client(&found, all, path, context).await;
                }
                let next = |answer: &Searched| answer.json()["nextCursor"].as_str().map(str::to_owned);
                cursors = next(&found).zip(next(&expected));
                let Some((own, _)) = &cursors else { break };
                assert_cursor_is_of(client, own, all, path, context).await;
            }
        }
        Route::Similar(at, query) | Route::Explain(at, query) => {
            let (product, is_explain) = (&products[*at], matches!(route, Route::Explain(..)));
            let name = if is_explain { "explain" } else { "similar" };
            let path = format!("/products/{}/{name}?{query}", product.id);
            let found = all.get(&filters, &path).await;
            if is_explain && !client.filters.is_empty() && !is_findable(product, client) {
                // A fault of the parameters comes first.
                let is_readable = read(Endpoint::Explain, query, Currency::USD).is_ok();
                assert_eq!(found.status, if is_readable { 404 } else { 400 }, "{context}");
                let unknown = all.get(&filters, &format!("/products/nothing/explain?{query}")).await;
                let detail = unknown.text.replace("nothing", product.id.as_str());
                assert_eq!(found.text, detail, "{context}");
            } else {
                assert_same(&found, &client.alone.get(&[], &path).await, context);
            }
        }
    }
}

fn is_findable(product: &Product, client: &Client) -> bool {
    domain::search::is_searchable(product) && is_inside(product, &client.restriction)
}

/// Checks that two answers are equal except for the duration, the filters in the cursor, and the headers.
fn assert_same(found: &Searched, expected: &Searched, context: &str) {
    assert_eq!(lasting(found.json()), lasting(expected.json()), "{context}");
    assert_eq!(found.status, expected.status, "{context}");
}

fn lasting(mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("took");
        if let Some(cursor) = fields.get_mut("nextCursor") {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor.as_str().unwrap()).unwrap();
            let mut place: Value = serde_json::from_slice(&bytes).unwrap();
            place.as_object_mut().unwrap().remove("f");
            *cursor = place;
        }
        let results = fields.get_mut("results").and_then(Value::as_array_mut);
        results.into_iter().flatten().for_each(|result| *result = lasting(result.take()));
    }
    answer
}

/// Checks that the entity tag of this answer is of no use to a client with another filter.
async fn assert_tag_is_of_this_client(found: &Searched, all: &Searches, path: &str, context: &str) {
    let Some(tag) = found.headers.get("etag").filter(|_| found.status == 200) else { return };
    let private = found.headers["cache-control"].to_str().unwrap().starts_with("private");
    assert!(private, "{context}");
    let request = Request::get(path).header("if-none-match", tag).body(Body::empty()).unwrap();
    let other = all.send(&["brand=nobody"], request).await;
    assert_eq!((other.status, other.json()["total"].as_u64()), (200, Some(0)), "{context}");
}

/// Checks that a client with another filter cannot use the cursor.
async fn assert_cursor_is_of(client: &Client, cursor: &str, all: &Searches, path: &str, context: &str) {
    for filters in [&["brand=nobody"][..], &[], &["brand=nobody", "brand=nobody"]] {
        if filters.is_empty() && client.filters.is_empty() {
            continue;
        }
        let refused = all.get(filters, &format!("{path}&cursor={cursor}")).await;
        assert_eq!(refused.status, 400, "{context}: {refused:?}");
        assert_eq!(refused.json()["errors"][0]["field"], "cursor", "{context}");
    }
}
