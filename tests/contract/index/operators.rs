//! The operators of a query: `-word` and `"phrases"`.

use domain::search::{Cursor, FacetRequest, Field, MatchMode, Page, PageStart, SearchRequest, Tuning};
use serde_json::json;

use super::{
    Index, IndexLocation, OpenSearchAlias, TantivyFolder, id, ids, named, product, search_for, values,
};
use crate::support::on_each;

async fn add_shoes(index: &Index) {
    let one = |id: &str, name: &str, brand: &str| product(id, json!({"name": name, "brand": brand}));
    index
        .add([
            one("a", "New Balance 574 running shoe red", "New Balance"),
            one("b", "Balance board, new", "Bolt"),
            one("c", "Running shoes blue", "Bolt"),
            one("d", "Red carpet", "Akari"),
            product(
                "e",
                json!({
                    "name": "Insole", "brand": "Akari",
                    "description": "A sole for every shoe of the last twenty years, the ones by New Balances among them."
                }),
            ),
            one("f", "Reds and redder things", "Akari"),
        ])
        .await;
}

/// Returns the ids of the products that have all words, in the order of the ids.
async fn words(index: &Index, query: &str) -> Vec<String> {
    let mut found = index.words(query).await;
    found.sort();
    found
}

async fn a_word_behind_a_minus_is_left_out_in_all_its_forms(index: &Index) {
    add_shoes(index).await;
    assert_eq!(words(index, "shoe").await, ["a", "c", "e"]);
    assert_eq!(words(index, "shoe -red").await, ["c", "e"]);
    assert_eq!(words(index, "-reds shoe").await, ["c", "e"]);
    assert_eq!(words(index, "shoes −red").await, ["c", "e"], "the sign of mathematics");
    assert_eq!(words(index, "shoe -re").await, ["a", "c", "e"], "not as a prefix");
    assert_eq!(words(index, "shoe -rde -blau").await, ["a", "c", "e"], "not with typos");
    assert_eq!(words(index, "shoe -red -blue -insole").await, [""; 0]);
    assert_eq!(words(index, "shoe - red -5 x-red").await, [""; 0], "no operators");
    let request = SearchRequest { operators: false, ..search_for("shoe -red") };
    assert!(index.answer(&request).await.hits.iter().any(|hit| hit.product.id == id("a")));
}

async fn a_query_that_only_leaves_out_finds_everything_else(index: &Index) {
    add_shoes(index).await;
    let answer = index.answer(&search_for("-red")).await;
    assert_eq!((ids(&answer), answer.total), (vec!["b", "c", "e"], 3));
    assert!(answer.hits.iter().all(|hit| hit.highlights.is_empty()));
    let answer = index.answer(&search_for("-xyzzy")).await;
    assert_eq!(answer.total, 6);
    assert_eq!(index.answer(&search_for("-red -balance -shoe")).await.total, 0);
}

async fn the_words_of_a_phrase_follow_each_other_in_one_text(index: &Index) {
    add_shoes(index).await;
    assert_eq!(words(index, "new balance").await, ["a", "b", "e"]);
    assert_eq!(words(index, "\"new balance\"").await, ["a", "e"], "also at the end of a long description");
    assert_eq!(words(index, "“New Balance” shoe").await, ["a", "e"]);
    assert_eq!(words(index, "\"balance new\"").await, [""; 0]);
    assert_eq!(words(index, "\"new balance 574\"").await, ["a"]);
    assert_eq!(words(index, "\"574 running shoes\"").await, ["a"]);
    assert_eq!(words(index, "\"shoe red new\"").await, [""; 0], "not from one text to the next");
    assert_eq!(words(index, "balance -\"new balance\"").await, ["b"]);
    assert_eq!(words(index, "\"red\"").await, ["a", "d", "f"], "one word has its forms");
    assert_eq!(words(index, "\"running\" -blue").await, ["a"]);
    // Once more: the index may answer from a cache.
    assert_eq!(words(index, "\"new balance\"").await, ["a", "e"]);
    let request = SearchRequest { operators: false, ..search_for("\"balance new\"") };
    assert_eq!(index.answer(&request).await.total, 3);
}

async fn codes_and_other_scripts_form_phrases(index: &Index) {
    index
        .add([
            named("a", "Adapter for AB1234 CD5678"),
            named("b", "Adapter for CD5678 AB1234"),
            named("c", "Красные кроссовки для бега"),
            named("d", "Кроссовки красные"),
            named("e", "赤い 靴 東京"),
            named("f", "靴 東京 赤い"),
            named("g", "Monitor 27\" curved"),
            named("h", "Monitor 32\" curved"),
        ])
        .await;
    assert_eq!(words(index, "\"ab1234 cd5678\"").await, ["a"]);
    assert_eq!(words(index, "adapter -\"ab1234 cd5678\"").await, ["b"]);
    assert_eq!(words(index, "\"красные кроссовки\"").await, ["c"]);
    assert_eq!(words(index, "кроссовки -\"красные кроссовки\"").await, ["d"]);
    assert_eq!(words(index, "\"赤い 靴\"").await, ["e"]);
    assert_eq!(words(index, "靴 -\"赤い 靴\"").await, ["f"]);
    assert_eq!(words(index, "monitor 27\"").await, ["g"], "inches");
    assert_eq!(words(index, "\"monitor 27\"").await, ["g"], "the mark closes the phrase");
    assert_eq!(words(index, "\"27\" curved\"").await, ["g"]);
}

async fn operands_are_never_relaxed_nor_corrected(index: &Index) {
    add_shoes(index).await;
    let answer = index.answer(&search_for("\"new balance\" purple")).await;
    assert_eq!((ids(&answer), answer.relaxed.as_slice()), (vec!["a", "e"], &["purple".to_owned()][..]));
    let answer = index.answer(&search_for("\"running shoe\" carpet blue")).await;
    assert!(ids(&answer).iter().all(|id| ["a", "c"].contains(id)), "{answer:?}");
    assert!(!answer.relaxed.iter().any(|word| word == "running" || word == "shoe"), "{answer:?}");
    let answer = index.answer(&search_for("shoe carpet -red")).await;
    assert_eq!(ids(&answer), ["c", "e"]);
    assert_eq!(answer.relaxed, ["carpet"]);
    let answer = index.answer(&search_for("\"new balence\"")).await;
    assert_eq!((answer.total, answer.corrected_query), (0, None));
    let answer = index.answer(&search_for("sheo -rad")).await;
    assert_eq!(answer.corrected_query.as_deref(), Some("shoe -rad"));
}

async fn totals_facets_and_cursors_leave_out_as_well(index: &Index) {
    add_shoes(index).await;
    index
        .add((0..30).map(|n| product(&format!("s{n:02}"), json!({"name": "sandal", "brand": "Bolt"}))))
        .await;
    index
        .add((0..30).map(|n| product(&format!("t{n:02}"), json!({"name": "red sandal", "brand": "Akari"}))))
        .await;
    let mut request = SearchRequest { facets: vec![Field::Brand], ..search_for("sandal -red") };
    let answer = index.answer(&request).await;
    assert_eq!((answer.total, answer.relaxed_total), (30, None));
    assert_eq!(values(&answer.facets[0].1), [("Bolt", 30)]);
    let facet =
        FacetRequest { search: request.clone(), field: Field::Brand, prefix: String::new(), limit: 9 };
    assert_eq!(index.searcher.facet_values(&facet).await.unwrap().len(), 1);
    request.filters.brand = vec!["Akari".to_owned()];
    assert_eq!(index.answer(&request).await.total, 0);
    request.filters.brand.clear();
    let (mut seen, mut cursor) = (Vec::new(), None::<Cursor>);
    loop {
        request.page = Page { start: cursor.map_or(PageStart::Number(1), PageStart::After), size: 7 };
        let answer = index.answer(&request).await;
        assert_eq!(answer.total, 30);
        seen.extend(answer.hits.iter().map(|hit| hit.product.id.as_str().to_owned()));
        cursor = answer.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..30).map(|n| format!("s{n:02}")).collect::<Vec<_>>());
    // Products without the optional word follow, but none with the excluded word.
    let answer = index
        .answer(&SearchRequest { match_mode: MatchMode::Most, ..search_for("sandal insole -red") })
        .await;
    assert_eq!(
        answer.total + answer.relaxed_total.unwrap_or(0),
        30,
        "{:?} {:?}",
        answer.relaxed,
        ids(&answer)
    );
}

async fn a_pinned_product_may_be_left_out(index: &Index) {
    add_shoes(index).await;
    let tuning = Tuning { pinned: vec![id("d"), id("b")], ..Tuning::default() };
    let request = SearchRequest { tuning, ..search_for("shoe -red") };
    assert_eq!(ids(&index.answer(&request).await), ["b", "c", "e"]);
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            a_word_behind_a_minus_is_left_out_in_all_its_forms,
            a_query_that_only_leaves_out_finds_everything_else,
            the_words_of_a_phrase_follow_each_other_in_one_text,
            codes_and_other_scripts_form_phrases,
            operands_are_never_relaxed_nor_corrected,
            totals_facets_and_cursors_leave_out_as_well,
            a_pinned_product_may_be_left_out,
        ]
    }
}
