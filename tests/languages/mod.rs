//! What queries in Japanese, Chinese and Korean find in one index with products in these languages and in English.
//!
//! `products.ndjson` has the products. Each line of `queries.tsv` has a query, the products that it must find, those that
//! it must not find, `*` for all others, and, where it needs saying, why.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::input::read_product;
use domain::ports::{Applied, IndexWriter, SearchIndex};
use domain::search::{Need, Page, PageStart, SearchRequest};
use domain::{Change, Currency, Product, ProductId, Version};

use crate::support::indexes;

/// What one line of the list says.
struct Expectation {
    line: usize,
    query: &'static str,
    found: BTreeSet<&'static str>,
    not_found: NotFound,
}

enum NotFound {
    These(BTreeSet<&'static str>),
    AllOthers,
}

#[tokio::test]
async fn queries_find_in_tantivy_what_they_must() {
    let (_folder, writer, searcher) = indexes::tantivy();
    check(&writer, &searcher).await;
}

#[tokio::test]
async fn queries_find_in_opensearch_what_they_must() {
    let Some((writer, searcher)) = indexes::opensearch("languages").await else { return };
    check(&writer, &searcher).await;
}

/// Fills an empty index with the products and compares what each query finds.
async fn check(writer: &dyn IndexWriter, index: &dyn SearchIndex) {
    let products = products();
    let ids: BTreeSet<String> = products.iter().map(|product| product.id.to_string()).collect();
    let changes: Vec<Change> =
        products.into_iter().map(|product| Change::Create(Arc::new(product))).collect();
    assert!(writer.apply(&changes).await.unwrap().iter().all(|applied| *applied == Applied::Done));
    let mut faults = Vec::new();
    for expectation in expectations() {
        let known = |id: &&str| ids.contains(*id);
        assert!(expectation.found.iter().all(known), "line {} names no product", expectation.line);
        let found = found(index, expectation.query).await;
        faults.extend(expectation.fault(&found));
    }
    assert!(faults.is_empty(), "{} queries:\n{}", faults.len(), faults.join("\n"));
}

/// The ids found by all words of the query.
async fn found(index: &dyn SearchIndex, query: &str) -> BTreeSet<String> {
    let page = Page { start: PageStart::Number(1), size: 100 };
    let request =
        SearchRequest { words: query.to_owned(), need: Need::All, page, ..SearchRequest::all(Currency::USD) };
    let answer = index.search(&request).await.unwrap();
    answer.hits.iter().map(|hit| hit.product.id.to_string()).collect()
}

impl Expectation {
    fn fault(&self, found: &BTreeSet<String>) -> Option<String> {
        let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        let missing: Vec<_> = self.found.difference(&found).collect();
        let wrong: Vec<_> = match &self.not_found {
            NotFound::These(these) => these.intersection(&found).collect(),
            NotFound::AllOthers => found.difference(&self.found).collect(),
        };
        let is_right = missing.is_empty() && wrong.is_empty();
        (!is_right).then(|| {
            format!("line {}: {} misses {missing:?}, wrongly finds {wrong:?}", self.line, self.query)
        })
    }
}

fn products() -> Vec<Product> {
    let mut products = Vec::new();
    for line in include_str!("products.ndjson").lines() {
        let input =
            read_product(line.as_bytes(), Currency::USD).unwrap_or_else(|error| panic!("{line}: {error:?}"));
        let at = domain::now();
        products.push(Product {
            id: ProductId::parse(input.id.unwrap().as_str()).unwrap(),
            version: Version::FIRST,
            created_at: at,
            updated_at: at,
            content: input.content,
        });
    }
    assert!(products.len() >= 40, "the products were read");
    products
}

fn expectations() -> Vec<Expectation> {
    let mut expectations = Vec::new();
    for (number, line) in include_str!("queries.tsv").lines().enumerate().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let &[query, found, not_found, _because] = columns.as_slice() else {
            panic!("line {} has not four columns", number + 1)
        };
        let not_found = match not_found {
            "*" => NotFound::AllOthers,
            these => NotFound::These(these.split_whitespace().collect()),
        };
        let found = found.split_whitespace().collect();
        expectations.push(Expectation { line: number + 1, query, found, not_found });
    }
    assert!(expectations.len() >= 60, "the queries were read");
    expectations
}
