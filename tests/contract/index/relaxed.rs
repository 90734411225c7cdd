//! Searches with optional words: the products that count, and those that follow.

use domain::search::{Cursor, FacetRequest, Field, Page, PageStart, SearchRequest, Tuning};
use serde_json::json;

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, id, ids, product, search_for, values};
use crate::support::on_each;

/// `lamp` names a kind, so `red` becomes optional in a search for `red lamp`.
async fn add_lamps(index: &Index) {
    let one = |id: &str, name: &str, brand: &str, price: u32| {
        product(id, json!({"name": name, "brand": brand, "price": price}))
    };
    index
        .add([
            one("a", "red lamp", "Akari", 10),
            one("b", "red lamp of paper", "Akari", 30),
            one("c", "green lamp", "Bolt", 20),
            one("d", "chair lamp", "Bolt", 40),
        ])
        .await;
    index.add((0..9).map(|n| one(&format!("l{n}"), "red table", "Cobalt", 50))).await;
}

fn with_facets(words: &str) -> SearchRequest {
    SearchRequest { facets: vec![Field::Brand, Field::Price], ..search_for(words) }
}

async fn total_and_facets_count_products_with_every_word(index: &Index) {
    add_lamps(index).await;
    let answer = index.answer(&with_facets("red lamp")).await;
    assert_eq!(answer.relaxed, ["red"]);
    assert_eq!(ids(&answer), ["a", "b", "c", "d"], "products that lack a word come behind");
    assert_eq!((answer.total, answer.relaxed_total), (2, Some(2)));
    assert_eq!(values(&answer.facets[0].1), [("Akari", 2)]);
    let search = with_facets("red lamp");
    let request = FacetRequest { search, field: Field::Brand, prefix: String::new(), limit: 9 };
    let listed = index.searcher.facet_values(&request).await.unwrap();
    assert_eq!(
        listed.iter().map(|value| (value.value.as_str(), value.count)).collect::<Vec<_>>(),
        [("Akari", 2)]
    );
    // No product has `purple`, so products with `chair` count.
    let answer = index.answer(&with_facets("purple chair")).await;
    assert_eq!((ids(&answer), answer.total, answer.relaxed_total), (vec!["d"], 1, None));
    assert_eq!(values(&answer.facets[0].1), [("Bolt", 1)]);
    let answer = index.answer(&search_for("lamp")).await;
    assert_eq!((answer.total, answer.relaxed_total), (4, None), "nothing is optional");
}

async fn without_a_product_that_has_every_word_all_count(index: &Index) {
    add_lamps(index).await;
    let filtered = async |brand: &str| {
        let mut request = with_facets("red lamp");
        request.filters.brand = vec![brand.to_owned()];
        index.answer(&request).await
    };
    let answer = filtered("Bolt").await;
    assert_eq!((ids(&answer), answer.total, answer.relaxed_total), (vec!["c", "d"], 2, None));
    assert_eq!(values(&answer.facets[0].1), [("Akari", 2), ("Bolt", 2)]);
    let answer = filtered("Akari").await;
    assert_eq!((ids(&answer), answer.total, answer.relaxed_total), (vec!["a", "b"], 2, Some(0)));
    assert_eq!(values(&answer.facets[0].1), [("Akari", 2)], "of all brands, those with every word count");
    let answer = filtered("Nobody").await;
    assert_eq!((answer.total, answer.relaxed_total, answer.hits.len()), (0, None, 0));
}

async fn pages_and_cursors_go_on_to_products_that_lack_words(index: &Index) {
    add_lamps(index).await;
    for by_cursor in [true, false] {
        let mut start = PageStart::Number(1);
        for (number, expected) in (2..).zip(["a", "b", "c", "d"]) {
            let page = Page { start, size: 1 };
            let answer = index.answer(&SearchRequest { page, ..with_facets("red lamp") }).await;
            assert_eq!(ids(&answer), [expected], "by cursor: {by_cursor}");
            assert_eq!((answer.total, answer.relaxed_total), (2, Some(2)), "by cursor: {by_cursor}");
            assert_eq!(values(&answer.facets[0].1), [("Akari", 2)], "by cursor: {by_cursor}");
            assert_eq!(answer.next.is_some(), expected != "d");
            let cursor = answer.next.map(|next| Cursor::decode(&next.encode()).unwrap());
            start = match cursor.filter(|_| by_cursor) {
                Some(cursor) => PageStart::After(cursor),
                None => PageStart::Number(number),
            };
        }
    }
}

async fn every_word_with_typos_ranks_before_one_word_as_typed(index: &Index) {
    let named = |id: &str, name: &str| product(id, json!({ "name": name }));
    index
        .add([named("typos", "lamp in a long name, red"), named("lacking", "red"), named("also", "red")])
        .await;
    // The word that is only found with a typo becomes optional.
    let answer = index.answer(&search_for("red lamq")).await;
    assert_eq!(ids(&answer)[0], "typos", "{answer:?}");
    assert_eq!((answer.total, answer.relaxed_total), (1, Some(2)));
    assert!(answer.hits[0].score > answer.hits[1].score);
}

async fn pinned_products_count(index: &Index) {
    add_lamps(index).await;
    let tuning = Tuning { pinned: vec![id("l5"), id("d")], hidden: vec![id("b")], ..Tuning::default() };
    let answer = index.answer(&SearchRequest { tuning, ..with_facets("red lamp") }).await;
    assert_eq!(ids(&answer), ["l5", "d", "a", "c"]);
    assert_eq!((answer.total, answer.relaxed_total), (3, Some(1)));
    assert_eq!(values(&answer.facets[0].1), [("Akari", 1), ("Bolt", 1), ("Cobalt", 1)]);
    let tuning = Tuning { pinned: vec![id("l5")], ..Tuning::default() };
    let answer = index.answer(&SearchRequest { tuning, ..with_facets("purple chair") }).await;
    assert_eq!((ids(&answer), answer.total, answer.relaxed_total), (vec!["l5", "d"], 2, None));
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            total_and_facets_count_products_with_every_word,
            without_a_product_that_has_every_word_all_count,
            pages_and_cursors_go_on_to_products_that_lack_words,
            every_word_with_typos_ranks_before_one_word_as_typed,
            pinned_products_count,
        ]
    }
}
