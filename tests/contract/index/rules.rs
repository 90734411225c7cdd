//! The shop's rules: synonyms, stop words, pinned, hidden and boosted products.

use domain::Status;
use domain::search::{
    Boost, Cursor, FacetRequest, Field, Filters, MatchMode, Page, PageStart, SearchRequest, Sort, Synonym,
    Tuning,
};

use super::{
    Index, IndexLocation, OpenSearchAlias, TantivyFolder, deleted, id, ids, named, product, search_for,
    values,
};
use crate::support::on_each;

/// Builds a search for products with all words.
fn tuned(words: &str, tuning: Tuning) -> SearchRequest {
    SearchRequest { match_mode: MatchMode::All, tuning, ..search_for(words) }
}

fn synonym(from: &str, to: &[&str]) -> Synonym {
    Synonym { from: from.to_owned(), to: to.iter().map(|to| (*to).to_owned()).collect() }
}

fn pinning(products: &[&str]) -> Tuning {
    Tuning { pinned: products.iter().map(|product| id(product)).collect(), ..Tuning::default() }
}

fn hiding(products: &[&str]) -> Tuning {
    Tuning { hidden: products.iter().map(|product| id(product)).collect(), ..Tuning::default() }
}

/// Adds four products: three lamps and a table.
async fn add_lamps(index: &Index) {
    let lamp = |id, name, brand, tags: &[&str]| {
        product(id, serde_json::json!({ "name": name, "brand": brand, "tags": tags }))
    };
    index
        .add([
            lamp("a", "lamp", "Akari", &["red"]),
            lamp("b", "lamp", "Bolt", &["red", "blue"]),
            lamp("c", "lamp", "Cobalt", &["blue"]),
            lamp("d", "table", "Akari", &["red"]),
        ])
        .await;
}

async fn synonyms_match_behind_the_typed_word(index: &Index) {
    index.add([named("a", "black notebook"), named("b", "black laptop"), named("c", "black table")]).await;
    let tuning = Tuning { synonyms: vec![synonym("laptop", &["notebook"])], ..Tuning::default() };
    for words in ["laptop", "Laptops", "black laptop"] {
        let answer = index.answer(&tuned(words, tuning.clone())).await;
        assert_eq!(ids(&answer), ["b", "a"], "{words}");
        assert_eq!((answer.corrected_query, answer.relaxed.len()), (None, 0), "{words}");
        assert!(answer.hits[1].highlights["name"].contains("<em>notebook</em>"), "{words}");
    }
    assert_eq!(index.found(&tuned("notebook", tuning)).await, ["a"], "in one direction");
    assert_eq!(index.words("laptop").await, ["b"], "only where it was asked for");
}

async fn synonyms_may_have_several_words_and_any_script(index: &Index) {
    index
        .add([
            named("a", "mobile for seniors"),
            named("b", "a smart and small handset"),
            named("c", "smart glasses"),
            named("d", "スマートフォン用"),
            named("e", "phone"),
        ])
        .await;
    let synonyms = vec![
        synonym("cell phone", &["mobile", "smart handset", "スマートフォン"]),
        synonym("スマホ", &["mobile"]),
    ];
    let found = async |words: &str| {
        let tuning = Tuning { synonyms: synonyms.clone(), ..Tuning::default() };
        let mut found = index.found(&tuned(words, tuning)).await;
        found.sort();
        found
    };
    assert_eq!(found("cell phones").await, ["a", "b", "d"]);
    assert_eq!(found("cell phone seniors").await, ["a"]);
    assert_eq!(found("スマホ").await, ["a"]);
    assert_eq!(found("phone").await, ["e"]);
}

async fn stop_words_need_not_match(index: &Index) {
    index.add([named("a", "laptop bag"), named("b", "bag for a laptop"), named("c", "the book")]).await;
    let tuning = Tuning { stop_words: vec!["for".to_owned(), "the".to_owned()], ..Tuning::default() };
    let answer = index.answer(&tuned("Bag for the laptop", tuning.clone())).await;
    assert_eq!((answer.total, answer.relaxed.len()), (2, 0));
    assert_eq!(index.found(&tuned("the", tuning)).await, ["c"], "where nothing else is left");
}

async fn pinned_products_come_first_in_their_order(index: &Index) {
    add_lamps(index).await;
    let mut request = tuned("lamp", pinning(&["d", "c", "nobody", "d"]));
    request.facets = vec![Field::Brand];
    let answer = index.answer(&request).await;
    assert_eq!((ids(&answer), answer.total), (vec!["d", "c", "a", "b"], 4));
    assert_eq!(values(&answer.facets[0].1), [("Akari", 2), ("Bolt", 1), ("Cobalt", 1)], "they are found");
    let values = FacetRequest { search: request.clone(), field: Field::Brand, prefix: "a".into(), limit: 9 };
    assert_eq!(index.searcher.facet_values(&values).await.unwrap()[0].count, 2);
    assert_eq!(index.found(&tuned("", pinning(&["c"]))).await, ["c", "a", "b", "d"]);
    assert_eq!(index.found(&tuned("zzzzzz", pinning(&["d"]))).await, ["d"]);
    for sort in [Sort::Name, Sort::PriceAsc, Sort::PriceDesc, Sort::Newest] {
        request.sort = sort.clone();
        assert_eq!(index.found(&request).await, ["a", "b", "c"], "{sort:?} has an order of its own");
    }
}

async fn pinned_products_must_be_active_and_pass_the_filters(index: &Index) {
    add_lamps(index).await;
    let mut draft = named("draft", "lamp");
    draft.content.status = Status::Draft;
    index.add([draft]).await;
    index.apply(&[deleted("c", 2)]).await;
    let mut request = tuned("lamp", pinning(&["draft", "c", "b", "d"]));
    assert_eq!(index.found(&request).await, ["b", "d", "a"]);
    request.filters.brand = vec!["Akari".to_owned()];
    assert_eq!(index.found(&request).await, ["d", "a"]);
}

async fn pages_and_cursors_include_pinned_products(index: &Index) {
    add_lamps(index).await;
    let request = tuned("lamp", pinning(&["d", "c"]));
    let (mut by_number, mut by_cursor, mut start) = (Vec::new(), Vec::new(), PageStart::Number(1));
    for number in 1..=4 {
        let page = Page { start: PageStart::Number(number), size: 1 };
        by_number
            .extend(ids(&index.answer(&SearchRequest { page, ..request.clone() }).await).concat().chars());
        let answer = index.answer(&SearchRequest { page: Page { start, size: 1 }, ..request.clone() }).await;
        by_cursor.extend(ids(&answer).concat().chars());
        assert_eq!((answer.total, answer.next.is_some()), (4, number < 4));
        let cursor = answer.next.map(|cursor| Cursor::decode(&cursor.encode()).unwrap());
        start = cursor.map_or(PageStart::Number(1), PageStart::After);
    }
    assert_eq!((by_number, by_cursor), (vec!['d', 'c', 'a', 'b'], vec!['d', 'c', 'a', 'b']));
}

async fn hidden_products_neither_match_nor_count(index: &Index) {
    add_lamps(index).await;
    let mut request = tuned("lamp", hiding(&["b", "nobody"]));
    request.facets = vec![Field::Brand];
    for (_, sort) in Sort::FIXED {
        request.sort = sort.clone();
        let answer = index.answer(&request).await;
        assert_eq!((ids(&answer), answer.total), (vec!["a", "c"], 2), "{sort:?}");
        assert_eq!(values(&answer.facets[0].1), [("Akari", 1), ("Cobalt", 1)], "{sort:?}");
    }
    let values = FacetRequest { search: request, field: Field::Brand, prefix: "b".into(), limit: 9 };
    assert_eq!(index.searcher.facet_values(&values).await.unwrap(), []);
    assert_eq!(index.found(&tuned("", hiding(&["a", "b", "c"]))).await, ["d"]);
    let both = Tuning { pinned: vec![id("a")], ..hiding(&["a"]) };
    assert_eq!(index.found(&tuned("lamp", both)).await, ["b", "c"], "also when they are pinned");
}

async fn boosts_move_products_among_equal_matches(index: &Index) {
    add_lamps(index).await;
    let of = |brand: &str, by| {
        let filters = Filters { brand: vec![brand.to_owned()], ..Filters::default() };
        Boost { filters, by }
    };
    let found = async |words: &str, boosts: &[Boost]| {
        index.found(&tuned(words, Tuning { boosts: boosts.to_vec(), ..Tuning::default() })).await
    };
    assert_eq!(found("lamp", &[of("Cobalt", 0.1)]).await, ["c", "a", "b"]);
    assert_eq!(found("lamp", &[of("Akari", -0.1)]).await, ["b", "c", "a"]);
    assert_eq!(found("lamp", &[of("Bolt", 0.2), of("Cobalt", 0.3), of("Akari", 1.0)]).await, ["a", "c", "b"]);
    index.add([product("e", serde_json::json!({ "name": "lampshade", "brand": "Cobalt" }))]).await;
    let boosts = [of("Cobalt", 1.0), of("Akari", -1.0), of("Bolt", -1.0)];
    assert_eq!(found("lamp", &boosts).await, ["c", "a", "b", "e"], "a prefix stays behind the word itself");
    let weak = serde_json::json!({ "name": "thing", "brand": "Far", "description": "seldom is a lamp so far behind" });
    index.add([product("f", weak)]).await;
    assert_eq!(found("lamp", &[]).await, ["a", "b", "c", "f", "e"]);
    assert_eq!(
        found("lamp", &[of("Far", 1.0)]).await,
        ["f", "a", "b", "c", "e"],
        "by all that a location is worth"
    );
    let mut request = tuned("lamp", Tuning { boosts: vec![of("Cobalt", 1.0)], ..Tuning::default() });
    request.sort = Sort::Name;
    assert_eq!(index.found(&request).await, ["a", "b", "c", "e", "f"], "other orders are as they were");
}

async fn boosts_of_one_product_add_up_within_their_bounds(index: &Index) {
    add_lamps(index).await;
    let of =
        |tag: &str, by| Boost { filters: Filters { tags: vec![tag.to_owned()], ..Filters::default() }, by };
    let found =
        async |boosts: Vec<Boost>| index.found(&tuned("lamp", Tuning { boosts, ..Tuning::default() })).await;
    assert_eq!(found(vec![of("red", 0.2), of("blue", 0.3)]).await, ["b", "c", "a"]);
    assert_eq!(found(vec![of("red", 0.2), of("blue", -0.2)]).await, ["a", "b", "c"]);
    assert_eq!(found(vec![of("red", 1.0), of("blue", 1.0)]).await, ["a", "b", "c"], "twice is not more");
    assert_eq!(found(vec![of("red", -1.0), of("blue", -1.0)]).await, ["a", "b", "c"], "nor less");
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            synonyms_match_behind_the_typed_word,
            synonyms_may_have_several_words_and_any_script,
            stop_words_need_not_match,
            pinned_products_come_first_in_their_order,
            pinned_products_must_be_active_and_pass_the_filters,
            pages_and_cursors_include_pinned_products,
            hidden_products_neither_match_nor_count,
            boosts_move_products_among_equal_matches,
            boosts_of_one_product_add_up_within_their_bounds,
        ]
    }
}
