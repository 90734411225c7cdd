//! Suggestions while a shopper types.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::scenarios::{on_opensearch, on_tantivy, shop};
use crate::support::{Answer, TestApp, on_each};

on_each! {
    {
        tantivy: on_tantivy().await;
        opensearch: on_opensearch().await;
    }
    {
        |app| (app) [
            what_was_typed_goes_on_as_products_are_named,
            typos_are_corrected_in_what_is_suggested,
            products_come_in_short_and_categories_with_counts,
            filters_hold_for_suggestions,
            suggestions_are_cached_as_a_search_is,
            faulty_suggestions_are_refused,
        ]
    }
}

async fn suggested(app: &TestApp, parameters: &str) -> Value {
    app.get(&format!("/products/suggest?{parameters}")).await.expect(200).json()
}

async fn completions(app: &TestApp, query: &str) -> Vec<String> {
    let parameters = format!("query={}", query.replace(' ', "+"));
    let answer = suggested(app, &parameters).await;
    serde_json::from_value(answer["completions"].clone()).unwrap()
}

async fn what_was_typed_goes_on_as_products_are_named(app: TestApp) {
    app.fill(&shop()).await;
    assert_eq!(completions(&app, "proc").await, ["processor", "processor cooler"]);
    assert_eq!(completions(&app, "intel c").await, ["intel core", "intel core i7", "intel core i5"]);
    assert_eq!(completions(&app, "desk l").await, ["desk lamp"]);
    assert_eq!(completions(&app, "Intel Core i7 processor").await, [""; 0]);
    assert_eq!(completions(&app, "").await, [""; 0]);
    assert_eq!(suggested(&app, "query=+-+").await["products"], json!([]));
    // Every suggestion matches a product.
    for query in ["p", "i", "c", "a", "d", "intel", "proce", "black", "computers", "home l", "noc"] {
        for completion in completions(&app, query).await {
            let found = app.search(&format!("query={}", completion.replace(' ', "+"))).await.json();
            assert!(found["total"].as_u64() > Some(0), "{query}: {completion}");
            assert_eq!(found.get("correctedQuery"), None, "{query}: {completion}");
        }
    }
}

async fn typos_are_corrected_in_what_is_suggested(app: TestApp) {
    app.fill(&shop()).await;
    assert_eq!(completions(&app, "procesor int").await, ["processor intel", "processor intel core"]);
    assert_eq!(completions(&app, "hikary").await, ["hikari"]);
    assert_eq!(completions(&app, "zzzz").await, [""; 0]);
}

async fn products_come_in_short_and_categories_with_counts(app: TestApp) {
    app.fill(&shop()).await;
    let images = json!({"images": ["https://shop.example/1.jpg", "https://shop.example/2.jpg"]});
    app.patch("/products/p5", &images).await.expect(200);
    app.sync_all().await;
    let answer = suggested(&app, "query=lam").await;
    assert_eq!(
        answer["products"],
        json!([{"id": "p5", "name": "Desk lamp", "brand": "Hikari", "image": "https://shop.example/1.jpg",
                "price": 39.9, "currency": "USD"}])
    );
    assert!(answer["took"].is_f64());
    let answer = suggested(&app, "query=proc&limit=2").await;
    assert_eq!(answer["products"].as_array().unwrap().len(), 2);
    let categories = json!([{"value": "Computers > Processors", "count": 3}, {"value": "Computers > Cooling", "count": 1}]);
    assert_eq!(answer["categories"], categories);
}

async fn filters_hold_for_suggestions(app: TestApp) {
    app.fill(&shop()).await;
    let answer = suggested(&app, "query=p&category=Computers&priceRange=-60").await;
    assert_eq!(answer["products"][0]["id"], "p4");
    assert_eq!(answer["products"].as_array().unwrap().len(), 1);
    assert_eq!(answer["completions"], json!(["processor", "processor cooler"]));
    assert_eq!(suggested(&app, "query=lamp&brand=Intel").await["completions"], json!([]));
}

async fn suggestions_are_cached_as_a_search_is(app: TestApp) {
    app.fill(&shop()).await;
    let path = "/products/suggest?query=lam";
    let first = app.get(path).await;
    assert_eq!(
        first.header("cache-control"),
        "public, max-age=60, stale-while-revalidate=60, stale-if-error=3600"
    );
    let tag = first.header("etag").to_owned();
    let again = || Answer::of(app.request(Method::GET, path).header("if-none-match", &tag));
    again().await.expect(304);
    app.put("/products/p6", &json!({"name": "Lamington"})).await.expect(201);
    app.sync_all().await;
    let completions = again().await.expect(200).json()["completions"].clone();
    assert_eq!(completions, json!(["lamp", "lamington"]));
}

async fn faulty_suggestions_are_refused(app: TestApp) {
    let cases: [(&str, &[&str]); 5] = [
        ("limit=0", &["limit"]),
        ("limit=21", &["limit"]),
        ("query=a&query=b", &["query"]),
        ("query=lamp&facets=brand&page=1", &["facets", "page"]),
        ("q=lamp&priceRange=9-1", &["priceRange", "q"]),
    ];
    for (parameters, fields) in cases {
        let problem = app.get(&format!("/products/suggest?{parameters}")).await.problem(400);
        assert_eq!(Answer::faulty_fields(&problem), fields, "{parameters}");
    }
}
