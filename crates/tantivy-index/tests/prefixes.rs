//! Prefixes of more words than a prefix stands for.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use domain::ports::{IndexWriter, SearchIndex};
use domain::search::SearchRequest;
use domain::{Change, Currency, Product, ProductId, Version};
use tantivy_index::{SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};

/// Creates a product with a unique code that begins with `n`; every thirtieth also has the word `night`.
fn product(number: usize) -> Change {
    let night = if number.is_multiple_of(30) { "night" } else { "day" };
    let json = format!(r#"{{"name":"n{number}z {night}"}}"#);
    let content = domain::input::read_product(json.as_bytes(), Currency::USD).unwrap().content;
    let (id, at) = (ProductId::parse(&format!("p{number}")).unwrap(), domain::now());
    Change::Create(Arc::new(Product { id, version: Version::FIRST, created_at: at, updated_at: at, content }))
}

#[tokio::test]
async fn the_most_frequent_words_are_found_in_every_segment() {
    const PRODUCTS: usize = 9000;
    let folder = tempfile::tempdir().unwrap();
    let writer = TantivyWriter::open(folder.path(), WriterOptions::default()).unwrap();
    // Several segments, each with more codes than a prefix stands for.
    for part in (0..PRODUCTS).collect::<Vec<_>>().chunks(3000) {
        let changes: Vec<Change> = part.iter().map(|number| product(*number)).collect();
        writer.apply(&changes).await.unwrap();
    }
    let searcher = TantivySearcher::open(folder.path(), SearcherOptions::default()).unwrap();
    let total = async |words: &str| {
        let request = SearchRequest { words: words.to_owned(), ..SearchRequest::all(Currency::USD) };
        searcher.search(&request).await.unwrap().total
    };
    assert_eq!(total("night").await, 300);
    let found = total("n").await;
    assert!((999..=999 + 300).contains(&found), "a thousand words, one of them in 300 products: {found}");
    let both = total("night n").await;
    assert_eq!(both, 300, "every product with the most frequent word is among them");
    assert_eq!(total("day n1000").await, 1);
    assert_eq!(total("n10").await, 1 + 10 + 100);
}
