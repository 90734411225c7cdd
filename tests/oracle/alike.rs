//! Both indexes match, rank, count, highlight and correct alike, also under a shop's rules.
//!
//! Each product is written once: the document frequency, which includes deleted products until a merge, decides which
//! of two misspellings comes first.

use std::sync::Arc;

use domain::ports::{IndexWriter, SearchIndex};
use domain::search::{
    Condition, Filters, MatchMode, Page, PageStart, Restriction, SearchAnswer, SearchRequest,
};
use domain::{Change, Currency, Language, Product};

use super::catalogue::{random_products, random_request, random_restriction, random_tuning, real_products};
use crate::support::indexes;

/// Sizes of catalogues, from so small that searches allow typos to so large that they need no prefixes or optional words.
const PRODUCTS: [usize; 3] = [40, 150, 600];
const REQUESTS: usize = 60;
const PAGES: usize = 3;

#[tokio::test]
async fn opensearch_and_tantivy_answer_alike() {
    for products in PRODUCTS {
        let mut random = fastrand::Rng::with_seed(products as u64);
        let catalogue = random_products(products, &mut random);
        let requests = (0..REQUESTS).map(|_| {
            let mut request = random_request(&mut random);
            request.match_mode =
                *random.choice(&[MatchMode::Most, MatchMode::Most, MatchMode::All, MatchMode::Any]).unwrap();
            if random.bool() {
                request.tuning = random_tuning(products, &mut random);
            }
            request.restriction = random_restriction(&mut random);
            request
        });
        compare(&catalogue, requests.collect()).await;
    }
}

#[tokio::test]
async fn opensearch_and_tantivy_answer_alike_about_real_products() {
    let Some(products) = real_products(3000) else {
        println!("there is no ../shared/data/icecat.ndjson.gz beside the checkout");
        return;
    };
    let mut random = fastrand::Rng::with_seed(7);
    let asking =
        |words, restriction| SearchRequest { words, restriction, ..SearchRequest::all(Currency::USD) };
    let requests = (0..REQUESTS).map(|_| {
        let name = &random.choice(&products).unwrap().content.name;
        let words: Vec<&str> = name.split_whitespace().collect();
        let start = random.usize(..words.len());
        let mut words: Vec<char> =
            words[start..words.len().min(start + random.usize(1..4))].join(" ").chars().collect();
        if random.bool() && words.len() > 2 {
            let at = random.usize(1..words.len() - 1);
            words.swap(at, at + 1);
        }
        asking(words.into_iter().collect(), brand_of_some(&products, &mut random))
    });
    compare(&products, requests.collect()).await;
}

/// Returns a restriction to the brand of a random product, or none.
fn brand_of_some(products: &[Arc<Product>], random: &mut fastrand::Rng) -> Restriction {
    let brand = random.choice(products).and_then(|product| product.content.brand.clone());
    match brand.filter(|_| random.bool()) {
        None => Restriction::default(),
        Some(brand) => {
            let filters = Filters { brand: vec![brand], ..Filters::default() };
            Restriction::to(vec![Condition { filters, currency: Currency::USD }])
        }
    }
}

/// Fills both indexes and compares their answers.
async fn compare(products: &[Arc<Product>], requests: Vec<SearchRequest>) {
    let Some((writer, opensearch)) = indexes::opensearch("alike", Language::English).await else { return };
    let (_folder, tantivy_writer, tantivy) = indexes::tantivy(Language::English);
    for part in products.chunks(1000) {
        let changes: Vec<Change> = part.iter().cloned().map(Change::Create).collect();
        writer.apply(&changes).await.unwrap();
        tantivy_writer.apply(&changes).await.unwrap();
    }
    let (mut found, mut corrected, mut relaxed) = (0, 0, 0);
    for request in requests {
        let mut start = request.page.start.clone();
        for _ in 0..PAGES {
            let page = Page { start, size: request.page.size };
            let request = SearchRequest { page, ..request.clone() };
            let expected = answer(&tantivy, &request).await;
            assert_eq!(answer(&opensearch, &request).await, expected, "{request:?}");
            found += expected.hits.len();
            corrected += usize::from(expected.corrected_query.is_some());
            relaxed += usize::from(!expected.relaxed.is_empty());
            let Some(next) = expected.next else { break };
            start = PageStart::After(next);
        }
    }
    assert!(
        found >= REQUESTS / 2 && corrected > 0 && relaxed > 0,
        "{found} found, {corrected} corrected, {relaxed} relaxed"
    );
}

/// Returns the answer without the snapshot, which differs between indexes.
async fn answer(index: &dyn SearchIndex, request: &SearchRequest) -> SearchAnswer {
    SearchAnswer { snapshot: String::new(), ..index.search(request).await.unwrap() }
}
