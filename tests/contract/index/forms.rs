//! Singulars and plurals of English words.

use std::collections::BTreeSet;

use domain::search::{MatchMode, SearchRequest};

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, ids, named, search_for};
use crate::support::on_each;

async fn irregular_plurals_match_both_ways(index: &Index) {
    let pairs = [
        ("shelf", "shelves"),
        ("scarf", "scarves"),
        ("leaf", "leaves"),
        ("knife", "knives"),
        ("mouse", "mice"),
        ("foot", "feet"),
        ("tooth", "teeth"),
        ("child", "children"),
        ("man", "men"),
        ("woman", "women"),
        ("cookie", "cookies"),
        ("berry", "berries"),
        ("shoe", "shoes"),
        ("potato", "potatoes"),
        ("bus", "buses"),
        ("lens", "lenses"),
        ("canvas", "canvases"),
        ("iris", "irises"),
        ("person", "people"),
        ("cactus", "cacti"),
        ("bureau", "bureaux"),
        ("tableau", "tableaux"),
    ];
    let products = pairs.iter().flat_map(|(one, many)| [named(one, one), named(many, many)]);
    index.add(products).await;
    for (one, many) in pairs {
        for words in [one, many] {
            let found: BTreeSet<String> = index.words(words).await.into_iter().collect();
            assert!(found.contains(one) && found.contains(many), "{words} finds {found:?}");
            let marked = index.answer(&search_for(words)).await.hits;
            let both = marked
                .iter()
                .filter(|hit| hit.highlights.get("name").is_some_and(|name| name.starts_with("<em>")));
            assert!(both.count() >= 2, "{words} is marked");
        }
    }
}

async fn a_plural_and_its_singular_have_the_same_total(index: &Index) {
    let hoodie = |number: usize| named(&format!("one{number}"), "Hoodie");
    let hoodies = |number: usize| named(&format!("many{number}"), "Hoodies");
    index.add((0..30).map(hoodie).chain((0..25).map(hoodies))).await;
    for words in ["hoodie", "hoodies", "HOODIES"] {
        for match_mode in [MatchMode::Most, MatchMode::All] {
            let answer = index.answer(&SearchRequest { match_mode, ..search_for(words) }).await;
            assert_eq!((answer.total, answer.corrected_query), (55, None), "{words}");
        }
    }
}

async fn a_count_finds_no_computers(index: &Index) {
    index
        .add([
            named("screws", "Screws 20 pcs"),
            named("bolts", "Bolts, 20 pieces"),
            named("tower", "Gaming PC 20"),
            named("towers", "Gaming PCs 20"),
        ])
        .await;
    for words in ["20 pcs", "20 pieces", "20 piece"] {
        let request = SearchRequest { match_mode: MatchMode::Most, ..search_for(words) };
        let answer = index.answer(&request).await;
        let first: BTreeSet<&str> = ids(&answer).into_iter().take(2).collect();
        assert_eq!(first, ["bolts", "screws"].into(), "{words}");
    }
    let found: BTreeSet<String> = index.words("gaming pcs").await.into_iter().collect();
    assert_eq!(found, ["tower", "towers"].map(str::to_owned).into());
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            irregular_plurals_match_both_ways,
            a_plural_and_its_singular_have_the_same_total,
            a_count_finds_no_computers,
        ]
    }
}
