//! Similar products.

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
            the_same_category_comes_first_and_the_product_itself_never,
            filters_narrow_what_is_similar,
            similar_products_come_whole_with_their_score,
            only_products_that_search_finds_have_similar_ones,
            similar_products_are_cached_until_something_changes,
            faulty_requests_for_similar_products_are_refused,
        ]
    }
}

async fn the_same_category_comes_first_and_the_product_itself_never(app: TestApp) {
    app.fill(&shop()).await;
    assert_eq!(similar(&app, "p1", "").await, ["p2", "p3", "p4"], "most words in common first");
    assert_eq!(similar(&app, "p4", "").await[..3], ["p1", "p2", "p3"], "none of its category");
    assert_eq!(similar(&app, "p1", "limit=1").await, ["p2"]);
    // `p6` is more similar than `p7`, but `p7` is of the same category.
    app.put("/products/p6", &json!({"name": "Intel Core processor sticker", "category": "Toys"}))
        .await
        .expect(201);
    app.put("/products/p7", &json!({"name": "Nothing like it", "category": "Computers > Processors"}))
        .await
        .expect(201);
    app.sync_all().await;
    assert_eq!(similar(&app, "p1", "").await, ["p2", "p3", "p7", "p6", "p4"]);
}

async fn filters_narrow_what_is_similar(app: TestApp) {
    app.fill(&shop()).await;
    assert_eq!(similar(&app, "p1", "inStock=true").await, ["p3", "p4"]);
    assert_eq!(similar(&app, "p1", "category=Computers+%3E+Cooling").await, ["p4"]);
    assert_eq!(similar(&app, "p1", "priceRange=-100&attributes.colour=brown").await, ["p4"]);
    assert_eq!(similar(&app, "p1", "brand=Nobody").await, [""; 0]);
}

async fn similar_products_come_whole_with_their_score(app: TestApp) {
    app.fill(&shop()).await;
    let answer = app.get("/products/p1/similar").await.expect(200).json();
    let first = &answer["products"][0];
    let known = app.get("/products/p2").await.json();
    for (field, value) in known.as_object().unwrap() {
        assert_eq!(first[field], *value, "{field}");
    }
    let scores: Vec<f64> = answer["products"]
        .as_array()
        .unwrap()
        .iter()
        .map(|product| product["score"].as_f64().unwrap())
        .collect();
    assert!(scores[0] > scores[1] && scores[2] > 0.0, "{scores:?}");
}

async fn only_products_that_search_finds_have_similar_ones(app: TestApp) {
    app.fill(&shop()).await;
    app.put("/products/draft", &json!({"name": "Intel processor", "status": "draft"})).await.expect(201);
    app.delete("/products/p2").await.expect(200);
    app.sync_all().await;
    for id in ["nothing", "draft", "p2"] {
        let problem = app.get(&format!("/products/{id}/similar")).await.problem(404);
        assert!(problem["detail"].as_str().unwrap().contains(id), "{problem}");
    }
    assert_eq!(similar(&app, "p1", "").await, ["p3", "p4"], "neither drafts nor deleted ones");
    // A name without a significant word, and no other field.
    app.put("/products/code", &json!({"name": "X-100 (2023)"})).await.expect(201);
    app.sync_all().await;
    assert_eq!(similar(&app, "code", "").await, [""; 0]);
}

async fn similar_products_are_cached_until_something_changes(app: TestApp) {
    app.fill(&shop()).await;
    let path = "/products/p1/similar?limit=3";
    let tag = app.get(path).await.expect(200).header("etag").to_owned();
    let again = || Answer::of(app.request(Method::GET, path).header("if-none-match", &tag));
    again().await.expect(304);
    app.patch("/products/p1", &json!({"name": "Desk lamp", "category": null})).await.expect(200);
    app.sync_all().await;
    assert_eq!(again().await.expect(200).ids()[0], "p5");
}

async fn faulty_requests_for_similar_products_are_refused(app: TestApp) {
    app.fill(&shop()).await;
    let fields = async |parameters: &str| {
        let problem = app.get(&format!("/products/p1/similar?{parameters}")).await.problem(400);
        let fields: Vec<String> = Answer::faulty_fields(&problem).into_iter().map(str::to_owned).collect();
        fields
    };
    assert_eq!(fields("query=lamp&limit=101").await, ["limit", "query"]);
    assert_eq!(fields("colour=red&priceRange=x").await, ["priceRange", "colour"]);
    let problem: Value = app.get("/products/a%20b/similar").await.problem(422);
    assert_eq!(Answer::faulty_fields(&problem), ["id"]);
}

async fn similar(app: &TestApp, id: &str, parameters: &str) -> Vec<String> {
    app.get(&format!("/products/{id}/similar?{parameters}")).await.expect(200).ids()
}
