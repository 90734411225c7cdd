//! Writing and reading single products.

use noren::app::Options;
use query::Settings;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

fn lamp() -> Value {
    json!({
        "id": "lamp-1", "name": "Desk lamp", "description": "Bright & small.", "sku": "L-1", "brand": "Hikari",
        "category": "Home > Lamps", "tags": ["oak", "led"], "price": 39.90, "currency": "USD",
        "attributes": {"colour": "black", "watts": 8, "dimmable": true, "rooms": ["office", "bedroom"]},
        "images": ["https://example.com/lamp.jpg"], "stock": 12, "status": "active"
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_was_created_can_be_read() {
    let app = TestApp::spawn().await;
    let created = app.post("/products", &lamp()).await.expect(201);
    assert_eq!(created.json(), json!({"id": "lamp-1", "version": 1, "message": "created"}));
    assert_eq!(created.header("location"), "/products/lamp-1");
    assert_eq!(created.header("etag"), "\"1\"");
    let read = app.get("/products/lamp-1").await.expect(200);
    assert_eq!(read.header("etag"), "\"1\"");
    assert!(
        read.text.contains("\"price\":39.90,"),
        "a price has the decimals of its currency: {}",
        read.text
    );
    let mut product = read.json();
    let product = product.as_object_mut().unwrap();
    assert_eq!(product.remove("version"), Some(json!(1)));
    let (created, updated) = (product.remove("createdAt").unwrap(), product.remove("updatedAt").unwrap());
    assert_eq!(created, updated);
    assert!(created.as_str().unwrap().ends_with('Z'), "times are UTC: {created}");
    assert_eq!(Value::from(product.clone()), lamp());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_without_an_id_gets_one() {
    let app = TestApp::spawn().await;
    let created = app.post("/products", &json!({"name": "Nameless"})).await.expect(201);
    let location = created.header("location").to_owned();
    assert_eq!(location, format!("/products/{}", created.json()["id"].as_str().unwrap()));
    let read = app.get(&location).await.expect(200).json();
    assert_eq!(read["name"], "Nameless");
    assert_eq!(read["status"], "active");
    assert_eq!(read["tags"], json!([]));
    assert!(read.get("price").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_without_a_currency_is_in_that_of_the_catalogue() {
    let currency = domain::Currency::parse("JPY").unwrap();
    let app = TestApp::spawn_with(Options::of_search(Settings { currency, ..Settings::default() })).await;
    app.put("/products/cup", &json!({"name": "湯呑み", "price": 1200})).await.expect(201);
    let cup = app.get("/products/cup").await.json();
    assert_eq!((&cup["price"], &cup["currency"]), (&json!(1200), &json!("JPY")));
    app.put("/products/cup", &json!({"name": "湯呑み", "price": 12.5})).await.problem(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn put_creates_then_replaces_then_changes_nothing() {
    let app = TestApp::spawn().await;
    let answer = app.put("/products/lamp-1", &lamp()).await.expect(201);
    assert_eq!(answer.header("location"), "/products/lamp-1");
    let replaced = app.put("/products/lamp-1", &json!({"name": "Floor lamp", "price": 5})).await.expect(200);
    assert_eq!(replaced.json()["version"], 2);
    let read = app.get("/products/lamp-1").await.json();
    assert!(read.get("brand").is_none(), "what the body leaves out is gone: {read}");
    let same = app.put("/products/lamp-1", &json!({"price": 5.00, "name": "Floor lamp"})).await.expect(200);
    assert_eq!(same.json()["version"], 2, "a product that is equal keeps its version");
    assert_eq!(app.get("/products/lamp-1").await.json()["updatedAt"], read["updatedAt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_can_be_put_back() {
    let app = TestApp::spawn().await;
    app.post("/products", &lamp()).await.expect(201);
    let read = app.get("/products/lamp-1").await.json();
    let put = app.put("/products/lamp-1", &read).await.expect(200).json();
    assert_eq!(put["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn patch_merges() {
    let app = TestApp::spawn().await;
    app.post("/products", &lamp()).await.expect(201);
    let patch =
        json!({"price": 29.9, "brand": null, "attributes": {"colour": null, "watts": 9, "base": "steel"}});
    let request =
        app.request(Method::PATCH, "/products/lamp-1").header("content-type", "application/merge-patch+json");
    let patched = Answer::of(request.body(patch.to_string())).await.expect(200);
    assert_eq!(patched.json()["version"], 2);
    let read = app.get("/products/lamp-1").await.json();
    assert_eq!(read["price"], json!(29.9));
    assert!(read.get("brand").is_none());
    let attributes = json!({"watts": 9, "dimmable": true, "rooms": ["office", "bedroom"], "base": "steel"});
    assert_eq!(read["attributes"], attributes);
    assert_eq!(app.patch("/products/lamp-1", &json!({"stock": 12})).await.expect(200).json()["version"], 2);
    let problem = app.patch("/products/lamp-1", &json!({"name": null, "stock": -1})).await.problem(422);
    assert_eq!(Answer::faulty_fields(&problem), ["name", "stock"]);
    app.patch("/products/lamp-1", &json!({"id": "other"})).await.problem(422);
    app.patch("/products/none", &json!({"stock": 1})).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_removes_a_price_in_the_currency_of_the_catalogue_alone() {
    let app = TestApp::spawn().await;
    app.put("/products/cup", &json!({"name": "Cup", "price": 12.50, "stock": 3})).await.expect(201);
    let patched = app.patch("/products/cup", &json!({"price": null})).await.expect(200);
    assert_eq!(patched.json()["version"], 2);
    let read = app.get("/products/cup").await.json();
    assert!(read.get("price").is_none() && read.get("currency").is_none(), "{read}");
    assert_eq!(read["stock"], 3);
    assert_eq!(app.patch("/products/cup", &json!({"price": null})).await.expect(200).json()["version"], 2);
    app.patch("/products/cup", &json!({"price": 5})).await.expect(200);
    assert_eq!(app.get("/products/cup").await.json()["currency"], "USD");
    app.patch("/products/cup", &json!({"currency": "EUR"})).await.expect(200);
    let read = app.get("/products/cup").await.json();
    assert_eq!((&read["price"], &read["currency"]), (&json!(5.0), &json!("EUR")));
    // Removing the price must not silently remove a currency that was set explicitly.
    for patch in [json!({"price": null}), json!({"price": null, "currency": "USD"})] {
        let problem = app.patch("/products/cup", &patch).await.problem(422);
        assert_eq!(Answer::faulty_fields(&problem), ["price"]);
        assert!(problem["detail"].as_str().unwrap().contains("currency"), "{problem}");
    }
    app.patch("/products/cup", &json!({"price": null, "currency": null})).await.expect(200);
    assert!(app.get("/products/cup").await.json().get("currency").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_if_match_is_refused_with_the_current_version() {
    let app = TestApp::spawn().await;
    app.post("/products", &lamp()).await.expect(201);
    let put = |tag: &str, price: f64| {
        let request = app.request(Method::PUT, "/products/lamp-1").header("if-match", tag);
        Answer::of(request.json(&json!({"name": "Lamp", "price": price})))
    };
    put("\"1\"", 1.0).await.expect(200);
    let problem = put("\"1\"", 2.0).await.problem(412);
    assert_eq!(problem["currentVersion"], 2);
    assert_eq!(app.get("/products/lamp-1").await.json()["price"], 1.0);
    put("\"7\", \"2\"", 3.0).await.expect(200);
    put("*", 4.0).await.expect(200);
    put("3", 5.0).await.problem(400);
    let absent =
        app.request(Method::PUT, "/products/lamp-1").header("if-none-match", "*").json(&json!({"name": "x"}));
    assert_eq!(Answer::of(absent).await.problem(412)["currentVersion"], 4);
    let missing = app.request(Method::DELETE, "/products/none").header("if-match", "*");
    assert_eq!(Answer::of(missing).await.problem(412)["currentVersion"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_product_is_gone_and_its_next_creation_continues_the_version() {
    let app = TestApp::spawn().await;
    app.post("/products", &lamp()).await.expect(201);
    let deleted = app.delete("/products/lamp-1").await.expect(200).json();
    assert_eq!(deleted, json!({"id": "lamp-1", "version": 2, "message": "deleted"}));
    app.get("/products/lamp-1").await.problem(404);
    app.delete("/products/lamp-1").await.problem(404);
    app.sync_all().await;
    assert_eq!(app.search("query=lamp").await.json()["total"], 0);
    let created = app.post("/products", &lamp()).await.expect(201);
    assert_eq!(created.json()["version"], 3);
    app.sync_all().await;
    assert_eq!(app.search("query=lamp").await.ids(), ["lamp-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_with_the_known_etag_is_not_sent_again() {
    let app = TestApp::spawn().await;
    app.post("/products", &lamp()).await.expect(201);
    let request = || app.request(Method::GET, "/products/lamp-1");
    let answer = Answer::of(request().header("if-none-match", "\"1\"")).await.expect(304);
    assert_eq!(answer.text, "");
    Answer::of(request().header("if-none-match", "\"2\"")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_makes_a_repeated_write_answer_as_the_first() {
    let app = TestApp::spawn().await;
    let post = |key: &str, body: Value| {
        Answer::of(app.request(Method::POST, "/products").header("idempotency-key", key).json(&body))
    };
    let first = post("k1", json!({"name": "Cup"})).await.expect(201);
    let again = post("k1", json!({"name": "Cup"})).await.expect(201);
    assert_eq!(first.text, again.text);
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(app.get("/products").await.ids().len(), 1);
    post("k1", json!({"name": "Bowl"})).await.problem(422);
    post("k2", json!({"name": "Cup"})).await.expect(201);
    assert_eq!(app.get("/products").await.ids().len(), 2);
    post("not ascii graphic", json!({"name": "Cup"})).await.problem(400);
    // A retry of a write that changed nothing gets the same response, even if the product changed in between.
    let put = |key: &str| {
        let request = app.request(Method::PUT, "/products/p").header("idempotency-key", key);
        Answer::of(request.json(&json!({"name": "A"})))
    };
    put("p1").await.expect(201);
    put("p2").await.expect(200);
    app.put("/products/p", &json!({"name": "B"})).await.expect(200);
    assert_eq!(put("p2").await.expect(200).json()["version"], 1);
    assert_eq!(put("p1").await.expect(201).json()["version"], 1);
    assert_eq!(app.get("/products/p").await.json()["name"], "B");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_requests_that_race_write_once() {
    let app = TestApp::spawn().await;
    let posts = (0..20).map(|_| {
        let request = app.request(Method::POST, "/products").header("idempotency-key", "race");
        Answer::of(request.json(&json!({"name": "Cup"})))
    });
    let answers = futures::future::join_all(posts).await;
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), &answer.text), (201, &answers[0].text));
    }
    assert_eq!(app.get("/products").await.ids().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_writers_get_one_version_each_or_a_412() {
    let app = TestApp::spawn().await;
    app.put("/products/p", &json!({"name": "p"})).await.expect(201);
    let writers = (0..8).map(|writer| {
        let app = &app;
        async move {
            let mut won = 0;
            for round in 0..10 {
                let tag = app.get("/products/p").await.header("etag").to_owned();
                let body = json!({"name": "p", "attributes": {"by": format!("{writer}/{round}")}});
                let request = app.request(Method::PUT, "/products/p").header("if-match", tag).json(&body);
                match Answer::of(request).await {
                    answer if answer.status == 200 => won += 1,
                    answer => _ = answer.problem(412),
                }
            }
            won
        }
    });
    let won: u64 = futures::future::join_all(writers).await.into_iter().sum();
    assert_eq!(app.get("/products/p").await.json()["version"], 1 + won);
    app.sync_all().await;
    assert_eq!(app.search("").await.json()["products"][0]["version"], 1 + won);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sku_belongs_to_one_product() {
    let app = TestApp::spawn().await;
    app.post("/products", &lamp()).await.expect(201);
    let problem =
        app.post("/products", &json!({"id": "lamp-2", "name": "x", "sku": "L-1"})).await.problem(409);
    assert_eq!(problem["errors"][0]["field"], "sku");
    assert!(problem["detail"].as_str().unwrap().contains("lamp-1"), "{problem}");
    app.get("/products/lamp-2").await.problem(404);
    app.patch("/products/lamp-1", &json!({"sku": "L-2"})).await.expect(200);
    app.post("/products", &json!({"id": "lamp-2", "name": "x", "sku": "L-1"})).await.expect(201);
    app.delete("/products/lamp-1").await.expect(200);
    app.patch("/products/lamp-2", &json!({"sku": "L-2"})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_has_every_product_once_also_while_others_come_and_go() {
    let app = TestApp::spawn().await;
    let product =
        |n: usize| json!({"id": format!("p{n:03}"), "name": format!("Product {n}"), "status": "draft"});
    app.fill(&(0..250).map(product).collect::<Vec<_>>()).await;
    let mut seen = Vec::new();
    let mut path = "/products?limit=40".to_owned();
    loop {
        let page = app.get(&path).await.expect(200);
        seen.extend(page.ids());
        app.delete(&format!("/products/{}", seen[seen.len() - 2])).await.expect(200);
        app.put(&format!("/products/a{}", seen.len()), &json!({"name": "new"})).await.expect(201);
        match page.json()["nextCursor"].as_str() {
            Some(cursor) => path = format!("/products?limit=40&cursor={cursor}"),
            None => break,
        }
    }
    for n in 0..250 {
        assert_eq!(seen.iter().filter(|id| **id == format!("p{n:03}")).count(), 1, "product {n}");
    }
    app.get("/products?limit=0").await.problem(400);
    app.get("/products?limit=501").await.problem(400);
    app.get("/products?cursor=what").await.problem(400);
    app.get("/products?page=2").await.problem(400);
}
