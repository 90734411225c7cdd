//! Filters and currencies.

use domain::search::{AttributeFilter, Facet, Field, SearchRequest, Sort};
use domain::{Currency, PriceRange};

use super::{
    Index, IndexLocation, OpenSearchAlias, TantivyFolder, add_shelf, attribute, category, ids, search_for,
};
use crate::support::on_each;

async fn every_field_filters(index: &Index) {
    add_shelf(index).await;
    let range = |min, max| AttributeFilter::Range { min, max };
    let equals = |value: &str| AttributeFilter::Equals(value.to_owned());
    assert_eq!(index.filtered(|r| r.filters.category = vec![category("Home > Lamps")]).await, ["a", "b"]);
    assert_eq!(index.filtered(|r| r.filters.category = vec![category("Lamps")]).await, ["d"]);
    assert_eq!(index.filtered(|r| r.filters.brand = vec!["Acme".into()]).await, ["a"]);
    assert_eq!(index.filtered(|r| r.filters.tags = vec!["red".into()]).await, ["a", "b"]);
    assert_eq!(index.filtered(|r| r.filters.in_stock = Some(true)).await, ["a", "d", "e"]);
    assert_eq!(index.filtered(|r| r.filters.in_stock = Some(false)).await, ["b", "c"]);
    let price = |min, max| vec![PriceRange { min, max }];
    assert_eq!(index.filtered(|r| r.filters.price = price(Some(1000), Some(2050))).await, ["a", "b"]);
    assert_eq!(index.filtered(|r| r.filters.price = price(Some(1001), None)).await, ["b", "c"]);
    assert_eq!(index.filtered(|r| r.filters.price = price(None, Some(2049))).await, ["a"]);
    for (key, filter, found) in [
        ("watt", range(Some(5.0), Some(5.5)), vec!["a", "b"]),
        ("watt", range(None, Some(5.0)), vec!["a", "e"]),
        ("watt", range(Some(5.1), None), vec!["b"]),
        ("watt", range(Some(7.0), Some(6.0)), vec![]),
        ("watt", equals("5"), vec!["a", "c"]),
        ("watt", equals("5.5"), vec!["b"]),
        ("colour", equals("red"), vec!["a", "b"]),
        ("colour", equals("Red"), vec!["c"]),
        ("dim", equals("true"), vec!["a"]),
        ("unknown", equals("x"), vec![]),
    ] {
        let filtered =
            index.filtered(|r| r.filters.attributes = attribute(key, std::slice::from_ref(&filter))).await;
        assert_eq!(filtered, found, "{key} {filter:?}");
    }
}

async fn values_of_one_field_are_or_and_fields_are_and(index: &Index) {
    add_shelf(index).await;
    let brands = ["Acme".to_owned(), "Bolt".to_owned(), "nobody".to_owned()];
    assert_eq!(index.filtered(|r| r.filters.brand = brands.to_vec()).await, ["a", "c"]);
    let both = |r: &mut SearchRequest| {
        r.filters.brand = brands.to_vec();
        r.filters.in_stock = Some(true);
    };
    assert_eq!(index.filtered(both).await, ["a"]);
    let watts = [AttributeFilter::Equals("5".into()), AttributeFilter::Range { min: None, max: Some(0.0) }];
    assert_eq!(index.filtered(|r| r.filters.attributes = attribute("watt", &watts)).await, ["a", "c", "e"]);
    let colours = |r: &mut SearchRequest| {
        r.filters.attributes = attribute("watt", &watts);
        r.filters.attributes.extend(attribute("colour", &[AttributeFilter::Equals("red".into())]));
    };
    assert_eq!(index.filtered(colours).await, ["a"]);
    let words = |r: &mut SearchRequest| {
        r.words = "add_lamps".to_owned();
        r.filters.tags = vec!["red".into()];
    };
    assert_eq!(index.filtered(words).await.len(), 2);
}

async fn prices_count_in_one_currency_only(index: &Index) {
    add_shelf(index).await;
    let in_euro = |r: &mut SearchRequest| r.currency = Currency::parse("EUR").unwrap();
    let mut request = search_for("");
    in_euro(&mut request);
    request.filters.price = vec![PriceRange { min: Some(0), max: None }];
    request.facets = vec![Field::Price];
    let answer = index.answer(&request).await;
    assert_eq!(ids(&answer), ["d"]);
    let Facet::Price(Some(facet)) = &answer.facets[0].1 else { panic!("{answer:?}") };
    assert_eq!((facet.min, facet.max, facet.count), (1000, 1000, 1));
    request.filters.price.clear();
    request.sort = Sort::PriceAsc;
    assert_eq!(index.found(&request).await, ["d", "a", "b", "c", "e"]);
    request.words = "gamma".to_owned();
    let answer = index.answer(&request).await;
    assert_eq!(ids(&answer), ["c"], "other currencies are found by their words");
    assert_eq!(answer.facets[0].1, Facet::Price(None));
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            every_field_filters,
            values_of_one_field_are_or_and_fields_are_and,
            prices_count_in_one_currency_only,
        ]
    }
}
