//! The contract of idempotency records.

use domain::Version;
use domain::ports::{IdempotencyRecord, ProductStore, Write, WriteError, WriteOutcome, WriteResponse};
use embedded_store::Outbox;

use super::{create, dynamodb, embedded, id, idempotency_record, named, version_of, write_one};
use crate::support::on_each;

async fn a_write_stores_its_idempotency_record(store: &dyn ProductStore) {
    let mut first = create("a", named("a"));
    first.idempotency = Some(idempotency_record("key", "a"));
    write_one(store, first.clone()).await.unwrap();
    assert_eq!(store.find_idempotent("key").await.unwrap(), Some(idempotency_record("key", "a")));
    assert_eq!(store.find_idempotent("another").await.unwrap(), None);

    let mut second = create("b", named("b"));
    second.idempotency = Some(idempotency_record("key", "b"));
    for repeated in [first, second] {
        assert!(matches!(write_one(store, repeated).await, Err(WriteError::DuplicateKey)));
    }
    assert_eq!(version_of(store, "b").await, None);
    assert_eq!(store.find_idempotent("key").await.unwrap(), Some(idempotency_record("key", "a")));
}

async fn an_idempotency_key_is_recorded_once_within_a_call(store: &dyn ProductStore) {
    let writes = ["a", "b"].map(|product_id| Write {
        idempotency: Some(idempotency_record("key", product_id)),
        ..create(product_id, named("same key"))
    });
    let results = store.write(writes.to_vec()).await;
    assert!(matches!(results.as_slice(), [Ok(_), Err(WriteError::DuplicateKey)]));
    assert_eq!(version_of(store, "b").await, None);
}

async fn a_request_that_changed_nothing_is_recorded_once(store: &dyn ProductStore) {
    let unchanged = IdempotencyRecord {
        key: "a key with spaces, \"quotes\" and 名".to_owned(),
        fingerprint: std::array::from_fn(|i| i as u8 * 8),
        response: WriteResponse { outcome: WriteOutcome::Unchanged, id: id("a"), version: Version(3) },
    };
    store.record_idempotent(unchanged.clone()).await.unwrap();
    assert_eq!(store.find_idempotent(&unchanged.key).await.unwrap(), Some(unchanged.clone()));
    let other = IdempotencyRecord { fingerprint: [0; 32], ..unchanged.clone() };
    assert!(matches!(store.record_idempotent(other).await, Err(WriteError::DuplicateKey)));
    assert_eq!(store.find_idempotent(&unchanged.key).await.unwrap(), Some(unchanged));
}

on_each! {
    {
        sqlite_that_enqueues: embedded(Outbox::Enqueue);
        sqlite_with_an_outbox: embedded(Outbox::AddEntry);
        dynamodb_table: dynamodb().await;
    }
    {
        |stores| (&*stores.store) [
            a_write_stores_its_idempotency_record,
            an_idempotency_key_is_recorded_once_within_a_call,
            a_request_that_changed_nothing_is_recorded_once,
        ]
    }
}
