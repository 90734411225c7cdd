//! Deletes of many products: lines of a bulk write, and jobs that delete a selection.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, wait_until};

const NDJSON: &str = "application/x-ndjson";

/// Starts the job of a delete and returns its address.
async fn delete(app: &TestApp, query: &str) -> String {
    let answer = Answer::of(app.request(Method::DELETE, &format!("/products?{query}"))).await.expect(202);
    assert_eq!(answer.header("location"), format!("/imports/{}", answer.json()["id"].as_str().unwrap()));
    answer.header("location").to_owned()
}

async fn finished(app: &TestApp, address: &str) -> Value {
    let job = async || app.get(address).await.expect(200).json();
    wait_until("the job is finished", async || job().await["finishedAt"].is_string()).await;
    job().await
}

async fn with_products(products: &[Value]) -> TestApp {
    let app = TestApp::spawn().await;
    let lines: String = products.iter().map(|product| format!("{product}\n")).collect();
    app.post_text("/products/bulk", NDJSON, lines).await.expect(200);
    app
}

async fn ids(app: &TestApp) -> Vec<String> {
    let list = app.get("/products?limit=500").await.expect(200).json();
    let products = list["products"].as_array().unwrap().iter();
    let mut ids: Vec<String> = products.map(|product| product["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_a_bulk_write_deletes_a_product() {
    let app = with_products(&["a", "b", "c"].map(|id| json!({"id": id, "name": id}))).await;
    let lines = [
        json!({"id": "a", "delete": true}),
        json!({"id": "b", "delete": true, "ifVersion": 7}),
        json!({"id": "c", "delete": true, "ifVersion": 1}),
        json!({"id": "d", "delete": true}),
        json!({"id": "a", "name": "again"}),
        json!({"id": "b", "delete": true, "name": "b"}),
    ];
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let answer = app.post_text("/products/bulk", NDJSON, body).await.expect(200);
    let results: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |at: usize| (results[at]["status"].as_u64().unwrap(), results[at]["outcome"].clone());
    assert_eq!(of(0), (200, json!("deleted")));
    assert_eq!(of(1), (412, Value::Null), "another version");
    assert_eq!(of(2), (200, json!("deleted")));
    assert_eq!(of(3), (404, Value::Null), "no such product");
    assert_eq!(of(4), (201, json!("created")));
    assert_eq!(of(5), (422, Value::Null));
    assert_eq!(Answer::faulty_fields(&results[5]["problem"]), ["name"]);
    assert_eq!(results[4]["version"], 3, "the version continues");
    assert_eq!(ids(&app).await, ["a", "b"]);
    app.sync_all().await;
    let mut found = app.search("query=").await.ids();
    found.sort();
    assert_eq!(found, ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_an_import_delete_as_well() {
    let app = with_products(&[json!({"id": "a", "name": "A"})]).await;
    let lines =
        "{\"id\":\"b\",\"name\":\"B\"}\n{\"id\":\"a\",\"delete\":true}\n{\"id\":\"b\",\"delete\":true}\n";
    let answer = app.post_text("/imports", NDJSON, lines).await.expect(202);
    let job = finished(&app, answer.header("location")).await;
    assert_eq!(
        (&job["created"], &job["deleted"], &job["rejected"]),
        (&json!(1), &json!(2), &json!(0)),
        "{job}"
    );
    assert!(ids(&app).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_is_deleted_and_nothing_else() {
    let product = |id: &str, more: Value| {
        let mut product = json!({"id": id, "name": id});
        product.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        product
    };
    let products = [
        product("a", json!({"source": "erp", "brand": "Hikari", "category": "Home > Lamps"})),
        product("b", json!({"source": "erp", "status": "draft"})),
        product("c", json!({"source": "shop", "brand": "Hikari", "category": "Home"})),
        product("d", json!({"brand": "hikari", "category": "Homes"})),
        product("e", json!({"status": "archived"})),
    ];
    for (query, left) in [
        ("source=erp", &["c", "d", "e"][..]),
        ("source=erp&source=shop", &["d", "e"]),
        ("source=erp&status=draft", &["a", "c", "d", "e"]),
        ("category=Home", &["b", "d", "e"]),
        ("brand=Hikari", &["b", "d", "e"]),
        ("status=draft&status=archived", &["a", "c", "d"]),
        ("updatedBefore=2001-01-01T00:00:00Z", &["a", "b", "c", "d", "e"]),
        ("updatedBefore=2999-01-01T00:00:00Z", &[]),
        ("all=true", &[]),
    ] {
        let app = with_products(&products).await;
        let dry = app.request(Method::DELETE, &format!("/products?{query}&dryRun=true"));
        let dry = Answer::of(dry).await.expect(200).json();
        assert_eq!(dry["selected"], products.len() - left.len(), "{query}: {dry}");
        assert_eq!(dry["examples"].as_array().unwrap().len(), products.len() - left.len(), "{query}: {dry}");
        assert_eq!(ids(&app).await.len(), products.len(), "{query}: a dry run deletes nothing");
        let job = finished(&app, &delete(&app, query).await).await;
        assert_eq!((&job["deleted"], &job["status"]), (&dry["selected"], &json!("done")), "{query}: {job}");
        assert_eq!(ids(&app).await, left, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_condition_nothing_is_deleted() {
    let app = with_products(&[json!({"id": "a", "name": "A"})]).await;
    for query in ["", "?all=false", "?brnad=A", "?all=true&brand=A", "?all=true&all=true"] {
        let problem =
            Answer::of(app.request(Method::DELETE, &format!("/products{query}"))).await.problem(400);
        assert!(!Answer::faulty_fields(&problem).is_empty(), "{query}: {problem}");
    }
    let with_body = app.request(Method::DELETE, "/products?all=true").json(&json!({"dryRun": true}));
    let problem = Answer::of(with_body).await.problem(400);
    assert!(problem["detail"].as_str().unwrap().contains("options are parameters"), "{problem}");
    assert_eq!(ids(&app).await, ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_refused_where_its_options_would_be_ignored() {
    let app = with_products(&[json!({"id": "a", "name": "A"})]).await;
    for (method, path) in [
        (Method::DELETE, "/products?source=x"),
        (Method::POST, "/admin/verify"),
        (Method::POST, "/admin/reindex"),
        (Method::POST, "/admin/reindex/rollback"),
    ] {
        let request = app.request(method.clone(), path).json(&json!({"dryRun": true}));
        let problem = Answer::of(request).await.problem(400);
        assert!(problem["detail"].as_str().unwrap().contains("has a body"), "{path}: {problem}");
    }
    Answer::of(app.request(Method::POST, "/admin/verify").json(&json!({}))).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_source_of_a_product_is_kept_and_not_shown_to_shoppers() {
    let app = with_products(&[json!({"id": "a", "name": "Lamp", "source": "erp-feed"})]).await;
    app.sync_all().await;
    assert_eq!(app.get("/products/a").await.expect(200).json()["source"], "erp-feed");
    let found = app.search("query=lamp").await;
    assert_eq!(found.ids(), ["a"]);
    assert!(found.json()["products"][0].get("source").is_none(), "{found:?}");
    assert!(app.search("query=erp-feed").await.ids().is_empty());
    // A product that was read can be sent back.
    let product = app.get("/products/a").await.json();
    let same = app.put("/products/a", &product).await.expect(200).json();
    assert_eq!(same["version"], 1, "{same}");
}
