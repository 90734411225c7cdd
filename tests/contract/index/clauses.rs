//! Clauses: conditions with alternatives across fields, and negations.

use domain::PriceRange;
use domain::search::{Alternative, Clause, FacetRequest, Field, Filters, SearchRequest};
use serde_json::json;

use super::{Index, IndexLocation, OpenSearchAlias, TantivyFolder, ids, product, search_for, values};
use crate::support::on_each;

async fn add_lamps(index: &Index) {
    let lamps = [
        ("a", json!({"name": "lamp", "brand": "Acme", "tags": ["new", "sale"], "price": 20})),
        ("b", json!({"name": "lamp", "brand": "Bolt", "tags": ["new"], "price": 30})),
        ("c", json!({"name": "lamp", "brand": "Acme", "price": 40})),
        ("d", json!({"name": "lamp"})),
    ];
    index.add(lamps.map(|(id, lamp)| product(id, lamp))).await;
}

fn brand(brand: &str) -> Filters {
    Filters { brand: vec![brand.to_owned()], ..Filters::default() }
}

fn tag(tag: &str) -> Filters {
    Filters { tags: vec![tag.to_owned()], ..Filters::default() }
}

fn is(filters: Filters) -> Alternative {
    Alternative { filters, is_negated: false }
}

fn not(filters: Filters) -> Alternative {
    Alternative { filters, is_negated: true }
}

fn lamps(clauses: &[&[Alternative]]) -> SearchRequest {
    let clauses = clauses.iter().map(|alternatives| Clause(alternatives.to_vec())).collect();
    SearchRequest { clauses, facets: vec![Field::Brand, Field::Tags], ..search_for("lamp") }
}

async fn every_clause_must_be_met_by_one_of_its_alternatives(index: &Index) {
    add_lamps(index).await;
    let cheap = Filters { price: vec![PriceRange { min: None, max: Some(2500) }], ..Filters::default() };
    for (clauses, found) in [
        (&[&[is(brand("Acme"))][..]][..], &["a", "c"][..]),
        (&[&[not(brand("Acme"))]], &["b", "d"]),
        (&[&[is(brand("Bolt")), is(cheap.clone())]], &["a", "b"]),
        (&[&[is(brand("Bolt")), not(tag("new"))]], &["b", "c", "d"]),
        (&[&[is(tag("new"))], &[is(tag("sale"))]], &["a"]),
        (&[&[is(Filters { tags: vec!["sale".to_owned()], ..brand("Acme") })]], &["a"]),
        (&[&[not(Filters { tags: vec!["sale".to_owned()], ..brand("Acme") })]], &["b", "c", "d"]),
        (&[&[]], &[]),
        (&[], &["a", "b", "c", "d"]),
    ] {
        let answer = index.answer(&lamps(clauses)).await;
        assert_eq!((ids(&answer), answer.total), (found.to_vec(), found.len() as u64), "{clauses:?}");
    }
}

async fn facets_of_the_same_field_obey_clauses(index: &Index) {
    add_lamps(index).await;
    let answer = index.answer(&lamps(&[&[is(brand("Acme"))]])).await;
    assert_eq!(values(&answer.facets[0].1), [("Acme", 2)]);
    assert_eq!(values(&answer.facets[1].1), [("new", 1), ("sale", 1)]);
    let filtered = SearchRequest { filters: brand("Bolt"), ..lamps(&[&[not(tag("sale"))]]) };
    let answer = index.answer(&filtered).await;
    assert_eq!(ids(&answer), ["b"]);
    assert_eq!(
        values(&answer.facets[0].1),
        [("Acme", 1), ("Bolt", 1)],
        "the filter does not count, the clause does"
    );
    let request = FacetRequest {
        search: lamps(&[&[not(brand("Bolt"))]]),
        field: Field::Brand,
        prefix: String::new(),
        limit: 9,
    };
    let brands = index.searcher.facet_values(&request).await.unwrap();
    assert_eq!(brands.iter().map(|value| value.value.as_str()).collect::<Vec<_>>(), ["Acme"]);
}

async fn words_become_optional_regardless_of_clauses(index: &Index) {
    add_lamps(index).await;
    let mut request = lamps(&[&[is(brand("Bolt"))]]);
    request.words = "lamp unknownword".to_owned();
    let answer = index.answer(&request).await;
    assert_eq!((ids(&answer), answer.relaxed.as_slice()), (vec!["b"], &["unknownword".to_owned()][..]));
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            every_clause_must_be_met_by_one_of_its_alternatives,
            facets_of_the_same_field_obey_clauses,
            words_become_optional_regardless_of_clauses,
        ]
    }
}
