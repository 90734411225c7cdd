//! Bodies as the clients send them.

use domain::search::{PageStart, Sort};
use serde_json::json;

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "so that tests read well")]
fn queries(requests: Value) -> Result<Vec<Query>, String> {
    let body = json!({ "requests": requests }).to_string();
    read_queries(body.as_bytes(), Currency::USD).map_err(|error| error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "so that tests read well")]
fn products(request: Value) -> ProductQuery {
    match queries(json!([request])).unwrap().remove(0) {
        Query::Products(query) => *query,
        Query::FacetValues(query) => panic!("{query:?}"),
    }
}

#[test]
fn version_5_sends_members_and_version_4_an_encoded_text() {
    let members = json!({
        "indexName": "products_price_asc", "query": "lamp", "page": 1, "hitsPerPage": 5, "maxValuesPerFacet": 10,
        "facets": ["brand", "price", "categories.lvl0", "categories.lvl1"],
        "facetFilters": [["brand:Acme", "brand:\\-odd"]], "numericFilters": ["price>=10", "price<=50"],
        "highlightPreTag": "__ais-highlight__", "highlightPostTag": "__/ais-highlight__", "clickAnalytics": true,
    });
    let encoded = "query=lamp&page=1&hitsPerPage=5&maxValuesPerFacet=10&facets=%5B%22brand%22%2C%22price%22%2C%22categories.lvl0%22%2C\
                   %22categories.lvl1%22%5D&facetFilters=%5B%5B%22brand%3AAcme%22%2C%22brand%3A%5C%5C-odd%22%5D%5D&numericFilters=%5B%22\
                   price%3E%3D10%22%2C%22price%3C%3D50%22%5D&highlightPreTag=__ais-highlight__&highlightPostTag=__%2Fais-highlight__\
                   &clickAnalytics=true";
    let query = products(members);
    assert_eq!(query, products(json!({"indexName": "products_price_asc", "params": encoded})));
    let ProductQuery { request, view, auto_facets } = query;
    assert_eq!((request.sort, request.page.start), (Sort::PriceAsc, PageStart::Number(2)));
    assert_eq!(request.facets, [Field::Brand, Field::Price, Field::Category]);
    assert_eq!(request.filters.brand, ["Acme", "-odd"]);
    assert_eq!(request.filters.price, [domain::PriceRange { min: Some(1000), max: Some(5000) }]);
    assert_eq!((view.page, view.hits_per_page, view.has_query_id, auto_facets), (1, 5, true, false));
}

#[test]
fn a_query_that_only_counts_has_no_hits() {
    let ProductQuery { request, view, .. } =
        products(json!({"indexName": "products", "hitsPerPage": 0, "facets": "brand", "analytics": false}));
    assert_eq!((request.page.size, view.hits_per_page), (1, 0));
    assert_eq!(request.facets, [Field::Brand]);
    let ProductQuery { view, .. } = products(json!({"indexName": "products", "page": 9999}));
    assert!(view.is_out_of_reach);
    let ProductQuery { auto_facets, request, .. } =
        products(json!({"indexName": "products", "facets": ["*"]}));
    assert!(auto_facets && request.facets.is_empty());
}

#[test]
fn values_of_a_facet_are_searched_in_the_same_body() {
    let facet = json!({"type": "facet", "indexName": "products", "facet": "brand", "facetQuery": "ac", "maxFacetHits": 5,
        "query": "lamp", "facets": ["brand"], "hitsPerPage": 20});
    let found = queries(json!([facet])).unwrap();
    let [Query::FacetValues(query)] = found.as_slice() else { panic!("{found:?}") };
    let FacetRequest { search, field, prefix, limit } = &query.request;
    assert_eq!((search.words.as_str(), field, prefix.as_str(), *limit), ("lamp", &Field::Brand, "ac", 5));
}

#[test]
fn faults_name_the_search_and_the_parameter() {
    for (requests, fault) in [
        (json!([{}]), "requests[0].indexName: is missing"),
        (
            json!([{"indexName": "products"}, {"indexName": "products", "page": -1}]),
            "requests[1].page: must be a number",
        ),
        (json!([{"indexName": "other"}]), "there is no index \"other\""),
        (json!([{"indexName": "products_cheap"}]), "there is no index"),
        (json!([{"indexName": "products", "hitsPerPage": 101}]), "hitsPerPage"),
        (json!([{"indexName": "products", "facetFilters": ["brand"]}]), "facetFilters"),
        (json!([{"indexName": "products", "filters": "brand"}]), "filters: ends where"),
        (json!([{"indexName": "products", "aroundLatLng": "1,2"}]), "aroundLatLng"),
        (json!([{"indexName": "products", "highlightPreTag": "x".repeat(101)}]), "highlightPreTag"),
        (
            json!([{"indexName": "products", "facets": (0..51).map(|key| format!("k{key}")).collect::<Vec<_>>()}]),
            "facets",
        ),
        (json!([{"indexName": "products", "filters": "NOT objectID:a"}]), "`objectID` cannot be filtered by"),
        (json!([{"indexName": "products", "type": "facet"}]), "facet: is missing"),
        (json!([{"indexName": "products", "type": "facet", "facet": "price"}]), "no list of values"),
        (json!([1]), "requests[0]: must be an object"),
        (json!(1), "requests: must be a list"),
    ] {
        let found = queries(requests.clone()).unwrap_err();
        assert!(found.contains(fault), "{requests}: {found}");
    }
    let many = vec![json!({"indexName": "products"}); MAX_SEARCHES + 1];
    assert!(queries(many.into()).is_err());
    assert!(read_queries(b"{", Currency::USD).is_err());
    let conditions = vec!["brand:A"; filters::MAX_CONDITIONS + 1];
    assert!(queries(json!([{"indexName": "products", "facetFilters": conditions}])).is_err());
}
