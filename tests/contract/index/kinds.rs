//! The kind of thing that a query names: its products rank first, and its word becomes optional last.

use domain::search::SearchRequest;
use serde_json::json;

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, ids, named, product, search_for};
use crate::support::on_each;

/// Adds `count` products whose ids and names begin alike.
async fn add_many(index: &Index, id: &str, name: &str, count: usize) {
    index.add((0..count).map(|n| named(&format!("{id}{n:02}"), &format!("{name} {n}")))).await;
}

/// Returns the ids of the first products, without their numbers.
async fn first(index: &Index, words: &str) -> Vec<String> {
    let answer = index.answer(&search_for(words)).await;
    let kind = |id: &str| id.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    ids(&answer).into_iter().map(kind).collect()
}

async fn words_found_only_by_a_typo_are_left_out_first(index: &Index) {
    add_many(index, "headphones", "Headphones", 80).await;
    let novels =
        (0..5).map(|n| product(&format!("novel{n}"), json!({"name": "Novel", "sku": format!("FIC-{n}")})));
    index.add(novels).await;
    for words in ["headphones with mic", "headphones with bic", "mic headphones"] {
        let answer = index.answer(&search_for(words)).await;
        assert_eq!((answer.total, answer.relaxed_total), (80, None), "{words}");
        assert!(ids(&answer).iter().all(|id| id.starts_with("headphones")), "{words}");
        assert!(!answer.relaxed.contains(&"headphones".to_owned()), "{words}: {:?}", answer.relaxed);
    }
}

async fn numbers_units_and_function_words_are_left_out_before_the_thing(index: &Index) {
    index
        .add([
            named("ladder1", "Aluminium ladder"),
            named("ladder2", "Wooden ladder"),
            named("rope", "Rope 30 ft"),
            named("hook", "Size 6 hook"),
            named("kit", "Kit for the 12 ft of it"),
        ])
        .await;
    index
        .add([named("laptop", "Laptop"), named("bag1", "Bag for laptop"), named("bag2", "Laptop bag")])
        .await;
    assert_eq!(first(index, "laptop for kids").await[0], "laptop", "`for` raises nothing");
    for words in ["6 ft ladder", "ladder 12 ft", "ladder for 30 ft", "a 6 ft ladder"] {
        assert_eq!(first(index, words).await, ["ladder", "ladder"], "{words}");
    }
}

async fn what_the_query_says_aside_is_left_out_before_the_thing(index: &Index) {
    add_many(index, "headphones", "Headphones model", 60).await;
    add_many(index, "mug", "Ceramic mug", 30).await;
    add_many(index, "strings", "String set for guitars", 9).await;
    index.add([named("puzzle", "Puzzle for kids")]).await;
    let thing = async |words: &str| first(index, words).await.remove(0);
    assert_eq!(thing("headphones for kids").await, "headphones");
    assert_eq!(thing("kids headphones").await, "headphones");
    assert_eq!(thing("set of 6 mugs").await, "mug");
    assert_eq!(thing("mugs for kids").await, "mug");
    assert_eq!(thing("puzzle").await, "puzzle");
}

async fn words_that_name_no_kind_stay_by_their_rarity(index: &Index) {
    index
        .add([
            named("machine", "Coffee machine"),
            named("maker", "Coffee maker"),
            named("rug", "Machine washable rug"),
        ])
        .await;
    let found = first(index, "coffee machine with grinder").await;
    assert_eq!(found[..2], ["machine", "maker"]);
}

async fn a_code_outlives_the_thing(index: &Index) {
    add_many(index, "headphones", "Headphones", 30).await;
    index.add([named("code", "Sony WH1000XM4 wireless")]).await;
    assert_eq!(first(index, "wh1000xm4 headphones").await, ["code"]);
}

async fn of_two_kinds_the_last_one_stays(index: &Index) {
    add_many(index, "laptop", "Laptop", 20).await;
    add_many(index, "backpack", "Backpack", 30).await;
    for (words, thing) in [("laptop backpack", "backpack"), ("backpack laptop", "laptop")] {
        assert_eq!(first(index, words).await[0], thing, "{words}");
    }
}

async fn the_letters_of_a_sku_make_no_kind(index: &Index) {
    let of = |id: &str, name: &str| {
        product(id, json!({"name": name, "category": "Kitchen", "sku": format!("PAN-{}", id.len())}))
    };
    index
        .add([
            of("casserole", "Copper casserole"),
            of("wok", "Copper wok"),
            of("skillet", "Copper frying pan, a wide one for the whole family, with two handles"),
        ])
        .await;
    for words in ["copper pan", "pan", "pans"] {
        assert_eq!(first(index, words).await[0], "skillet", "{words}");
    }
    assert_eq!(first(index, "pan-3").await[0], "wok", "by its sku");
}

async fn a_set_of_things_is_those_things(index: &Index) {
    add_many(index, "knife", "Paring knife", 20).await;
    add_many(index, "dumbbell", "Dumbbell set", 20).await;
    for words in ["knife set", "set of knives"] {
        assert_eq!(first(index, words).await[0], "knife", "{words}");
    }
}

async fn products_of_a_kind_rank_before_what_goes_with_them(index: &Index) {
    let of = |id: &str, name: &str, category: &str| product(id, json!({"name": name, "category": category}));
    index
        .add([
            of("mount", "Projector mount", "Home cinema > Mounts"),
            of("bulb", "Projector bulb", "Home cinema > Bulbs"),
            of("epson", "Epson EB-X05 with a lamp of 6,000 hours, white", "Home cinema > Projectors"),
            of("acer", "Acer X1 for school and office", "Home cinema > Projectors"),
        ])
        .await;
    for words in ["projector", "projectors", "projectr"] {
        let found = first(index, words).await;
        let mut things: Vec<&str> = found[..2].iter().map(String::as_str).collect();
        things.sort_unstable();
        assert_eq!(things, ["acer", "epson"], "{words}: {found:?}");
    }
    assert_eq!(first(index, "projector mount").await[0], "mount");
    // Each page keeps the interpretation of the first.
    let mut listed = Vec::new();
    let mut request = SearchRequest {
        page: domain::search::Page { size: 1, ..search_for("").page },
        ..search_for("projector")
    };
    loop {
        let answer = index.answer(&request).await;
        listed.extend(ids(&answer).into_iter().map(str::to_owned));
        let Some(next) = answer.next else { break };
        request.page.start = domain::search::PageStart::After(next);
    }
    assert_eq!(listed.len(), 4);
    assert_eq!(listed, index.found(&search_for("projector")).await);
}

async fn a_group_of_kinds_outlives_what_is_said_about_it(index: &Index) {
    let of =
        |id: String, name: &str, category: &str| product(&id, json!({"name": name, "category": category}));
    let many = |id: &'static str, name: &'static str, category: &'static str| {
        (0..12).map(move |n| of(format!("{id}{n:02}"), name, category))
    };
    index.add(many("novel", "Night train", "Books > Fiction")).await;
    index.add(many("sofa", "Ektor", "Furniture > Sofas & Armchairs")).await;
    index.add(many("glove", "Nitrile", "Work > Gloves, Masks")).await;
    index.add([named("mug1", "Black mug"), named("mug2", "Mug, leather look, black")]).await;
    for (words, thing) in [
        ("black books", "novel"),
        ("leather furniture", "sofa"),
        ("black armchairs", "sofa"),
        ("leather gloves", "glove"),
        ("black masks", "glove"),
        ("leather sofa", "sofa"),
        ("black book with mug", "novel"),
    ] {
        let found = first(index, words).await;
        assert_eq!((found.len(), found[0].as_str()), (12, thing), "{words}: {found:?}");
    }
}

async fn a_category_of_several_things_makes_its_products_none_of_them(index: &Index) {
    let pan = |id: &str, name: &str| product(id, json!({"name": name, "category": "Kitchen > Pots & Pans"}));
    index
        .add([
            pan("casserole", "Casserole"),
            pan("pan1", "Frying pan with a lid of glass, for all hobs"),
            pan("pan2", "Copper pan, suitable for induction and gas"),
            pan("pot", "Stock pot"),
        ])
        .await;
    for words in ["pan", "pans"] {
        assert_eq!(first(index, words).await[..2], ["pan", "pan"], "{words}");
    }
    assert_eq!(first(index, "pots").await[0], "pot");
}

async fn without_a_word_that_says_what_is_meant_nothing_is_found(index: &Index) {
    index
        .add([
            named("game1", "Game for 6 players"),
            named("game2", "Game for children, 6 ft"),
            named("rope", "Rope 30 ft"),
        ])
        .await;
    for words in ["helmet for adults", "helmet 6", "6 ft ladder", "with helmet and 30 ft"] {
        let answer = index.answer(&search_for(words)).await;
        assert_eq!((ids(&answer).len(), answer.total), (0, 0), "{words}");
        assert!(answer.relaxed.is_empty(), "{words}: {:?}", answer.relaxed);
    }
    assert_eq!(first(index, "rope for adults").await, ["rope"]);
    assert_eq!(first(index, "6 ft").await[0], "game");
}

async fn an_attribute_that_says_what_a_product_is_names_its_kind(index: &Index) {
    let of =
        |id: &str, name: &str, kind: &str| product(id, json!({"name": name, "attributes": {"type": kind}}));
    index
        .add([
            of("mount", "Projector mount", "Mount"),
            of("epson", "Epson EB-X05 with a lamp of 6,000 hours, white", "Projector"),
            of("acer", "Acer X1 for school and office, black", "Projector"),
        ])
        .await;
    let mut found = first(index, "projector").await;
    assert_eq!(found.pop().as_deref(), Some("mount"));
    found.sort_unstable();
    assert_eq!(found, ["acer", "epson"]);
    // The thing stays, and what describes it becomes optional.
    index.add((0..2).map(|n| named(&format!("shirt{n}"), "Purple shirt"))).await;
    assert!(["acer", "epson"].contains(&first(index, "purple projector").await[0].as_str()));
}

async fn a_word_that_names_no_kind_here_raises_nothing(index: &Index) {
    // One of six products is a "samsung", because its name ends with the word.
    index
        .add((0..5).map(|n| product(&format!("tv{n}"), json!({"name": format!("Samsung television {n}")}))))
        .await;
    index.add([named("cover", "Cover Samsung")]).await;
    let answer = index.answer(&search_for("samsung")).await;
    assert_eq!(ids(&answer).len(), 6);
    let scores: Vec<f32> = answer.hits.iter().map(|hit| hit.score).collect();
    assert!(scores[0] - scores[5] < 0.2, "{scores:?}");
}

async fn a_correction_is_far_more_frequent_than_the_word(index: &Index) {
    add_many(index, "table", "Table", 15).await;
    add_many(index, "cable", "Cable", 12).await;
    index.add([named("tabble", "Tabble")]).await;
    let total = async |words: &str| index.words(words).await.len();
    assert_eq!(total("tabble").await, 16, "fifteen are ten times one");
    assert_eq!(index.words("tabble").await[0], "tabble", "the word itself comes first");
    assert_eq!(total("tabel").await, 15, "the first letter is rarely wrong");
    index.add([named("more", "Tabble")]).await;
    assert_eq!(total("tabble").await, 2, "fifteen are not ten times two");
    assert_eq!(total("tab").await, 17, "as a prefix");
    assert_eq!(total("tbl").await, 0, "three letters have no typos");
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            words_found_only_by_a_typo_are_left_out_first,
            numbers_units_and_function_words_are_left_out_before_the_thing,
            what_the_query_says_aside_is_left_out_before_the_thing,
            words_that_name_no_kind_stay_by_their_rarity,
            a_code_outlives_the_thing,
            of_two_kinds_the_last_one_stays,
            the_letters_of_a_sku_make_no_kind,
            a_set_of_things_is_those_things,
            products_of_a_kind_rank_before_what_goes_with_them,
            a_group_of_kinds_outlives_what_is_said_about_it,
            a_category_of_several_things_makes_its_products_none_of_them,
            without_a_word_that_says_what_is_meant_nothing_is_found,
            an_attribute_that_says_what_a_product_is_names_its_kind,
            a_word_that_names_no_kind_here_raises_nothing,
            a_correction_is_far_more_frequent_than_the_word,
        ]
    }
}
