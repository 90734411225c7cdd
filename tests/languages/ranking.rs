//! The order of products in each language: a thing comes before what goes with it.

use std::sync::Arc;

use domain::ports::{IndexWriter, SearchIndex};
use domain::search::SearchRequest;
use domain::{Change, Currency, Language};

use super::product;
use crate::support::indexes;

/// Names of products, and queries with the name that must come first.
struct Ranking {
    language: Language,
    names: &'static [&'static str],
    firsts: &'static [(&'static str, &'static str)],
}

const RANKINGS: &[Ranking] = &[
    Ranking {
        language: Language::French,
        names: &["Ampoule lampe", "Lampe de bureau", "Housse ordinateur", "Ordinateur portable gris"],
        firsts: &[
            ("lampe", "Lampe de bureau"),
            ("ampoule lampe", "Ampoule lampe"),
            ("ordinateur", "Ordinateur portable gris"),
            ("housse ordinateur", "Housse ordinateur"),
        ],
    },
    Ranking {
        language: Language::Spanish,
        names: &["Funda portátil", "Portátil 15 pulgadas gris", "Bombilla de lámpara", "Lámpara de mesa"],
        firsts: &[("portátil", "Portátil 15 pulgadas gris"), ("lámpara", "Lámpara de mesa")],
    },
    Ranking {
        language: Language::German,
        names: &["Blaue Tasse", "Rote Tasse", "Hantel Set", "6 Kerzen mit Ständer im Set"],
        firsts: &[("set mit 6 roten tassen", "Rote Tasse"), ("satz tassen rot", "Rote Tasse")],
    },
    Ranking {
        language: Language::French,
        names: &["Verre à eau", "Verre à vin", "Lot de 6 chaises", "Lot de 6 bougies"],
        firsts: &[("lot de 6 verres à vin", "Verre à vin"), ("lot de 6 chaises", "Lot de 6 chaises")],
    },
    Ranking {
        language: Language::Spanish,
        names: &["Vaso azul", "Vaso rojo", "Juego de mesa", "Juego de 6 platos"],
        firsts: &[("juego de 6 vasos rojos", "Vaso rojo"), ("juego de mesa", "Juego de mesa")],
    },
    Ranking {
        language: Language::Turkish,
        names: &["Siyah kulaklık", "Beyaz kulaklık", "Çocuklar için yapboz"],
        firsts: &[
            ("çocuklar için beyaz kulaklık", "Beyaz kulaklık"),
            ("çocuklar için yapboz", "Çocuklar için yapboz"),
        ],
    },
];

#[tokio::test]
async fn a_thing_comes_before_what_goes_with_it_in_tantivy() {
    for ranking in RANKINGS {
        let (_folder, writer, searcher) = indexes::tantivy(ranking.language);
        check(&writer, &searcher, ranking).await;
    }
}

#[tokio::test]
async fn a_thing_comes_before_what_goes_with_it_in_opensearch() {
    for ranking in RANKINGS {
        let Some((writer, searcher)) = indexes::opensearch("ranking", ranking.language).await else { return };
        check(&writer, &searcher, ranking).await;
    }
}

/// Fills an empty index with the products and checks the first one of each query.
async fn check(writer: &dyn IndexWriter, index: &dyn SearchIndex, ranking: &Ranking) {
    let change = |(number, name): (usize, &&str)| {
        let json = serde_json::json!({ "id": number.to_string(), "name": name });
        Change::Create(Arc::new(product(json.to_string().as_bytes())))
    };
    writer.apply(&ranking.names.iter().enumerate().map(change).collect::<Vec<_>>()).await.unwrap();
    for (query, expected) in ranking.firsts {
        let words = (*query).to_owned();
        let answer =
            index.search(&SearchRequest { words, ..SearchRequest::all(Currency::USD) }).await.unwrap();
        let names: Vec<&str> = answer.hits.iter().map(|hit| hit.product.content.name.as_str()).collect();
        assert_eq!(names.first(), Some(expected), "{query} finds {names:?}, left out: {:?}", answer.relaxed);
    }
}
