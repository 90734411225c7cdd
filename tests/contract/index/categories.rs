//! Products with several categories.

use domain::search::{
    Boost, Condition, FacetRequest, Field, Filters, MatchMode, Restriction, SearchRequest, Tuning,
};
use domain::{Currency, Product};
use serde_json::json;

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, category, product, search_for, values};
use crate::support::on_each;

fn with_categories(id: &str, categories: &[&str]) -> Product {
    product(id, json!({ "name": "Thing", "categories": categories }))
}

/// Adds products in two batches, of which the first has none with several categories.
async fn add_shelf(index: &Index) {
    index.add([with_categories("a", &["Home > Lamps > Desk"]), with_categories("b", &[])]).await;
    index
        .add([
            with_categories("c", &["Home > Lamps", "Home > Tables", "Sale"]),
            with_categories("d", &["Home > Lamps > Desk", "Home", "Home > Lamps"]),
            with_categories("e", &["Sale > Home"]),
            with_categories("f", &["Home & Co", "Home > Lamps"]),
        ])
        .await;
}

fn within(paths: &[&str]) -> Filters {
    Filters { category: paths.iter().map(|path| category(path)).collect(), ..Filters::default() }
}

async fn a_filter_finds_a_product_by_any_of_its_categories(index: &Index) {
    add_shelf(index).await;
    for (paths, found) in [
        (&["Home"][..], &["a", "c", "d", "f"][..]),
        (&["Home > Lamps"], &["a", "c", "d", "f"]),
        (&["Home > Lamps > Desk"], &["a", "d"]),
        (&["Home > Tables"], &["c"]),
        (&["Sale"], &["c", "e"]),
        (&["Sale > Home", "Home & Co"], &["e", "f"]),
        (&["Lamps"], &[]),
    ] {
        assert_eq!(index.filtered(|request| request.filters = within(paths)).await, found, "{paths:?}");
        let restriction =
            Restriction::to(vec![Condition { filters: within(paths), currency: Currency::USD }]);
        let inside = index.filtered(|request| request.restriction = restriction).await;
        assert_eq!(inside, found, "a restriction to {paths:?}");
        let boosts = vec![Boost { filters: within(paths), by: 1.0 }];
        let mut boosted = search_for("thing");
        boosted.tuning = Tuning { boosts, ..Tuning::default() };
        let mut first = index.found(&boosted).await;
        first.truncate(found.len());
        assert_eq!(first, found, "a boost of {paths:?}");
    }
}

async fn a_product_counts_once_for_each_category_and_each_above_it(index: &Index) {
    add_shelf(index).await;
    let mut request = search_for("");
    request.facets = vec![Field::Category];
    let counts = [
        ("Home", 4),
        ("Home > Lamps", 4),
        ("Home > Lamps > Desk", 2),
        ("Sale", 2),
        ("Home & Co", 1),
        ("Home > Tables", 1),
        ("Sale > Home", 1),
    ];
    assert_eq!(values(&index.answer(&request).await.facets[0].1), counts);
    request.filters = within(&["Sale"]);
    assert_eq!(values(&index.answer(&request).await.facets[0].1), counts, "its own filter does not count");
    let facet = FacetRequest { search: request, field: Field::Category, prefix: "lamps".into(), limit: 9 };
    let found = index.searcher.facet_values(&facet).await.unwrap();
    let found: Vec<_> = found.iter().map(|value| (value.value.as_str(), value.count)).collect();
    assert_eq!(found, counts[1..3]);
}

async fn a_further_category_adds_its_words_and_changes_no_other(index: &Index) {
    let lamp = |id: &str, categories: &[&str]| {
        product(id, json!({ "name": "Akari", "tags": ["paper"], "categories": categories }))
    };
    index
        .add([
            lamp("a", &["Home > Desk lamps"]),
            lamp("b", &["Home > Desk lamps", "Office > Desk lamps", "Outdoor"]),
        ])
        .await;
    for words in ["home", "lamps", "desk lamps", "desklamps", "paper", "akari", "akari lamp paper"] {
        let request = SearchRequest { match_mode: MatchMode::All, ..search_for(words) };
        let answer = index.answer(&request).await;
        let scores: Vec<f32> = answer.hits.iter().map(|hit| hit.score).collect();
        assert!(scores.len() == 2 && scores[0] == scores[1], "{words}: {scores:?}");
    }
    for words in ["office", "outdoor", "office lamps outdoor"] {
        assert_eq!(index.words(words).await, ["b"], "{words}");
    }
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            a_filter_finds_a_product_by_any_of_its_categories,
            a_product_counts_once_for_each_category_and_each_above_it,
            a_further_category_adds_its_words_and_changes_no_other,
        ]
    }
}
