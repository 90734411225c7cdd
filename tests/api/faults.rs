//! Invalid requests get a problem document that names the fault, and change nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

/// A service with one product, which no invalid request may change.
async fn app_with_a_product() -> (TestApp, String) {
    let app = TestApp::spawn().await;
    app.put("/products/p1", &json!({"name": "Cup", "sku": "S-1", "price": 5})).await.expect(201);
    app.sync_all().await;
    let before = app.get("/products").await.expect(200).text;
    (app, before)
}

async fn post(app: &TestApp, body: impl Into<String>) -> Answer {
    app.post_text("/products", "application/json", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_faulty_write_is_refused_and_changes_nothing() {
    let (app, before) = app_with_a_product().await;
    let large = json!({"name": "x", "description": "a".repeat(201 * 1024)}).to_string();
    let bodies: [(&str, &str, u16, &[&str]); 18] = [
        ("broken JSON", "{\"name\": \"x\",", 400, &[]),
        ("no body", "", 400, &[]),
        ("a list", "[]", 422, &[""]),
        ("no name", "{}", 422, &["name"]),
        (
            "wrong types",
            r#"{"name":1,"tags":"a","stock":"3","attributes":[]}"#,
            422,
            &["name", "tags", "attributes", "stock"],
        ),
        ("negative price", r#"{"name":"x","price":-1}"#, 422, &["price"]),
        ("three decimals", r#"{"name":"x","price":1.005}"#, 422, &["price"]),
        ("decimals in yen", r#"{"name":"x","price":1.5,"currency":"JPY"}"#, 422, &["price"]),
        ("price as text", r#"{"name":"x","price":"1.50"}"#, 422, &["price"]),
        ("unknown currency", r#"{"name":"x","price":1,"currency":"ABC"}"#, 422, &["currency"]),
        ("id with a slash", r#"{"id":"a/b","name":"x"}"#, 422, &["id"]),
        ("reserved id", r#"{"id":"search","name":"x"}"#, 422, &["id"]),
        ("unknown field", r#"{"name":"x","colour":"red"}"#, 422, &["colour"]),
        ("unknown status", r#"{"name":"x","status":"sold"}"#, 422, &["status"]),
        ("object as attribute", r#"{"name":"x","attributes":{"size":{"w":1}}}"#, 422, &["attributes.size"]),
        ("no address", r#"{"name":"x","images":["lamp.jpg"]}"#, 422, &["images.0"]),
        ("201 KiB", &large, 422, &[""]),
        ("duplicate sku", r#"{"name":"x","sku":"S-1"}"#, 409, &["sku"]),
    ];
    for (what, body, status, fields) in bodies {
        let problem = post(&app, body).await.problem(status);
        assert_eq!(Answer::faulty_fields(&problem), fields, "{what}: {problem}");
    }
    post(&app, r#"{"id":"p1","name":"x"}"#).await.problem(409);
    app.post_text("/products", "text/plain", "{\"name\":\"x\"}").await.problem(415);
    Answer::of(app.request(Method::POST, "/products").body("{\"name\":\"x\"}")).await.problem(415);
    app.post_text("/products?dryRun=1", "application/json", "{\"name\":\"x\"}").await.problem(400);
    app.put("/products/a%2Fb", &json!({"name": "x"})).await.problem(422);
    app.put("/products/p2", &json!({"id": "p3", "name": "x"})).await.problem(422);
    let huge = json!({"name": "x", "description": "a".repeat(1024 * 1024)}).to_string();
    post(&app, huge).await.problem(413);
    assert_eq!(app.get("/products").await.expect(200).text, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_faulty_search_is_refused() {
    let (app, _) = app_with_a_product().await;
    let searches: [(&str, &[&str]); 15] = [
        ("priceRange=abc", &["priceRange"]),
        ("priceRange=9-1", &["priceRange"]),
        ("priceRange=-", &["priceRange"]),
        ("pageSize=0", &["pageSize"]),
        ("pageSize=101", &["pageSize"]),
        ("page=0", &["page"]),
        ("page=1000&pageSize=100", &["page"]),
        ("pricerange=1-2", &["pricerange"]),
        ("facets=colour", &["facets"]),
        ("sortBy=cheapest", &["sortBy"]),
        ("inStock=maybe", &["inStock"]),
        ("currency=ABC", &["currency"]),
        ("cursor=what", &["cursor"]),
        ("category=+%3E+", &["category"]),
        ("page=x&facets=price,size&priceRange=1", &["page", "facets", "priceRange"]),
    ];
    for (parameters, fields) in searches {
        let problem = app.get(&format!("/products/search?{parameters}")).await.problem(400);
        let mut found = Answer::faulty_fields(&problem);
        found.sort_unstable();
        let mut expected = fields.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{parameters}: {problem}");
    }
    for facet in ["price", "colour", "brand?pageSize=3"] {
        let answer = app.get(&format!("/products/facets/{facet}")).await;
        assert!(answer.status.is_client_error(), "{facet}: {answer:?}");
        let status = answer.status.as_u16();
        answer.problem(status);
    }
    let filters: String = (0..21).map(|n| format!("brand=b{n}&")).collect();
    app.get(&format!("/products/search?{}", filters.trim_end_matches('&'))).await.problem(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_methods_that_do_not_exist_get_problems_too() {
    let (app, _) = app_with_a_product().await;
    let problem = app.get("/nothing").await.problem(404);
    assert!(problem["detail"].as_str().unwrap().contains("/nothing"));
    app.get("/products/none").await.problem(404);
    let answer = Answer::of(app.request(Method::PATCH, "/products")).await;
    assert!(answer.header("allow").contains("POST"), "{answer:?}");
    answer.problem(405);
    Answer::of(app.request(Method::PUT, "/products/search")).await.problem(405);
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_look_like_this() {
    let (app, _) = app_with_a_product().await;
    let show = |problem: &Value| insta::assert_json_snapshot!(problem);
    show(
        &post(&app, r#"{"id":"a/b","price":-1,"currency":"ABC","stock":1.5,"colour":"red"}"#)
            .await
            .problem(422),
    );
    show(&post(&app, "{").await.problem(400));
    show(&post(&app, r#"{"name":"x","sku":"S-1"}"#).await.problem(409));
    show(
        &Answer::of(
            app.request(Method::PUT, "/products/p1").header("if-match", "\"7\"").json(&json!({"name": "x"})),
        )
        .await
        .problem(412),
    );
    show(
        &app.get("/products/search?priceRange=9-1&pageSize=101&pricerange=1-2&facets=colour")
            .await
            .problem(400),
    );
    show(&Answer::of(app.request(Method::PATCH, "/products/search")).await.problem(405));
}
