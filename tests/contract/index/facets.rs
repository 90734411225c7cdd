//! Facets and their values.

use domain::PriceRange;
use domain::search::{AttributeFilter, Facet, FacetRequest, Field};

use super::{
    Index, IndexLocation, OpenSearchAlias, TantivyFolder, add_shelf, attribute, product, search_for, values,
};
use crate::support::on_each;

async fn facets_ignore_their_own_filters(index: &Index) {
    add_shelf(index).await;
    let mut request = search_for("");
    let colour = Field::Attribute("colour".into());
    request.facets = vec![Field::Brand, Field::Category, Field::Tags, Field::Price, colour];
    request.filters.brand = vec!["Acme".into()];
    request.filters.price = vec![PriceRange { min: None, max: Some(2500) }];
    let answer = index.answer(&request).await;
    assert_eq!(answer.total, 1);
    let order: Vec<_> = answer.facets.iter().map(|(field, _)| field.clone()).collect();
    assert_eq!(order, request.facets);
    let facet = |at: usize| &answer.facets[at].1;
    assert_eq!(values(facet(0)), [("Acme", 1), ("acme", 1)], "by the price alone");
    assert_eq!(values(facet(1)), [("Home", 1), ("Home > Lamps", 1), ("Home > Lamps > Desk", 1)]);
    assert_eq!(values(facet(2)), [("new", 1), ("red", 1)]);
    assert_eq!(values(facet(4)), [("red", 1)]);
    let Facet::Price(Some(price)) = facet(3) else { panic!("{answer:?}") };
    assert_eq!((price.min, price.max, price.count), (1000, 1000, 1), "by the brand alone");
    request.filters.brand.clear();
    let answer = index.answer(&request).await;
    let expected = domain::search::price_facet(&[(1000, 1), (2050, 1), (3000, 1)]);
    assert_eq!(answer.facets[3].1, Facet::Price(expected), "its own filter does not count");
}

async fn facet_values_match_a_prefix(index: &Index) {
    add_shelf(index).await;
    let mut request =
        FacetRequest { search: search_for(""), field: Field::Brand, prefix: "AC".into(), limit: 10 };
    let values = async |request: &FacetRequest| -> Vec<(String, u64)> {
        let values = index.searcher.facet_values(request).await.unwrap();
        values.into_iter().map(|value| (value.value, value.count)).collect()
    };
    assert_eq!(values(&request).await, [("Acme".into(), 1), ("acme".into(), 1)]);
    request.limit = 1;
    assert_eq!(values(&request).await, [("Acme".into(), 1)]);
    request = FacetRequest { field: Field::Category, prefix: "lam".into(), limit: 9, ..request };
    let expected = [("Lamps", 1), ("Home > Lamps", 2), ("Home > Lamps > Desk", 1)];
    assert_eq!(
        values(&request).await,
        expected.map(|(value, count)| (value.to_owned(), count)),
        "words inside"
    );
    request.prefix = "hmoe > lam".into();
    let expected = [("Home > Lamps", 2), ("Home > Lamps > Desk", 1)];
    assert_eq!(
        values(&request).await,
        expected.map(|(value, count)| (value.to_owned(), count)),
        "with a typo"
    );
    request.prefix = "lapm".into();
    request.limit = 1;
    assert_eq!(values(&request).await, [("Home > Lamps".into(), 2)]);
    request = FacetRequest { field: Field::Category, prefix: String::new(), limit: 2, ..request };
    assert_eq!(values(&request).await, [("Home".into(), 3), ("Home > Lamps".into(), 2)]);
    request.search.words = "delta".into();
    assert_eq!(values(&request).await, [("Lamps".into(), 1)]);
    request.search.words.clear();
    request.search.filters.in_stock = Some(false);
    assert_eq!(values(&request).await, [("Home".into(), 2), ("Home > Lamps".into(), 1)]);
}

async fn a_facet_has_the_number_of_its_values(index: &Index) {
    let long = "long ".repeat(500);
    index
        .add((0..30).map(|n| {
            let attributes =
                serde_json::json!({ "n": n, "s": [format!("s{}", n % 3), "all", "all"], "long": long });
            product(&format!("p{n}"), serde_json::json!({ "name": "x", "attributes": attributes }))
        }))
        .await;
    let mut request = search_for("");
    request.facet_values = 2;
    request.facets = ["n", "s", "long", "none"].map(|key| Field::Attribute(key.to_owned())).to_vec();
    let answer = index.answer(&request).await;
    let distinct: Vec<usize> = answer
        .facets
        .iter()
        .map(|(_, facet)| match facet {
            Facet::Values { distinct, .. } => *distinct,
            Facet::Price(_) => panic!("{facet:?}"),
        })
        .collect();
    assert_eq!(distinct, [30, 4, 1, 0]);
    assert_eq!(values(&answer.facets[0].1), [("0", 1), ("1", 1)]);
    assert_eq!(values(&answer.facets[1].1), [("all", 30), ("s0", 10)], "a value counts once for a product");
    assert_eq!(values(&answer.facets[2].1), [(long.as_str(), 30)], "also when it is long");
    request.filters.attributes = attribute("long", &[AttributeFilter::Equals(long.clone())]);
    assert_eq!(index.answer(&request).await.total, 30);
    request.filters.attributes = attribute("long", &[AttributeFilter::Equals(format!("{long}."))]);
    assert_eq!(index.answer(&request).await.total, 0);
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            facets_ignore_their_own_filters,
            facet_values_match_a_prefix,
            a_facet_has_the_number_of_its_values,
        ]
    }
}
