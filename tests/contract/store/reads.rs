//! The contract of `get` and `ready`.

use std::sync::Arc;

use domain::ports::ProductStore;
use domain::{Change, Record};
use embedded_store::Outbox;

use super::{
    content, create, delete, dynamodb, embedded, id, named, product, record_of, update, version_of, write,
    write_all,
};
use crate::support::on_each;

async fn get_returns_records_in_request_order(store: &dyn ProductStore) {
    write_all(store, vec![create("a", named("first")), create("b", named("second"))]).await;
    let records = store.get(&[id("b"), id("never"), id("a"), id("b")]).await.unwrap();
    let ids: Vec<_> =
        records.iter().map(|record| record.as_ref().map(|record| record.id().as_str())).collect();
    assert_eq!(ids, [Some("b"), None, Some("a"), Some("b")]);
    assert!(store.get(&[]).await.unwrap().is_empty());
}

async fn get_takes_many_ids(store: &dyn ProductStore) {
    let writes = (0..500).map(|i| create(&format!("p{i}"), named(&format!("number {i}")))).collect();
    write_all(store, writes).await;
    let ids: Vec<_> = (0..500).rev().map(|i| id(&format!("p{i}"))).collect();
    let records = store.get(&ids).await.unwrap();
    assert_eq!(records.len(), 500);
    for (id, record) in ids.iter().zip(records) {
        assert_eq!(record.unwrap().id(), id);
    }
}

async fn get_observes_acknowledged_writes(store: &dyn ProductStore) {
    write_all(store, vec![create("a", named("one"))]).await;
    for version in 2..30 {
        write_all(store, vec![update("a", version, named(&format!("name {version}")))]).await;
        assert_eq!(version_of(store, "a").await, Some(version));
    }
}

async fn a_record_equals_what_was_written(store: &dyn ProductStore) {
    let everything = content(
        r#"{"name":"折りたたみ椅子 \"Nō\" 🪑","description":"two\nlines\\","sku":"S-1","brand":"Ōkura",
            "category":"Home > Chairs","tags":["red","お得"],"price":1234567.89,"currency":"EUR",
            "attributes":{"weight":0.1,"big":18446744073709551615,"small":-9223372036854775808,"ok":true,
            "sizes":["S","M"],"empty":[],"é.key":""},"images":["https://example.org/a.png"],
            "stock":9007199254740991,"status":"archived"}"#,
    );
    let created = product("all", 1, everything);
    write_all(store, vec![write(Change::Create(Arc::clone(&created)), None)]).await;
    assert_eq!(record_of(store, "all").await, Some(Record::Live(created)));

    let several =
        product("several", 1, content(r#"{"name":"x","categories":["Home > Chairs","Sale","Home"]}"#));
    write_all(store, vec![write(Change::Create(Arc::clone(&several)), None)]).await;
    assert_eq!(record_of(store, "several").await, Some(Record::Live(several)));

    let deleted = delete("all", 2);
    let expected = deleted.change.record();
    write_all(store, vec![deleted]).await;
    assert_eq!(record_of(store, "all").await, Some(expected));
}

async fn ready_succeeds_while_the_store_works(store: &dyn ProductStore) {
    store.ready().await.unwrap();
    write_all(store, vec![create("a", named("a"))]).await;
    store.ready().await.unwrap();
}

on_each! {
    {
        sqlite_that_enqueues: embedded(Outbox::Enqueue);
        sqlite_with_an_outbox: embedded(Outbox::AddEntry);
        dynamodb_table: dynamodb().await;
    }
    {
        |stores| (&*stores.store) [
            get_returns_records_in_request_order,
            get_takes_many_ids,
            get_observes_acknowledged_writes,
            a_record_equals_what_was_written,
            ready_succeeds_while_the_store_works,
        ]
    }
}
