//! Searching with a JSON body, one search or several in one call. A body must mean the same as the equivalent query
//! string.

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
            a_body_finds_what_the_query_string_finds,
            several_searches_are_answered_in_their_order,
            searches_of_one_call_see_one_state,
            a_faulty_body_is_refused_with_every_fault,
        ]
    }
}

/// Removes the duration, which differs between two runs of one search.
fn lasting(mut answer: Value) -> Value {
    answer.as_object_mut().unwrap().remove("took").expect("an answer says how long it took");
    answer
}

async fn post(app: &TestApp, body: &Value) -> Value {
    app.post("/products/search", body).await.expect(200).json()
}

async fn a_body_finds_what_the_query_string_finds(app: TestApp) {
    app.fill(&shop()).await;
    let cases = [
        (json!({}), ""),
        (json!({"query": "procesor intle"}), "query=procesor+intle"),
        (
            json!({"brand": ["AMD", "Hikari"], "tags": "black", "facets": ["brand", "price"], "facetSize": 1}),
            "brand=AMD&brand=Hikari&tags=black&facets=brand,price&facetSize=1",
        ),
        (
            json!({"attributes": {"colour": ["silver", "black"], "weight": "2000..2990"}, "priceRange": "-290"}),
            "attributes.colour=silver&attributes.colour=black&attributes.weight=2000..2990&priceRange=-290",
        ),
        (json!({"attributes": {"weight": 2990.0}}), "attributes.weight=2990"),
        (
            json!({"category": "Computers", "inStock": true, "sortBy": "price_asc", "page": 2, "pageSize": 1}),
            "category=Computers&inStock=true&sortBy=price_asc&page=2&pageSize=1",
        ),
        (json!({"currency": "EUR", "priceRange": ["0-"]}), "currency=EUR&priceRange=0-"),
    ];
    for (body, parameters) in cases {
        let found = post(&app, &body).await;
        assert_eq!(lasting(found), lasting(app.search(parameters).await.json()), "{body}");
    }
    let first = post(&app, &json!({"sortBy": "name", "pageSize": 2})).await;
    let second = json!({"pageSize": 2, "cursor": first["nextCursor"]});
    assert_eq!(app.post("/products/search", &second).await.ids(), ["p2", "p1"]);
}

async fn several_searches_are_answered_in_their_order(app: TestApp) {
    app.fill(&shop()).await;
    let searches =
        [json!({"query": "lamp"}), json!({"query": "nothing like it"}), json!({"facets": "brand"})];
    let body = json!({"searches": searches});
    let answer = post(&app, &body).await;
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for (result, search) in results.iter().zip(&searches) {
        assert_eq!(lasting(result.clone()), lasting(post(&app, search).await), "{search}");
    }
    assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
}

async fn searches_of_one_call_see_one_state(app: TestApp) {
    let searches = json!({"searches": vec![json!({"pageSize": 1}); 10]});
    let written = async {
        for number in 0..30 {
            app.post("/products", &json!({"name": format!("Lamp {number}")})).await.expect(201);
        }
        app.sync_all().await;
    };
    let searched = async {
        let mut totals = Vec::new();
        while totals.last() != Some(&30) {
            let answer = post(&app, &searches).await;
            let results = answer["results"].as_array().unwrap();
            let all: Vec<u64> = results.iter().map(|result| result["total"].as_u64().unwrap()).collect();
            assert!(all.iter().all(|total| *total == all[0]), "{all:?}");
            totals.push(all[0]);
        }
        assert!(totals.is_sorted(), "{totals:?}");
    };
    tokio::join!(written, searched);
}

async fn a_faulty_body_is_refused_with_every_fault(app: TestApp) {
    let path = "/products/search";
    let bodies: [(&str, u16, &[&str]); 7] = [
        ("{\"query\":", 400, &[]),
        ("", 400, &[]),
        ("[]", 422, &[""]),
        (r#"{"colour":"red"}"#, 422, &["colour"]),
        (r#"{"priceRange":"9-1","pageSize":0,"brand":1}"#, 422, &["brand", "priceRange", "pageSize"]),
        (
            r#"{"searches":[{"query":"lamp"},{"priceRange":"abc","colour":1}]}"#,
            422,
            &["searches[1].colour", "searches[1].priceRange"],
        ),
        (r#"{"searches":[]}"#, 422, &["searches"]),
    ];
    for (body, status, fields) in bodies {
        let problem = app.post_text(path, "application/json", body).await.problem(status);
        assert_eq!(Answer::faulty_fields(&problem), fields, "{body}: {problem}");
    }
    app.post_text(path, "text/plain", "{}").await.problem(415);
    Answer::of(app.request(Method::POST, path).body("{}")).await.problem(415);
    app.post_text(path, "application/json", format!("{{\"query\":\"{}\"}}", "a".repeat(1 << 20)))
        .await
        .problem(413);
    let problem = app.post_text("/products/search?query=lamp", "application/json", "{}").await.problem(400);
    assert_eq!(Answer::faulty_fields(&problem), ["query"]);
}
