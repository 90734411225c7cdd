//! Dead letters over HTTP.

use std::sync::Arc;
use std::time::Duration;

use domain::input::read_product;
use domain::ports::{ChangeQueue as _, Envelope, ProductStore as _, Write};
use domain::{Change, Currency, Product, ProductId, Tombstone, Version};
use embedded_store::{EmbeddedStore, Options};
use noren::app::App;
use serde_json::{Value, json};
use sync::{DeadLetterService, Selection};

use crate::support::{Answer, PATIENCE, Running, TestApp, dead_letter_all};

fn version(id: &str, version: u64, name: &str) -> Change {
    let body = json!({ "name": name }).to_string();
    let content = read_product(body.as_bytes(), Currency::USD).unwrap().content;
    let (id, now) = (ProductId::parse(id).unwrap(), domain::now());
    let version = Version(version);
    Change::Update(Arc::new(Product { id, version, created_at: now, updated_at: now, content }))
}

async fn write(store: &EmbeddedStore, change: Change) {
    let replaces = Some(Version(change.version().0 - 1));
    let write = Write { change, replaces, idempotency: None, traceparent: None };
    store.write(vec![write]).await.remove(0).unwrap();
}

/// Returns a data folder with four dead letters. The index holds `lamp` and `gone` at version 1. Dead letters are version 2 of
/// both, the delete of `gone` at version 3, and a change of a product that the store never had.
async fn folder_with_dead_letters() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let app = App::open(data.path(), noren::app::Options::default()).await.unwrap();
    for id in ["lamp", "gone"] {
        let product = json!({ "id": id, "name": "old" }).to_string();
        let input = read_product(product.as_bytes(), Currency::USD).unwrap();
        app.catalogue().put_many(vec![input]).await.remove(0).unwrap();
    }
    app.sync_all(PATIENCE).await.unwrap();
    app.stop().await;

    let store = EmbeddedStore::open(data.path(), Options::default()).unwrap();
    write(&store, version("lamp", 2, "lamp")).await;
    write(&store, version("gone", 2, "ghost")).await;
    store
        .send(vec![Envelope { change: version("never", 1, "never"), traceparent: None }])
        .await
        .remove(0)
        .unwrap();
    dead_letter_all(&store, "the index is broken").await;
    let deleted =
        Tombstone { id: ProductId::parse("gone").unwrap(), version: Version(3), deleted_at: domain::now() };
    write(&store, Change::Delete(deleted)).await;
    dead_letter_all(&store, "the index is still broken").await;
    data
}

fn key_of(list: &Value, id: &str, version: u64) -> Value {
    let letters = list["deadLetters"].as_array().unwrap();
    let letter = letters.iter().find(|letter| letter["id"] == id && letter["version"] == version);
    letter.unwrap_or_else(|| panic!("{id} is not in {list}"))["key"].clone()
}

#[tokio::test]
async fn a_retry_enqueues_what_the_store_holds_now() {
    let data = folder_with_dead_letters().await;
    let store = Arc::new(EmbeddedStore::open(data.path(), Options::default()).unwrap());
    let office = DeadLetterService::new(store.clone(), store.clone(), store.clone());
    assert_eq!(store.stats().await.unwrap().waiting, 0);
    let settled = office.retry(Selection::Newest).await.unwrap();
    assert_eq!((settled.done.len(), settled.refused.len(), settled.more), (3, 1, false), "{settled:?}");
    let sent = store.receive(10, Duration::ZERO).await.unwrap();
    let mut sent: Vec<Change> = sent.into_iter().map(|delivery| delivery.envelope.unwrap().change).collect();
    sent.sort_by_key(|change| change.id().to_string());
    // Two letters of one product become one message, and neither revives what was deleted since.
    let letters =
        sent.iter().map(|change| (change.id().as_str(), change.version().0, change.product().is_some()));
    assert_eq!(letters.collect::<Vec<_>>(), [("gone", 3, false), ("lamp", 2, true)]);
    assert_eq!(store.stats().await.unwrap().dead, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_sent_again_and_dropped() {
    let app = TestApp::spawn_in(folder_with_dead_letters().await).await;
    let list = app.get("/admin/dead-letters").await.expect(200).json();
    assert_eq!((list["deadLetters"].as_array().unwrap().len(), &list["more"]), (4, &json!(false)), "{list}");
    let newest = &list["deadLetters"][0];
    assert_eq!(
        (&newest["id"], &newest["version"], &newest["receives"]),
        (&json!("gone"), &json!(3), &json!(5))
    );
    assert_eq!(newest["reason"], "the index is still broken");
    assert!(newest["diedAt"].is_string() && newest.get("body").is_none(), "{newest}");

    // The old change must not revive the product, which was deleted since.
    let old = key_of(&list, "gone", 2);
    let answer = app.post("/admin/dead-letters/retry", &json!({ "keys": [old] })).await.expect(200).json();
    assert_eq!(answer, json!({ "done": [old], "refused": [], "more": false }));
    let answer = app.post("/admin/dead-letters/retry", &json!({ "all": true })).await.expect(200).json();
    assert_eq!(answer["done"].as_array().unwrap().len(), 2, "{answer}");
    assert_eq!(answer["refused"][0]["reason"], "the store never had product never; drop it");
    app.sync_all().await;
    let total = async |words: &str| app.search(&format!("query={words}")).await.json()["total"].clone();
    assert_eq!(total("ghost").await, 0, "it was deleted");
    assert_eq!(
        (total("lamp").await, total("old").await, total("never").await),
        (json!(1), json!(0), json!(0))
    );

    let never = key_of(&list, "never", 1);
    let shown = app.get(&format!("/admin/dead-letters/{}", never.as_str().unwrap())).await.expect(200).json();
    assert!(shown["body"].as_str().unwrap().contains("\"never\""), "{shown}");
    let dropped =
        app.post("/admin/dead-letters/drop", &json!({ "keys": [never, "999"] })).await.expect(200).json();
    assert_eq!(
        (&dropped["done"], &dropped["refused"][0]["key"]),
        (&json!([never]), &json!("999")),
        "{dropped}"
    );
    let list = app.get("/admin/dead-letters").await.expect(200).json();
    assert_eq!(list, json!({ "deadLetters": [], "more": false }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_refused_and_changes_nothing() {
    let app = TestApp::spawn_in(folder_with_dead_letters().await).await;
    for parameters in ["limit=0", "limit=501", "limit=many", "limit=1&limit=2", "page=1"] {
        app.get(&format!("/admin/dead-letters?{parameters}")).await.problem(400);
    }
    let newest = app.get("/admin/dead-letters?limit=3").await.expect(200).json();
    assert_eq!((newest["deadLetters"].as_array().unwrap().len(), &newest["more"]), (3, &json!(true)));
    app.get("/admin/dead-letters/none").await.problem(404);
    app.get("/admin/dead-letters/01").await.problem(404);
    for way in ["retry", "drop"] {
        let path = format!("/admin/dead-letters/{way}");
        app.post(&path, &json!({})).await.problem(422);
        let problem = app.post(&path, &json!({ "all": false })).await.problem(422);
        assert_eq!(Answer::faulty_fields(&problem), ["all"]);
        app.post(&path, &json!({ "all": true, "since": 1 })).await.problem(422);
        app.post_text(&path, "application/json", "{").await.problem(400);
        app.post_text(&path, "text/plain", "{\"all\":true}").await.problem(415);
        app.post(&format!("{path}?all=true"), &json!({ "all": true })).await.problem(400);
        app.get(&path).await.problem(405);
    }
    let dropped = app.post("/admin/dead-letters/drop", &json!({ "all": true })).await.expect(200).json();
    assert_eq!(dropped["done"].as_array().unwrap().len(), 4, "nothing was settled before");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consumer_alone_has_the_dead_letters_of_its_file() {
    let data = folder_with_dead_letters().await;
    let dir = data.path().to_str().unwrap();
    let sync = Running::start("noren-sync", &["--data-dir", dir]).await;
    let client = crate::support::http_client();
    let list = Answer::of(client.get(format!("{}/admin/dead-letters", sync.url))).await.expect(200).json();
    assert_eq!(list["deadLetters"].as_array().unwrap().len(), 4);
    drop(sync);
    // The store belongs to another process, so the current record is unknown here.
    let sync = Running::start("noren-sync", &["--data-dir", dir, "--store", "dynamodb"]).await;
    Answer::of(client.get(format!("{}/admin/dead-letters", sync.url))).await.problem(404);
}
