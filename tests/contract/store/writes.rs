//! The contract of `write`: atomic, conditional, one owner of a sku.

use domain::ports::{PortErrorKind, ProductStore, WriteError};
use domain::{Change, Record, Version};
use embedded_store::Outbox;

use super::{
    create, delete, dynamodb, embedded, idempotency_record, listed, named, product, record_of, sorted_ids,
    update, version_of, with_sku, write, write_all, write_one,
};
use crate::support::on_each;

async fn write_returns_results_in_request_order(store: &dyn ProductStore) {
    write_all(store, vec![create("old", with_sku("taken"))]).await;
    let results = store
        .write(vec![
            create("a", named("a")),
            create("old", named("again")),
            create("b", with_sku("taken")),
            create("c", named("c")),
        ])
        .await;
    assert!(matches!(
        results.as_slice(),
        [
            Ok(_),
            Err(WriteError::Conflict { current: Some(Version(1)) }),
            Err(WriteError::SkuTaken { owner }),
            Ok(_),
        ] if owner.as_str() == "old"
    ));
    assert!(store.write(Vec::new()).await.is_empty());
}

async fn a_failed_write_does_not_affect_the_others(store: &dyn ProductStore) {
    write_all(store, vec![create("old", named("old"))]).await;
    let mut writes: Vec<_> = (0..50).map(|i| create(&format!("p{i}"), named("new"))).collect();
    writes.insert(25, create("old", named("lost")));
    let results = store.write(writes).await;
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    for i in 0..50 {
        assert_eq!(version_of(store, &format!("p{i}")).await, Some(1));
    }
    let old = record_of(store, "old").await.unwrap();
    assert_eq!(old.live().unwrap().content.name, "old");
}

async fn a_failed_write_leaves_nothing_behind(store: &dyn ProductStore) {
    write_all(store, vec![create("old", with_sku("S"))]).await;
    let mut conflict = update("old", 7, named("lost"));
    conflict.idempotency = Some(idempotency_record("key-1", "old"));
    let mut taken = create("new", with_sku("S"));
    taken.idempotency = Some(idempotency_record("key-2", "new"));
    for failing in [conflict, taken] {
        assert!(write_one(store, failing).await.is_err());
    }
    assert_eq!(version_of(store, "old").await, Some(1));
    assert_eq!(version_of(store, "new").await, None);
    assert_eq!(store.find_idempotent("key-1").await.unwrap(), None);
    assert_eq!(store.find_idempotent("key-2").await.unwrap(), None);
    assert_eq!(sorted_ids(&listed(store, 10).await), ["old"]);
}

async fn a_write_succeeds_only_while_the_store_holds_the_version_it_replaces(store: &dyn ProductStore) {
    let conflict = |result, expected: Option<u64>| match result {
        Err(WriteError::Conflict { current }) => assert_eq!(current, expected.map(Version)),
        other => panic!("expected a conflict, got {other:?}"),
    };
    conflict(write_one(store, update("a", 2, named("early"))).await, None);
    conflict(write_one(store, delete("a", 2)).await, None);
    write_one(store, create("a", named("a"))).await.unwrap();
    conflict(write_one(store, create("a", named("twice"))).await, Some(1));
    conflict(write_one(store, update("a", 3, named("skipping"))).await, Some(1));
    write_one(store, update("a", 2, named("b"))).await.unwrap();
    conflict(write_one(store, update("a", 2, named("stale"))).await, Some(2));
    conflict(write_one(store, delete("a", 2)).await, Some(2));
    assert_eq!(record_of(store, "a").await.unwrap().live().unwrap().content.name, "b");
}

async fn a_write_that_skips_a_version_is_rejected(store: &dyn ProductStore) {
    write_one(store, create("a", named("a"))).await.unwrap();
    let skipping = write(Change::Update(product("a", 5, named("b"))), Some(1));
    match write_one(store, skipping).await {
        Err(WriteError::Failed(error)) => assert_eq!(error.kind, PortErrorKind::Internal),
        other => panic!("expected a refusal, got {other:?}"),
    }
    assert_eq!(version_of(store, "a").await, Some(1));
}

async fn versions_continue_after_a_delete(store: &dyn ProductStore) {
    write_one(store, create("a", with_sku("S"))).await.unwrap();
    write_one(store, delete("a", 2)).await.unwrap();
    assert!(
        matches!(record_of(store, "a").await, Some(Record::Deleted(tombstone)) if tombstone.version.0 == 2)
    );
    let conflict = write_one(store, create("a", named("from one again"))).await;
    assert!(matches!(conflict, Err(WriteError::Conflict { current: Some(Version(2)) })));
    let recreated = Change::Create(product("a", 3, with_sku("S")));
    write_one(store, write(recreated.clone(), Some(2))).await.unwrap();
    assert_eq!(record_of(store, "a").await, Some(recreated.record()));
}

async fn the_first_of_several_writes_to_one_product_in_a_call_wins(store: &dyn ProductStore) {
    let results = store.write(vec![create("a", named("first")), create("a", named("second"))]).await;
    assert!(matches!(results.as_slice(), [Ok(_), Err(WriteError::Conflict { current: Some(Version(1)) })]));
    assert_eq!(record_of(store, "a").await.unwrap().live().unwrap().content.name, "first");
}

async fn one_of_concurrent_writes_over_one_version_wins(store: &dyn ProductStore) {
    let attempts = (0..40).map(|i| write_one(store, create("a", named(&format!("writer {i}")))));
    let results = futures::future::join_all(attempts).await;
    let winners: Vec<_> = (0..40).filter(|i| results[*i].is_ok()).collect();
    assert_eq!(winners.len(), 1, "winners: {winners:?}");
    assert!(
        results
            .iter()
            .filter_map(|result| result.as_ref().err())
            .all(|error| matches!(error, WriteError::Conflict { current: Some(Version(1)) }))
    );
    let record_of = record_of(store, "a").await.unwrap();
    assert_eq!(record_of.live().unwrap().content.name, format!("writer {}", winners[0]));
}

async fn a_sku_belongs_to_one_live_product(store: &dyn ProductStore) {
    let taken = |result, expected: &str| match result {
        Err(WriteError::SkuTaken { owner }) => assert_eq!(owner.as_str(), expected),
        other => panic!("expected that the sku is taken, got {other:?}"),
    };
    write_one(store, create("a", with_sku("S"))).await.unwrap();
    taken(write_one(store, create("b", with_sku("S"))).await, "a");
    // A product keeps its own sku, and skus are case-sensitive.
    write_one(store, update("a", 2, with_sku("S"))).await.unwrap();
    write_one(store, create("b", with_sku("s"))).await.unwrap();
    taken(write_one(store, update("b", 2, with_sku("S"))).await, "a");
    // A sku becomes free once its owner takes another one, has none or is deleted.
    write_one(store, update("a", 3, with_sku("T"))).await.unwrap();
    write_one(store, update("b", 2, with_sku("S"))).await.unwrap();
    write_one(store, update("b", 3, named("without"))).await.unwrap();
    write_one(store, create("c", with_sku("S"))).await.unwrap();
    write_one(store, delete("c", 2)).await.unwrap();
    write_one(store, create("d", with_sku("S"))).await.unwrap();
    // Earlier writes of the same call count too.
    let results = store.write(vec![create("e", with_sku("U")), create("f", with_sku("U"))]).await;
    assert!(results[0].is_ok());
    taken(store.write(vec![create("f", with_sku("U"))]).await.remove(0), "e");
    assert_eq!(version_of(store, "f").await, None);
}

on_each! {
    {
        sqlite_that_enqueues: embedded(Outbox::Enqueue);
        sqlite_with_an_outbox: embedded(Outbox::AddEntry);
        dynamodb_table: dynamodb().await;
    }
    {
        |stores| (&*stores.store) [
            write_returns_results_in_request_order,
            a_failed_write_does_not_affect_the_others,
            a_failed_write_leaves_nothing_behind,
            a_write_succeeds_only_while_the_store_holds_the_version_it_replaces,
            a_write_that_skips_a_version_is_rejected,
            versions_continue_after_a_delete,
            the_first_of_several_writes_to_one_product_in_a_call_wins,
            one_of_concurrent_writes_over_one_version_wins,
            a_sku_belongs_to_one_live_product,
        ]
    }
}
