//! The contract of [`IndexWriter`] and [`SearchIndex`]: a test of each sentence of their documentation, for each index.
//!
//! To test another adapter, implement [`IndexLocation`] and add it to the `on_each!` blocks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod categories;
mod clauses;
mod corrections;
mod facets;
mod filters;
mod forms;
mod joined;
mod kinds;
mod markup;
mod numbers;
mod operators;
mod order;
mod relaxed;
mod restriction;
mod rules;
mod signs;
mod snapshots;
mod versions;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ports::{Applied, IndexMaintenance, IndexWriter, SearchIndex};
use domain::search::{AttributeFilter, Facet, MatchMode, SearchAnswer, SearchRequest};
use domain::{Change, Currency, Product, ProductId, Tombstone, Version};
use opensearch_index::{OpenSearchSearcher, OpenSearchWriter, Options};
use tantivy_index::{SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};

use crate::services;
use crate::support::opensearch_options;

/// The location of an index, which can be closed and opened again.
pub(super) trait IndexLocation {
    type Writer: IndexMaintenance;
    type Searcher: SearchIndex;
    /// Creates the location of an empty index, or returns `None` if there is no server.
    async fn new() -> Option<Self>
    where
        Self: Sized;
    /// Opens the writing side; the first call creates the index.
    async fn writer(&self) -> Self::Writer;
    /// Opens the reading side; any number of them may be open.
    async fn searcher(&self) -> Self::Searcher;
    /// Opens both sides.
    async fn open(&self) -> (Self::Writer, Self::Searcher) {
        (self.writer().await, self.searcher().await)
    }
}

pub(super) struct TantivyFolder(tempfile::TempDir);

impl IndexLocation for TantivyFolder {
    type Writer = TantivyWriter;
    type Searcher = TantivySearcher;

    async fn new() -> Option<Self> {
        Some(Self(tempfile::tempdir().unwrap()))
    }

    async fn writer(&self) -> TantivyWriter {
        TantivyWriter::open(self.0.path(), WriterOptions::default()).unwrap()
    }

    async fn searcher(&self) -> TantivySearcher {
        TantivySearcher::open(self.0.path(), SearcherOptions::default()).unwrap()
    }
}

pub(super) struct OpenSearchAlias(Options);

impl IndexLocation for OpenSearchAlias {
    type Writer = OpenSearchWriter;
    type Searcher = OpenSearchSearcher;

    async fn new() -> Option<Self> {
        let server = services::opensearch().await?;
        Some(Self(opensearch_options(server, &format!("contract-{}", ProductId::generate()))))
    }

    async fn writer(&self) -> OpenSearchWriter {
        OpenSearchWriter::create(&self.0).await.unwrap()
    }

    async fn searcher(&self) -> OpenSearchSearcher {
        OpenSearchSearcher::open(&self.0).await.unwrap()
    }
}

/// Both sides of an index.
pub(super) struct Index {
    pub(super) writer: Box<dyn IndexWriter>,
    pub(super) searcher: Box<dyn SearchIndex>,
}

impl Index {
    /// Opens both sides; the first call creates the index.
    pub(super) async fn open<P: IndexLocation>(location: &P) -> Self
    where
        P::Writer: 'static,
        P::Searcher: 'static,
    {
        Self { writer: Box::new(location.writer().await), searcher: Box::new(location.searcher().await) }
    }

    pub(super) async fn add(&self, products: impl IntoIterator<Item = Product>) {
        let changes: Vec<_> = products.into_iter().map(|product| Change::Create(Arc::new(product))).collect();
        let applied = self.apply(&changes).await;
        assert!(applied.iter().all(|applied| *applied == Applied::Done), "{applied:?}");
    }

    pub(super) async fn apply(&self, changes: &[Change]) -> Vec<Applied> {
        self.writer.apply(changes).await.unwrap()
    }

    pub(super) async fn answer(&self, request: &SearchRequest) -> SearchAnswer {
        self.searcher.search(request).await.unwrap()
    }

    /// Returns the ids of the matches, which must fit one page, in order.
    pub(super) async fn found(&self, request: &SearchRequest) -> Vec<String> {
        let answer = self.answer(request).await;
        assert_eq!(answer.total, answer.hits.len() as u64, "these all fit one page");
        ids(&answer).into_iter().map(str::to_owned).collect()
    }

    /// Returns the ids of the products that have all words.
    pub(super) async fn words(&self, words: &str) -> Vec<String> {
        self.found(&SearchRequest { match_mode: MatchMode::All, ..search_for(words) }).await
    }

    /// Returns the ids of the products that pass the filter, in order.
    pub(super) async fn filtered(&self, filter: impl FnOnce(&mut SearchRequest)) -> Vec<String> {
        let mut request = search_for("");
        filter(&mut request);
        self.found(&request).await
    }
}

pub(super) fn id(text: &str) -> ProductId {
    ProductId::parse(text).unwrap()
}

/// Builds a product at version 1 from the JSON of its content.
#[expect(clippy::needless_pass_by_value, reason = "the calls read better without a reference")]
pub(super) fn product(id_text: &str, json: serde_json::Value) -> Product {
    let content = domain::input::read_product(json.to_string().as_bytes(), Currency::USD).unwrap().content;
    let at = jiff::Timestamp::from_millisecond(1_700_000_000_000).unwrap();
    Product { id: id(id_text), version: Version::FIRST, created_at: at, updated_at: at, content }
}

pub(super) fn named(id: &str, name: &str) -> Product {
    product(id, serde_json::json!({ "name": name }))
}

pub(super) fn at_version(version: u64, mut product: Product) -> Change {
    product.version = Version(version);
    Change::Update(Arc::new(product))
}

pub(super) fn deleted(id_text: &str, version: u64) -> Change {
    Change::Delete(Tombstone { id: id(id_text), version: Version(version), deleted_at: domain::now() })
}

pub(super) fn search_for(words: &str) -> SearchRequest {
    SearchRequest { words: words.to_owned(), ..SearchRequest::all(Currency::USD) }
}

pub(super) fn ids(answer: &SearchAnswer) -> Vec<&str> {
    answer.hits.iter().map(|hit| hit.product.id.as_str()).collect()
}

pub(super) async fn add_shelf(index: &Index) {
    let products = [
        (
            "a",
            r#"{"name":"Beta","brand":"Acme","category":"Home > Lamps > Desk","tags":["red","new"],"price":10,"stock":3,"attributes":{"watt":5,"colour":"red","dim":true}}"#,
        ),
        (
            "b",
            r#"{"name":"alpha","brand":"acme","category":"Home > Lamps","tags":["red"],"price":20.50,"stock":0,"attributes":{"watt":5.5,"colour":["red","blue"]}}"#,
        ),
        (
            "c",
            r#"{"name":"Gamma","brand":"Bolt","category":"Home","tags":["blue"],"price":30,"attributes":{"watt":"5","colour":"Red"}}"#,
        ),
        ("d", r#"{"name":"delta","category":"Lamps","price":10,"currency":"EUR","stock":1}"#),
        ("e", r#"{"name":"beta","stock":9,"attributes":{"watt":-1}}"#),
    ];
    index.add(products.map(|(id, json)| product(id, serde_json::from_str(json).unwrap()))).await;
}

pub(super) fn category(path: &str) -> domain::CategoryPath {
    domain::CategoryPath::parse(path).unwrap()
}

pub(super) fn attribute(key: &str, filters: &[AttributeFilter]) -> BTreeMap<String, Vec<AttributeFilter>> {
    BTreeMap::from([(key.to_owned(), filters.to_vec())])
}

pub(super) fn values(facet: &Facet) -> Vec<(&str, u64)> {
    match facet {
        Facet::Values { values, .. } => {
            values.iter().map(|value| (value.value.as_str(), value.count)).collect()
        }
        Facet::Price(_) => panic!("{facet:?}"),
    }
}
