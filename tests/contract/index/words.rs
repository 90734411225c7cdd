//! Matches of words, typos, highlights and corrections.

use domain::search::{FacetRequest, Field, MatchMode, SearchRequest, Sort};

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, ids, named, product, search_for};
use crate::support::on_each;

async fn every_field_is_searched(index: &Index) {
    let fields = serde_json::json!({
        "name": "alpha", "brand": "bravo", "sku": "charlie", "category": "delta > echo", "tags": ["foxtrot"],
        "description": "golf", "attributes": { "hotel": "india", "juliett": 4711, "kilo": ["lima", "mike"] },
    });
    index.add([product("a", fields), named("b", "something else")]).await;
    for word in
        ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "india", "4711", "lima", "mike"]
    {
        assert_eq!(index.words(word).await, ["a"], "{word}");
    }
    assert!(index.words("hotel").await.is_empty(), "keys are not searched");
}

async fn every_word_must_match(index: &Index) {
    index.add([named("a", "red lamp"), named("b", "red table"), named("c", "green lamp")]).await;
    assert_eq!(index.words("red lamp").await, ["a"]);
    assert_eq!(index.words("lamp red lamp").await, ["a"]);
    assert_eq!(index.words("yellow").await, [""; 0]);
    let mut elsewhere = search_for("red lamp");
    elsewhere.filters.brand = vec!["Hikari".to_owned()];
    let answer = index.answer(&elsewhere).await;
    assert_eq!(answer.total, 0);
    elsewhere.match_mode = MatchMode::All;
    assert_eq!(index.answer(&elsewhere).await.relaxed.len(), 0, "filters leave no word out");
}

async fn words_become_optional_if_few_products_have_all_of_them(index: &Index) {
    index
        .add([
            named("a", "red lamp of paper"),
            named("b", "red table"),
            named("c", "red lamp"),
            named("d", "lamp of paper"),
        ])
        .await;
    let relaxed = async |words: &str| {
        let answer = index.answer(&search_for(words)).await;
        let ids: Vec<String> = ids(&answer).into_iter().map(str::to_owned).collect();
        (ids, answer.relaxed)
    };
    for (words, ids, left_out) in [
        ("Purple lamp", &["c", "d", "a"][..], &["Purple"][..]),
        // One word must become optional; `table` is the rarer one, so it stays.
        ("lamp table", &["b"], &["lamp"]),
        // Products with more of the words rank first.
        ("lamp of paper red", &["a", "d"], &["lamp", "of", "red"]),
        ("purple yellow", &[], &[]),
        ("purple", &[], &[]),
    ] {
        let (found, relaxed) = relaxed(words).await;
        assert_eq!(
            (found, relaxed),
            (
                ids.iter().map(|id| (*id).to_owned()).collect(),
                left_out.iter().map(|word| (*word).to_owned()).collect()
            ),
            "{words}"
        );
    }
    let strict = SearchRequest { match_mode: MatchMode::All, ..search_for("purple lamp") };
    assert_eq!(index.answer(&strict).await.total, 0);
    let search = SearchRequest { facets: vec![Field::Brand], ..search_for("purple lamp") };
    let request = FacetRequest { search, field: Field::Brand, prefix: String::new(), limit: 9 };
    index.add([product("e", serde_json::json!({"name": "lamp", "brand": "Hikari"}))]).await;
    let values = index.searcher.facet_values(&request).await.unwrap();
    assert_eq!(values.iter().map(|value| value.count).collect::<Vec<_>>(), [1]);
}

async fn other_orders_make_words_optional_only_if_nothing_matches(index: &Index) {
    index.add([named("a", "red lamp"), named("b", "red table"), named("c", "lamp")]).await;
    let by_name = async |words: &str| {
        let answer = index.answer(&SearchRequest { sort: Sort::Name, ..search_for(words) }).await;
        ids(&answer).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(by_name("red lamp").await, ["a"]);
    assert_eq!(by_name("red sofa").await, ["a", "b"]);
}

async fn any_word_is_enough_in_mode_any(index: &Index) {
    index
        .add([named("a", "red lamp"), named("b", "red table"), named("c", "lampshade"), named("d", "ted")])
        .await;
    let answer =
        index.answer(&SearchRequest { match_mode: MatchMode::Any, ..search_for("purple red lamp") }).await;
    assert_eq!(ids(&answer)[0], "a", "two words are more than one");
    assert_eq!((answer.total, answer.relaxed.len()), (2, 0), "neither beginnings nor typos are looked for");
}

async fn a_word_matches_in_singular_and_plural(index: &Index) {
    index.add([named("one", "battery box"), named("many", "batteries boxes")]).await;
    for words in ["battery", "batteries", "boxes battery", "box batteries"] {
        let answer = index.answer(&search_for(words)).await;
        assert_eq!(answer.total, 2, "{words}");
        assert_eq!(answer.corrected_query, None, "{words}");
    }
    let highlights = index.answer(&search_for("battery box")).await.hits;
    assert!(highlights.iter().all(|hit| hit.highlights["name"].matches("<em>").count() == 2));
}

async fn words_match_joined_and_split(index: &Index) {
    index
        .add([
            named("joined", "headphones 256GB"),
            named("apart", "head phones 256 GB"),
            named("neither", "phones for the head 256 of GB"),
        ])
        .await;
    for words in ["headphones", "headphone", "256gb", "256gb headphones"] {
        let mut found = index.words(words).await;
        found.sort();
        assert_eq!(found, ["apart", "joined"], "{words}");
    }
    let mut found = index.words("head phones 256 gb").await;
    found.sort();
    assert_eq!(found, ["apart", "joined", "neither"]);
    let apart = index.answer(&search_for("headphones")).await.hits;
    let marked: Vec<&str> = apart.iter().map(|hit| hit.highlights["name"].as_str()).collect();
    assert!(marked.contains(&"<em>head phones</em> 256 GB"), "{marked:?}");
}

async fn typos_match_up_to_the_number_that_the_length_allows(index: &Index) {
    let names = ["tv", "sofa", "mouse", "camera", "keyboard", "ps5", "wh1000"];
    index.add(names.map(|name| named(name, name))).await;
    // Short queries of one word, where a prefix would match too.
    for (words, found) in [
        ("tw", None),
        ("tvs", Some("tv")),
        ("sofx", Some("sofa")),
        ("sfoa", Some("sofa")),
        // The first letter is rarely wrong, so a typo there counts as two.
        ("osfa", None),
        ("osaf", None),
        ("mose", Some("mouse")),
        ("muose", Some("mouse")),
        ("moxxe", None),
        ("camrea", Some("camera")),
        ("cemara", Some("camera")),
        ("kamera", Some("camera")),
        ("kamara", None),
        ("kamaxa", None),
        ("kebyoard", Some("keyboard")),
        ("qeyboard", Some("keyboard")),
        ("qeybaord", None),
        ("ps4", None),
        ("wh1001", None),
    ] {
        assert_eq!(index.words(words).await, found.into_iter().collect::<Vec<_>>(), "{words}");
    }
}

async fn the_last_word_is_also_a_prefix(index: &Index) {
    index.add([named("a", "wireless keyboard"), named("b", "wireless keypad 100"), named("c", "key")]).await;
    assert_eq!(index.words("wireless key").await, ["a", "b"]);
    assert_eq!(index.words("wireless keyb").await, ["a"]);
    assert_eq!(index.words("10").await, ["b"]);
    let answer = index.answer(&search_for("wirel key")).await;
    assert_eq!(answer.relaxed, ["wirel"], "only the last word is a beginning");
}

async fn exact_matches_rank_above_prefixes_above_typos(index: &Index) {
    let weak = |id: &str, word: &str| {
        let description = format!("a long text in which {word} stands once among many others");
        product(id, serde_json::json!({ "name": "thing", "description": description }))
    };
    let rare = [named("typo", "lanp"), named("two-typos", "xanp table")];
    index.add([weak("exact", "lamp"), named("beginning", "lampshade"), named("one", "lampe")]).await;
    index.add(rare).await;
    assert_eq!(
        index.words("lamp").await,
        ["exact", "beginning", "one"],
        "no correction of a word that is there"
    );
    assert_eq!(index.words("lamq").await, ["exact"], "no product has the word");
    index.add([weak("both", "desk lamp"), named("half", "desk lampx desk lamp5 lampp")]).await;
    let answer = index.answer(&SearchRequest { match_mode: MatchMode::All, ..search_for("desk lamp") }).await;
    assert_eq!(ids(&answer), ["both", "half"]);
    assert!(answer.hits[0].score > answer.hits[1].score);
}

async fn an_empty_query_matches_everything(index: &Index) {
    assert!(index.words("").await.is_empty());
    index.add([named("b", "lamp"), named("a", "table")]).await;
    for words in ["", "   ", "\u{200B}\u{301}"] {
        let answer = index.answer(&search_for(words)).await;
        assert_eq!(ids(&answer), ["a", "b"], "{words}");
        assert!(answer.hits.iter().all(|hit| hit.score == 0.0 && hit.highlights.is_empty()), "{words}");
    }
}

async fn scripts_without_spaces_match(index: &Index) {
    index
        .add([
            named("a", "日本語の辞書"),
            named("b", "ノートパソコン"),
            named("c", "빨간색 의자"),
            named("d", "本棚"),
        ])
        .await;
    for (words, found) in [
        ("日本語", vec!["a"]),
        ("辞書", vec!["a"]),
        ("書", vec!["a"]),
        ("パソコン", vec!["b"]),
        ("ﾉｰﾄ", vec!["b"]),
        ("의자", vec!["c"]),
        ("語本", vec![]),
    ] {
        assert_eq!(index.words(words).await, found, "{words}");
    }
    let mut both = index.words("本").await;
    both.sort();
    assert_eq!(both, ["a", "d"]);
}

async fn case_accents_and_hyphens_do_not_matter(index: &Index) {
    let headphones = serde_json::json!({ "name": "Casque WH-1000XM4", "sku": "SO/77.B" });
    index.add([named("a", "Crème Brûlée"), product("b", headphones)]).await;
    for (words, found) in [
        ("CREME", "a"),
        ("crème brulee", "a"),
        ("wh1000xm4", "b"),
        ("WH-1000XM4", "b"),
        ("so77b", "b"),
        ("SO/77.B", "b"),
        ("ｗｈ１０００ｘｍ４", "b"),
    ] {
        assert_eq!(index.words(words).await, [found], "{words}");
    }
    let long = "x".repeat(200);
    index.add([named("long", &long)]).await;
    assert_eq!(index.words(&long).await, ["long"]);
}

async fn hostile_words_are_harmless(index: &Index) {
    index.add([named("a", "lamp AND table"), named("b", "lamp")]).await;
    for words in [
        "\"AND ( * \0 ~",
        "name:lamp",
        "*",
        "lamp~2 OR (",
        "a.*|b[^",
        "\u{202e}\u{0}\u{7f}",
        "'; DROP TABLE products; --",
        &"z".repeat(256),
        &"a ".repeat(128),
        &"日".repeat(256),
        &["wort"; 32].join(" "),
        &"\u{301}".repeat(256),
    ] {
        let answer = index.answer(&search_for(words)).await;
        assert!(answer.total <= 2, "{words}");
    }
    let as_text = search_for("\"lamp\" AND -table");
    let as_text = SearchRequest { operators: false, match_mode: MatchMode::All, ..as_text };
    assert_eq!(index.found(&as_text).await, ["a"]);
    assert_eq!(index.words("\"lamp\" -table").await, ["b"]);
    assert_eq!(index.words("lamp*").await.len(), 2);
}

async fn highlights_are_escaped(index: &Index) {
    let lamp = serde_json::json!({
        "name": "<b>Desk</b> lamp & \"lampshade\"", "brand": "Lampé", "sku": "L-1",
        "category": "Home > Lamps", "tags": ["a<b", "lamp"], "description": format!("{} the lamp's {}", "word ".repeat(99), "end ".repeat(99)),
    });
    index.add([product("a", lamp)]).await;
    let highlights = index.answer(&search_for("lamp")).await.hits.remove(0).highlights;
    assert_eq!(highlights["name"], "Desk <em>lamp</em> &amp; &quot;<em>lampshade</em>&quot;");
    assert_eq!(highlights["brand"], "<em>Lampé</em>");
    assert_eq!(highlights["category"], "Home &gt; <em>Lamps</em>");
    assert_eq!(highlights["tags"], "a&lt;b, <em>lamp</em>");
    assert!(!highlights.contains_key("sku"));
    let description = &highlights["description"];
    assert!(
        description.contains("the <em>lamp&#39;s</em>") && description.chars().count() <= 230,
        "{description}"
    );
    let highlights = index.answer(&search_for("laamp")).await.hits.remove(0).highlights;
    assert!(highlights["name"].contains("<em>lamp</em>"), "a typo is marked where it was found");
    index.add([named("ja", "日本語の本")]).await;
    let highlights = index.answer(&search_for("日本語")).await.hits.remove(0).highlights;
    assert_eq!(highlights["name"], "<em>日本語</em>の本");
}

async fn a_misspelt_query_is_corrected(index: &Index) {
    index.add([named("a", "Intel processor"), named("b", "intel processor"), named("c", "professor")]).await;
    let corrected = async |words: &str| index.answer(&search_for(words)).await.corrected_query;
    assert_eq!(corrected("procesor intle").await.as_deref(), Some("processor intel"));
    assert_eq!(corrected("Qqqqqqqq").await, None, "nothing was found");
    assert_eq!(corrected("«Procesor», please").await.as_deref(), Some("«processor», please"));
    assert_eq!(corrected("«Procesor»: intel").await.as_deref(), Some("«processor»: intel"));
    assert_eq!(corrected("processor intel").await, None);
    assert_eq!(corrected("intel proc").await, None, "a beginning is no mistake");
    assert_eq!(corrected("").await, None);
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            every_field_is_searched,
            every_word_must_match,
            words_become_optional_if_few_products_have_all_of_them,
            other_orders_make_words_optional_only_if_nothing_matches,
            any_word_is_enough_in_mode_any,
            a_word_matches_in_singular_and_plural,
            words_match_joined_and_split,
            typos_match_up_to_the_number_that_the_length_allows,
            the_last_word_is_also_a_prefix,
            exact_matches_rank_above_prefixes_above_typos,
            an_empty_query_matches_everything,
            scripts_without_spaces_match,
            case_accents_and_hyphens_do_not_matter,
            hostile_words_are_harmless,
            highlights_are_escaped,
            a_misspelt_query_is_corrected,
        ]
    }
}
