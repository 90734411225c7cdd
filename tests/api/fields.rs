//! Choosing the fields of the products found.

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
            products_have_the_chosen_fields_only,
            similar_products_have_the_chosen_fields_only,
            a_body_chooses_fields_as_a_query_string_does,
            unknown_fields_are_refused_with_a_hint,
            a_choice_has_an_entity_tag_of_its_own,
        ]
    }
}

/// Returns the first product of a response.
fn first(answer: &Answer) -> Value {
    answer.json()["products"][0].clone()
}

async fn products_have_the_chosen_fields_only(app: TestApp) {
    app.fill(&shop()).await;
    let chosen = async |fields: &str| first(&app.search(&format!("query=desk+lamp&fields={fields}")).await);
    assert_eq!(chosen("name,price").await, json!({"id": "p5", "name": "Desk lamp", "price": 39.9}));
    assert_eq!(chosen("id").await, json!({"id": "p5"}));
    assert_eq!(
        chosen("+stock,+brand&fields=stock").await,
        json!({"id": "p5", "brand": "Hikari", "stock": 1})
    );
    assert_eq!(
        chosen("attributes.colour,attributes.none").await,
        json!({"id": "p5", "attributes": {"colour": "black"}})
    );
    assert_eq!(
        chosen("attributes").await,
        json!({"id": "p5", "attributes": {"colour": "black", "weight": 399.0}})
    );
    assert_eq!(chosen("description").await, json!({"id": "p5"}), "it has none");
    assert_eq!(
        chosen("highlights").await,
        json!({"id": "p5", "highlights": {"name": "<em>Desk</em> <em>lamp</em>", "category": "Home &gt; <em>Lamps</em>"}})
    );
    let explained = chosen("score&explain=true").await;
    let names: Vec<&String> = explained.as_object().unwrap().keys().collect();
    assert_eq!(names, ["explanation", "id", "score"], "{explained}");
    // The rest of the response is unchanged.
    let answer = app.search("query=desk+lamp&fields=id&facets=brand").await.json();
    assert_eq!(
        (&answer["total"], answer["facets"]["brand"]["values"].as_array().unwrap().len()),
        (&json!(1), 1)
    );
}

async fn similar_products_have_the_chosen_fields_only(app: TestApp) {
    app.fill(&shop()).await;
    let answer = app.get("/products/p1/similar?fields=brand,attributes.colour&limit=1").await.expect(200);
    assert_eq!(first(&answer), json!({"id": "p2", "brand": "Intel", "attributes": {"colour": "silver"}}));
    let problem = app.get("/products/p1/similar?fields=brnad").await.problem(400);
    assert_eq!(Answer::faulty_fields(&problem), ["fields"]);
}

async fn a_body_chooses_fields_as_a_query_string_does(app: TestApp) {
    app.fill(&shop()).await;
    let searches = [
        json!({"query": "lamp", "fields": ["name", "attributes.colour"]}),
        json!({"query": "lamp", "fields": "name"}),
        json!({"query": "lamp", "fields": null, "pageSize": 1}),
    ];
    let answer = app.post("/products/search", &json!({"searches": searches})).await.expect(200).json();
    let first = |at: usize| answer["results"][at]["products"][0].clone();
    assert_eq!(first(0), json!({"id": "p5", "name": "Desk lamp", "attributes": {"colour": "black"}}));
    assert_eq!(first(1), json!({"id": "p5", "name": "Desk lamp"}));
    assert_eq!(first(2)["brand"], "Hikari");
    let problem = app.post("/products/search", &json!({"fields": ["nmae"]})).await.problem(422);
    assert_eq!(Answer::faulty_fields(&problem), ["fields"]);
}

async fn unknown_fields_are_refused_with_a_hint(app: TestApp) {
    for (fields, hint) in [
        ("nmae", "did you mean `name`?"),
        ("id,created_at", "did you mean `createdAt`?"),
        ("colour", "`attributes.KEY`, not `colour`"),
        ("attributes.", "must be one of id, name, "),
        ("name,*", "not `*`"),
        ("", "must be one of id, name, "),
    ] {
        let problem = app.get(&format!("/products/search?fields={fields}")).await.problem(400);
        assert_eq!(Answer::faulty_fields(&problem), ["fields"], "{fields}");
        assert!(problem["detail"].as_str().unwrap().contains(hint), "{problem}");
    }
    let problem = app.get("/products/search?field=name").await.problem(400);
    assert!(problem["detail"].as_str().unwrap().contains("did you mean `fields`?"), "{problem}");
    let problem = app.get("/products/suggest?fields=name").await.problem(400);
    assert!(problem["detail"].as_str().unwrap().contains("has no effect here"), "{problem}");
}

async fn a_choice_has_an_entity_tag_of_its_own(app: TestApp) {
    app.fill(&shop()).await;
    let all = app.search("query=lamp").await;
    let some = app.search("query=lamp&fields=name").await;
    assert_eq!(first(&some), json!({"id": "p5", "name": "Desk lamp"}), "not the cached one");
    assert_ne!(all.header("etag"), some.header("etag"));
    assert_eq!(some.header("etag"), app.search("fields=name,+name&query=lamp").await.header("etag"));
}
