//! Signs: conjunctions, trademark signs, units, words with signs, and queries of signs alone.

use std::collections::BTreeSet;

use domain::search::SearchRequest;
use serde_json::json;

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, ids, named, product, search_for};
use crate::support::on_each;

/// Returns the ids of the products that have all words, sorted.
async fn found(index: &Index, words: &str) -> Vec<String> {
    let found: BTreeSet<String> = index.words(words).await.into_iter().collect();
    found.into_iter().collect()
}

async fn signs_and_words_for_and_are_one(index: &Index) {
    index
        .add([
            named("and", "Barnes and Noble gift card"),
            named("sign", "Barnes & Noble reader"),
            named("tight", "Barnes+Noble cover"),
            named("other", "Noble lamp"),
            product("drill", json!({"name": "Drill", "brand": "Black & Decker"})),
            named("mill", "Salt and pepper mill"),
            named("android", "Android tablet"),
        ])
        .await;
    for words in ["barnes and noble", "Barnes & Noble", "barnes&noble", "barnes + noble", "barnes noble"] {
        assert_eq!(found(index, words).await, ["and", "sign", "tight"], "{words}");
    }
    for words in ["black and decker drill", "black & decker drill", "black+decker"] {
        assert_eq!(found(index, words).await, ["drill"], "{words}");
    }
    assert_eq!(found(index, "salt & pepper").await, ["mill"]);
    assert_eq!(
        found(index, "black and").await,
        ["drill"],
        "the sign is the word where the word is looked for"
    );
    assert_eq!(found(index, "tablet and").await, ["android"], "the last word may be a beginning");
    let scores = async |words: &str| -> Vec<Option<u32>> {
        let hits = index.answer(&SearchRequest { ..search_for(words) }).await.hits;
        hits.iter().map(|hit| Some(hit.score.to_bits())).collect()
    };
    assert_eq!(scores("barnes and noble").await, scores("barnes & noble").await);
}

async fn marks_of_owners_and_apostrophes_are_nothing(index: &Index) {
    index
        .add([
            named("lego", "LEGO™ bus"),
            named("gore", "Gore-Tex™ jacket"),
            named("intel", "Intel® Core™ processor"),
            named("men", "Men\u{2BC}s belt"),
            named("women", "Women’s hat"),
        ])
        .await;
    for (words, expected) in [
        ("lego bus", "lego"),
        ("goretex", "gore"),
        ("gore-tex jacket", "gore"),
        ("intel core", "intel"),
        ("intel core™", "intel"),
        ("men's belt", "men"),
        ("mens belt", "men"),
        ("women\u{2BC}s", "women"),
    ] {
        assert_eq!(found(index, words).await, [expected], "{words}");
    }
    assert!(found(index, "tm").await.is_empty());
}

async fn units_are_found_as_people_type_them(index: &Index) {
    index
        .add([
            named("capacitor", "Capacitor 22 µF"),
            named("paint", "Paint for 30 m²"),
            named("resistor", "Resistor 10 kΩ"),
            named("valve", "Valve 3½ inch"),
            named("arabic", "سماعات ٣٥"),
            named("hindi", "किताब १२"),
        ])
        .await;
    for (words, expected) in [
        ("22uf", "capacitor"),
        ("22 μF", "capacitor"),
        ("22µf", "capacitor"),
        ("30 m2", "paint"),
        ("30 m²", "paint"),
        ("30m2", "paint"),
        ("30m²", "paint"),
        ("10 kohm", "resistor"),
        ("10kΩ", "resistor"),
        ("3 1/2 inch", "valve"),
        ("3 ½ inch", "valve"),
        ("35", "arabic"),
        ("٣٥", "arabic"),
        ("12", "hindi"),
    ] {
        assert_eq!(found(index, words).await, [expected], "{words}");
    }
}

async fn words_with_signs_are_words_of_their_own(index: &Index) {
    index
        .add([
            named("cpp", "C++ primer"),
            named("csharp", "C# in depth"),
            named("vitamin", "Vitamin C"),
            named("dotnet", "Learning .NET"),
            named("fishing", "Fishing net"),
            named("label", "Fridge rating A+"),
            named("line", "Line A"),
        ])
        .await;
    for (words, expected) in [
        ("c++", &["cpp"][..]),
        ("C#", &["csharp"]),
        ("c", &["cpp", "csharp", "vitamin"]),
        (".net", &["dotnet"]),
        ("net", &["dotnet", "fishing"]),
        ("a+", &["label"]),
        ("line a", &["line"]),
    ] {
        assert_eq!(found(index, words).await, expected, "{words}");
    }
    let marked = index.answer(&search_for("c++")).await.hits.remove(0).highlights;
    assert_eq!(marked["name"], "<em>C++</em> primer");
}

async fn a_query_of_signs_finds_what_has_them_and_nothing_else(index: &Index) {
    index
        .add([
            named("pizza", "Socks 🍕"),
            named("both", "Socks 🍕🍔"),
            named("plain", "Socks - plain"),
            named("euro", "€ sign"),
        ])
        .await;
    for (words, expected) in [
        ("🍕", &["both", "pizza"][..]),
        ("🍕 🍔", &["both"]),
        ("€", &["euro"]),
        ("🎸", &[]),
        ("!? -", &[]),
        ("™", &[]),
        ("socks 🎸", &["both", "pizza", "plain"]),
    ] {
        assert_eq!(found(index, words).await, expected, "{words}");
    }
    let answer = index.answer(&search_for("🎸 -")).await;
    assert!(answer.total == 0 && ids(&answer).is_empty() && answer.relaxed.is_empty());
    let marked = index.answer(&search_for("🍔")).await.hits.remove(0).highlights;
    assert_eq!(marked["name"], "Socks 🍕<em>🍔</em>");
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            signs_and_words_for_and_are_one,
            marks_of_owners_and_apostrophes_are_nothing,
            units_are_found_as_people_type_them,
            words_with_signs_are_words_of_their_own,
            a_query_of_signs_finds_what_has_them_and_nothing_else,
        ]
    }
}
