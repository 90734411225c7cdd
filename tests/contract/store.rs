//! What every product store must do: a function for each sentence of [`ProductStore`]'s documentation.
//!
//! To hold another adapter to it, add a line at the end of this file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in the functions that it calls")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_setup::Aws;
use domain::input::read_product;
use domain::ports::{
    ChangeQueue, IdempotencyRecord, ListError, OutboxEntryId, OutboxStats, PortErrorKind, ProductStore,
    StoredVersion, Write, WriteError, WriteOutcome, WriteResponse, Written,
};
use domain::{Change, Content, Currency, Product, ProductId, Record, Tombstone, Version};
use dynamodb_store::DynamoStore;
use embedded_store::{EmbeddedStore, Options, Outbox};
use tempfile::TempDir;

use crate::services;

// ------------------------------------------------------------------------------------------ made products

pub(crate) fn id(text: &str) -> ProductId {
    ProductId::parse(text).unwrap()
}

fn content(json: &str) -> Content {
    read_product(json.as_bytes(), Currency::USD).unwrap().content
}

fn named(name: &str) -> Content {
    content(&format!(r#"{{"name":"{name}"}}"#))
}

fn with_sku(sku: &str) -> Content {
    content(&format!(r#"{{"name":"a lamp","sku":"{sku}"}}"#))
}

pub(crate) fn product(product_id: &str, version: u64, content: Content) -> Arc<Product> {
    let now = domain::now();
    Arc::new(Product {
        id: id(product_id),
        version: Version(version),
        created_at: now,
        updated_at: now,
        content,
    })
}

fn write(change: Change, replaces: Option<u64>) -> Write {
    Write { change, replaces: replaces.map(Version), idempotency: None, traceparent: None }
}

fn create(product_id: &str, content: Content) -> Write {
    write(Change::Create(product(product_id, 1, content)), None)
}

fn update(product_id: &str, version: u64, content: Content) -> Write {
    write(Change::Update(product(product_id, version, content)), Some(version - 1))
}

fn delete(product_id: &str, version: u64) -> Write {
    let tombstone = Tombstone { id: id(product_id), version: Version(version), deleted_at: domain::now() };
    write(Change::Delete(tombstone), Some(version - 1))
}

fn answered(key: &str, product_id: &str) -> IdempotencyRecord {
    let answer = WriteResponse { outcome: WriteOutcome::Created, id: id(product_id), version: Version(1) };
    IdempotencyRecord { key: key.to_owned(), fingerprint: [7; 32], response: answer }
}

async fn make(store: &dyn ProductStore, writes: Vec<Write>) -> Vec<Written> {
    store.write(writes).await.into_iter().map(Result::unwrap).collect()
}

async fn make_one(store: &dyn ProductStore, write: Write) -> Result<Written, WriteError> {
    let mut answers = store.write(vec![write]).await;
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

async fn held(store: &dyn ProductStore, product_id: &str) -> Option<Record> {
    store.get(&[id(product_id)]).await.unwrap().remove(0)
}

async fn held_version(store: &dyn ProductStore, product_id: &str) -> Option<u64> {
    held(store, product_id).await.map(|record| record.version().0)
}

/// All pages of the list, of `limit` products at most.
async fn listed(store: &dyn ProductStore, limit: usize) -> Vec<Product> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.list(cursor.as_deref(), limit).await.unwrap();
        assert!(page.products.len() <= limit, "a page of {} products", page.products.len());
        all.extend(page.products);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return all,
        }
    }
}

fn sorted_ids(products: &[Product]) -> Vec<String> {
    let mut ids: Vec<_> = products.iter().map(|product| product.id.to_string()).collect();
    ids.sort();
    ids
}

// -------------------------------------------------------------------------------------------------- get

pub(crate) async fn get_answers_in_the_order_asked(store: &dyn ProductStore) {
    make(store, vec![create("a", named("first")), create("b", named("second"))]).await;
    let records = store.get(&[id("b"), id("never"), id("a"), id("b")]).await.unwrap();
    let ids: Vec<_> =
        records.iter().map(|record| record.as_ref().map(|record| record.id().as_str())).collect();
    assert_eq!(ids, [Some("b"), None, Some("a"), Some("b")]);
    assert!(store.get(&[]).await.unwrap().is_empty());
}

pub(crate) async fn get_answers_for_many_ids(store: &dyn ProductStore) {
    let writes = (0..500).map(|i| create(&format!("p{i}"), named(&format!("number {i}")))).collect();
    make(store, writes).await;
    let ids: Vec<_> = (0..500).rev().map(|i| id(&format!("p{i}"))).collect();
    let records = store.get(&ids).await.unwrap();
    assert_eq!(records.len(), 500);
    for (id, record) in ids.iter().zip(records) {
        assert_eq!(record.unwrap().id(), id);
    }
}

pub(crate) async fn get_sees_a_write_that_was_answered_before(store: &dyn ProductStore) {
    make(store, vec![create("a", named("one"))]).await;
    for version in 2..30 {
        make(store, vec![update("a", version, named(&format!("name {version}")))]).await;
        assert_eq!(held_version(store, "a").await, Some(version));
    }
}

pub(crate) async fn what_is_held_equals_what_was_written(store: &dyn ProductStore) {
    let everything = content(
        r#"{"name":"折りたたみ椅子 \"Nō\" 🪑","description":"two\nlines\\","sku":"S-1","brand":"Ōkura",
            "category":"Home > Chairs","tags":["red","お得"],"price":1234567.89,"currency":"EUR",
            "attributes":{"weight":0.1,"big":18446744073709551615,"small":-9223372036854775808,"ok":true,
            "sizes":["S","M"],"empty":[],"é.key":""},"images":["https://example.org/a.png"],
            "stock":9007199254740991,"status":"archived"}"#,
    );
    let created = product("all", 1, everything);
    make(store, vec![write(Change::Create(Arc::clone(&created)), None)]).await;
    assert_eq!(held(store, "all").await, Some(Record::Live(created)));

    let deleted = delete("all", 2);
    let expected = deleted.change.record();
    make(store, vec![deleted]).await;
    assert_eq!(held(store, "all").await, Some(expected));
}

// ------------------------------------------------------------------------------------------------- write

pub(crate) async fn writes_are_answered_in_the_order_asked(store: &dyn ProductStore) {
    make(store, vec![create("old", with_sku("taken"))]).await;
    let answers = store
        .write(vec![
            create("a", named("a")),
            create("old", named("again")),
            create("b", with_sku("taken")),
            create("c", named("c")),
        ])
        .await;
    assert!(matches!(
        answers.as_slice(),
        [
            Ok(_),
            Err(WriteError::Conflict { current: Some(Version(1)) }),
            Err(WriteError::SkuTaken { owner }),
            Ok(_),
        ] if owner.as_str() == "old"
    ));
    assert!(store.write(Vec::new()).await.is_empty());
}

pub(crate) async fn a_write_that_fails_leaves_the_others_as_they_are(store: &dyn ProductStore) {
    make(store, vec![create("old", named("old"))]).await;
    let mut writes: Vec<_> = (0..50).map(|i| create(&format!("p{i}"), named("new"))).collect();
    writes.insert(25, create("old", named("lost")));
    let answers = store.write(writes).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
    for i in 0..50 {
        assert_eq!(held_version(store, &format!("p{i}")).await, Some(1));
    }
    let old = held(store, "old").await.unwrap();
    assert_eq!(old.live().unwrap().content.name, "old");
}

pub(crate) async fn a_write_that_fails_leaves_nothing_behind(store: &dyn ProductStore) {
    make(store, vec![create("old", with_sku("S"))]).await;
    let mut conflict = update("old", 7, named("lost"));
    conflict.idempotency = Some(answered("key-1", "old"));
    let mut taken = create("new", with_sku("S"));
    taken.idempotency = Some(answered("key-2", "new"));
    for failing in [conflict, taken] {
        assert!(make_one(store, failing).await.is_err());
    }
    assert_eq!(held_version(store, "old").await, Some(1));
    assert_eq!(held_version(store, "new").await, None);
    assert_eq!(store.find_idempotent("key-1").await.unwrap(), None);
    assert_eq!(store.find_idempotent("key-2").await.unwrap(), None);
    assert_eq!(sorted_ids(&listed(store, 10).await), ["old"]);
}

pub(crate) async fn a_write_succeeds_only_over_the_version_it_replaces(store: &dyn ProductStore) {
    let conflict = |answer, expected: Option<u64>| match answer {
        Err(WriteError::Conflict { current }) => assert_eq!(current, expected.map(Version)),
        other => panic!("expected a conflict, got {other:?}"),
    };
    conflict(make_one(store, update("a", 2, named("early"))).await, None);
    conflict(make_one(store, delete("a", 2)).await, None);
    make_one(store, create("a", named("a"))).await.unwrap();
    conflict(make_one(store, create("a", named("twice"))).await, Some(1));
    conflict(make_one(store, update("a", 3, named("skipping"))).await, Some(1));
    make_one(store, update("a", 2, named("b"))).await.unwrap();
    conflict(make_one(store, update("a", 2, named("stale"))).await, Some(2));
    conflict(make_one(store, delete("a", 2)).await, Some(2));
    assert_eq!(held(store, "a").await.unwrap().live().unwrap().content.name, "b");
}

pub(crate) async fn a_write_that_does_not_make_the_next_version_is_refused(store: &dyn ProductStore) {
    make_one(store, create("a", named("a"))).await.unwrap();
    let skipping = write(Change::Update(product("a", 5, named("b"))), Some(1));
    match make_one(store, skipping).await {
        Err(WriteError::Failed(error)) => assert_eq!(error.kind, PortErrorKind::Internal),
        other => panic!("expected a refusal, got {other:?}"),
    }
    assert_eq!(held_version(store, "a").await, Some(1));
}

pub(crate) async fn versions_go_on_after_a_delete(store: &dyn ProductStore) {
    make_one(store, create("a", with_sku("S"))).await.unwrap();
    make_one(store, delete("a", 2)).await.unwrap();
    assert!(matches!(held(store, "a").await, Some(Record::Deleted(tombstone)) if tombstone.version.0 == 2));
    let conflict = make_one(store, create("a", named("from one again"))).await;
    assert!(matches!(conflict, Err(WriteError::Conflict { current: Some(Version(2)) })));
    let anew = Change::Create(product("a", 3, with_sku("S")));
    make_one(store, write(anew.clone(), Some(2))).await.unwrap();
    assert_eq!(held(store, "a").await, Some(anew.record()));
}

pub(crate) async fn the_first_write_of_a_call_to_the_same_product_wins(store: &dyn ProductStore) {
    let answers = store.write(vec![create("a", named("first")), create("a", named("second"))]).await;
    assert!(matches!(answers.as_slice(), [Ok(_), Err(WriteError::Conflict { current: Some(Version(1)) })]));
    assert_eq!(held(store, "a").await.unwrap().live().unwrap().content.name, "first");
}

pub(crate) async fn of_writes_at_once_over_one_version_one_wins(store: &dyn ProductStore) {
    let attempts = (0..40).map(|i| make_one(store, create("a", named(&format!("writer {i}")))));
    let answers = futures::future::join_all(attempts).await;
    let winners: Vec<_> = (0..40).filter(|i| answers[*i].is_ok()).collect();
    assert_eq!(winners.len(), 1, "winners: {winners:?}");
    assert!(
        answers
            .iter()
            .filter_map(|answer| answer.as_ref().err())
            .all(|error| matches!(error, WriteError::Conflict { current: Some(Version(1)) }))
    );
    let held = held(store, "a").await.unwrap();
    assert_eq!(held.live().unwrap().content.name, format!("writer {}", winners[0]));
}

pub(crate) async fn a_sku_belongs_to_one_live_product(store: &dyn ProductStore) {
    let taken = |answer, expected: &str| match answer {
        Err(WriteError::SkuTaken { owner }) => assert_eq!(owner.as_str(), expected),
        other => panic!("expected that the sku is taken, got {other:?}"),
    };
    make_one(store, create("a", with_sku("S"))).await.unwrap();
    taken(make_one(store, create("b", with_sku("S"))).await, "a");
    // Its own sku is no obstacle, and another case is another sku.
    make_one(store, update("a", 2, with_sku("S"))).await.unwrap();
    make_one(store, create("b", with_sku("s"))).await.unwrap();
    taken(make_one(store, update("b", 2, with_sku("S"))).await, "a");
    // It is free again when its owner takes another one, has none, or is deleted.
    make_one(store, update("a", 3, with_sku("T"))).await.unwrap();
    make_one(store, update("b", 2, with_sku("S"))).await.unwrap();
    make_one(store, update("b", 3, named("without"))).await.unwrap();
    make_one(store, create("c", with_sku("S"))).await.unwrap();
    make_one(store, delete("c", 2)).await.unwrap();
    make_one(store, create("d", with_sku("S"))).await.unwrap();
    // A call's own writes count, too.
    let answers = store.write(vec![create("e", with_sku("U")), create("f", with_sku("U"))]).await;
    assert!(answers[0].is_ok());
    taken(store.write(vec![create("f", with_sku("U"))]).await.remove(0), "e");
    assert_eq!(held_version(store, "f").await, None);
}

// ----------------------------------------------------------------------------------------------- answers

pub(crate) async fn an_answer_is_remembered_with_its_write(store: &dyn ProductStore) {
    let mut first = create("a", named("a"));
    first.idempotency = Some(answered("key", "a"));
    make_one(store, first.clone()).await.unwrap();
    assert_eq!(store.find_idempotent("key").await.unwrap(), Some(answered("key", "a")));
    assert_eq!(store.find_idempotent("another").await.unwrap(), None);

    let mut second = create("b", named("b"));
    second.idempotency = Some(answered("key", "b"));
    for repeated in [first, second] {
        assert!(matches!(make_one(store, repeated).await, Err(WriteError::DuplicateKey)));
    }
    assert_eq!(held_version(store, "b").await, None);
    assert_eq!(store.find_idempotent("key").await.unwrap(), Some(answered("key", "a")));
}

pub(crate) async fn a_key_is_taken_once_within_a_call(store: &dyn ProductStore) {
    let writes = ["a", "b"].map(|product_id| Write {
        idempotency: Some(answered("key", product_id)),
        ..create(product_id, named("same key"))
    });
    let answers = store.write(writes.to_vec()).await;
    assert!(matches!(answers.as_slice(), [Ok(_), Err(WriteError::DuplicateKey)]));
    assert_eq!(held_version(store, "b").await, None);
}

pub(crate) async fn an_answer_that_changed_nothing_is_remembered_once(store: &dyn ProductStore) {
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

// ------------------------------------------------------------------------------------------------- list

pub(crate) async fn the_list_has_each_live_product_once(store: &dyn ProductStore) {
    assert!(listed(store, 5).await.is_empty());
    let writes = (0..57).map(|i| create(&format!("p{i:02}"), named("listed"))).collect();
    make(store, writes).await;
    make(store, (0..57).step_by(3).map(|i| delete(&format!("p{i:02}"), 2)).collect()).await;
    let expected: Vec<_> = (0..57).filter(|i| i % 3 != 0).map(|i| format!("p{i:02}")).collect();
    for limit in [1, 7, 38, 1000] {
        assert_eq!(sorted_ids(&listed(store, limit).await), expected, "pages of {limit}");
    }
}

pub(crate) async fn the_order_of_the_list_stays_the_same(store: &dyn ProductStore) {
    let writes = (0..30).rev().map(|i| create(&format!("p{i:02}"), named("listed"))).collect();
    make(store, writes).await;
    let before: Vec<_> = listed(store, 4).await.into_iter().map(|product| product.id).collect();
    make(store, (0..30).step_by(2).map(|i| update(&format!("p{i:02}"), 2, named("new"))).collect()).await;
    let after: Vec<_> = listed(store, 11).await.into_iter().map(|product| product.id).collect();
    assert_eq!(before, after);
}

pub(crate) async fn writes_between_pages_neither_hide_nor_repeat_a_product(store: &dyn ProductStore) {
    // Those from p30 on are deleted one by one, in no order of theirs; the others stay live.
    let writes = (0..40).map(|i| create(&format!("p{i:02}"), named("listed"))).collect();
    make(store, writes).await;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let (mut cursor, mut page_number) = (None, 0);
    loop {
        let page = store.list(cursor.as_deref(), 5).await.unwrap();
        for product in page.products {
            *seen.entry(product.id.to_string()).or_default() += 1;
        }
        if page_number < 7 {
            let writes = vec![
                create(&format!("m{page_number}"), named("new")),
                update(&format!("p{:02}", page_number), 2, named("updated")),
                update(&format!("p{:02}", 29 - page_number), 2, named("updated")),
                delete(&format!("p{:02}", 30 + page_number * 7 % 10), 2),
            ];
            make(store, writes).await;
        }
        page_number += 1;
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    for i in 0..30 {
        assert_eq!(seen.get(&format!("p{i:02}")), Some(&1), "p{i:02}");
    }
    assert!(seen.values().all(|times| *times == 1), "listed twice: {seen:?}");
}

pub(crate) async fn a_listed_product_is_as_it_is_now(store: &dyn ProductStore) {
    make(store, vec![create("a", named("old"))]).await;
    let change = update("a", 2, named("new"));
    let expected = change.change.product().unwrap().as_ref().clone();
    make(store, vec![change]).await;
    assert_eq!(listed(store, 10).await, [expected]);
}

pub(crate) async fn a_cursor_that_no_page_gave_is_unknown(store: &dyn ProductStore) {
    make(store, (0..5).map(|i| create(&format!("p{i}"), named("listed"))).collect()).await;
    let real = store.list(None, 2).await.unwrap().next.unwrap();
    assert_eq!(store.list(Some(&real), 2).await.unwrap().products.len(), 2);
    for made_up in ["", "1", "p0", "nonsense", "名", "-1", &format!("{real}0"), &format!("0{real}")] {
        let answer = store.list(Some(made_up), 2).await;
        assert!(matches!(answer, Err(ListError::UnknownCursor)), "cursor `{made_up}`: {answer:?}");
    }
}

// ------------------------------------------------------------------------------------------------- scan

/// All pages of a scan, of `limit` records at most.
async fn scanned(store: &dyn ProductStore, limit: usize) -> Vec<Record> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.scan(cursor.as_deref(), limit).await.unwrap();
        assert!(page.records.len() <= limit, "a page of {} records", page.records.len());
        all.extend(page.records);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return all,
        }
    }
}

async fn scanned_versions(store: &dyn ProductStore, limit: usize) -> Vec<StoredVersion> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.versions(cursor.as_deref(), limit).await.unwrap();
        assert!(page.versions.len() <= limit, "a page of {} versions", page.versions.len());
        all.extend(page.versions);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return all,
        }
    }
}

/// Products and tombstones: every third one is deleted, every ninth came back after that.
async fn make_products_and_tombstones(store: &dyn ProductStore) -> Vec<ProductId> {
    let ids: Vec<String> = (0..57).map(|i| format!("p{i:02}")).collect();
    make(store, ids.iter().map(|id| create(id, named("scanned"))).collect()).await;
    make(store, ids.iter().step_by(3).map(|id| delete(id, 2)).collect()).await;
    make(store, ids.iter().step_by(9).map(|id| update(id, 3, named("back again"))).collect()).await;
    ids.iter().map(|text| id(text)).collect()
}

pub(crate) async fn a_scan_has_each_product_and_each_tombstone_once(store: &dyn ProductStore) {
    assert!(scanned(store, 5).await.is_empty() && scanned_versions(store, 5).await.is_empty());
    let ids = make_products_and_tombstones(store).await;
    let held: Vec<Record> = store.get(&ids).await.unwrap().into_iter().map(Option::unwrap).collect();
    assert_eq!(held.iter().filter(|record| matches!(record, Record::Deleted(_))).count(), 12);
    for limit in [1, 7, 57, 58, 1000] {
        let mut records = scanned(store, limit).await;
        let versions: Vec<StoredVersion> = records.iter().map(StoredVersion::of).collect();
        assert_eq!(scanned_versions(store, limit).await, versions, "pages of {limit}");
        records.sort_by(|a, b| a.id().as_str().cmp(b.id().as_str()));
        assert_eq!(records, held, "pages of {limit}");
    }
}

pub(crate) async fn the_order_of_a_scan_is_that_of_the_list(store: &dyn ProductStore) {
    make_products_and_tombstones(store).await;
    let listed: Vec<ProductId> = listed(store, 10).await.into_iter().map(|product| product.id).collect();
    let order = async |limit| -> Vec<ProductId> {
        scanned(store, limit).await.into_iter().map(|record| record.id().clone()).collect()
    };
    let before = order(4).await;
    let live: Vec<&ProductId> = before.iter().filter(|id| listed.contains(id)).collect();
    assert_eq!(live, listed.iter().collect::<Vec<_>>());
    make(store, vec![update("p01", 2, named("new")), delete("p02", 2), update("p03", 3, named("back"))])
        .await;
    assert_eq!(order(11).await, before);
}

pub(crate) async fn writes_between_pages_neither_hide_nor_repeat_a_record(store: &dyn ProductStore) {
    make(store, (0..40).map(|i| create(&format!("p{i:02}"), named("scanned"))).collect()).await;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let (mut cursor, mut pages) = (None, 0);
    loop {
        // Records and versions have the same cursors.
        let (ids, next): (Vec<ProductId>, _) = match pages % 2 {
            0 => {
                let page = store.scan(cursor.as_deref(), 5).await.unwrap();
                (page.records.iter().map(|record| record.id().clone()).collect(), page.next)
            }
            _ => {
                let page = store.versions(cursor.as_deref(), 5).await.unwrap();
                (page.versions.into_iter().map(|stored| stored.id).collect(), page.next)
            }
        };
        for id in ids {
            *seen.entry(id.to_string()).or_default() += 1;
        }
        if pages < 7 {
            let writes = vec![
                create(&format!("m{pages}"), named("new")),
                update(&format!("p{pages:02}"), 2, named("updated")),
                delete(&format!("p{:02}", 29 - pages), 2),
                delete(&format!("p{:02}", 30 + pages * 7 % 10), 2),
            ];
            make(store, writes).await;
        }
        pages += 1;
        match next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    // A deleted one is still there, as a tombstone.
    for i in 0..40 {
        assert_eq!(seen.get(&format!("p{i:02}")), Some(&1), "p{i:02}");
    }
    assert!(seen.values().all(|times| *times == 1), "scanned twice: {seen:?}");
}

pub(crate) async fn a_scanned_record_is_as_it_is_now(store: &dyn ProductStore) {
    make(store, vec![create("a", named("old")), create("b", named("old"))]).await;
    let changes = [update("a", 2, named("new")), delete("b", 2)];
    let expected: Vec<Record> = changes.iter().map(|write| write.change.record()).collect();
    make(store, changes.to_vec()).await;
    let mut records = scanned(store, 10).await;
    records.sort_by(|a, b| a.id().as_str().cmp(b.id().as_str()));
    assert_eq!(records, expected);
    let mut versions = scanned_versions(store, 10).await;
    versions.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    let deleted_at = match &expected[1] {
        Record::Deleted(tombstone) => Some(tombstone.deleted_at),
        Record::Live(_) => None,
    };
    assert!(deleted_at.is_some());
    let [a, b] = [id("a"), id("b")];
    assert_eq!(
        versions,
        [
            StoredVersion { id: a, version: Version(2), deleted_at: None },
            StoredVersion { id: b, version: Version(2), deleted_at },
        ]
    );
}

pub(crate) async fn a_cursor_that_no_page_of_a_scan_gave_is_unknown(store: &dyn ProductStore) {
    make(store, (0..5).map(|i| create(&format!("p{i}"), named("scanned"))).collect()).await;
    let real = store.scan(None, 2).await.unwrap().next.unwrap();
    assert_eq!(store.scan(Some(&real), 2).await.unwrap().records.len(), 2);
    for made_up in ["", "1", "p0", "nonsense", "名", "-1", &format!("{real}0"), &format!("0{real}")] {
        let answer = store.scan(Some(made_up), 2).await;
        assert!(matches!(answer, Err(ListError::UnknownCursor)), "cursor `{made_up}`: {answer:?}");
        let answer = store.versions(Some(made_up), 2).await;
        assert!(matches!(answer, Err(ListError::UnknownCursor)), "cursor `{made_up}`: {answer:?}");
    }
}

// ------------------------------------------------------------------------------------------------ outbox

/// A write is either in the store's own queue, or it left a mark, never both or neither.
pub(crate) async fn every_write_is_enqueued_or_leaves_a_mark(
    store: &dyn ProductStore,
    queue: Option<&dyn ChangeQueue>,
) {
    let mut first = create("a", named("a"));
    first.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    let writes = vec![first.clone(), create("b", named("b")), create("c", named("c"))];
    let written = make(store, writes).await;
    make(store, vec![delete("c", 2)]).await;
    let unsent = store.pending(Duration::ZERO, 10).await.unwrap();
    let told: Vec<_> = match queue {
        Some(queue) => {
            assert!(unsent.is_empty() && written.iter().all(|written| written.outbox_entry.is_none()));
            let received = queue.receive(10, Duration::from_secs(10)).await.unwrap();
            received.into_iter().map(|delivery| delivery.envelope.unwrap()).collect()
        }
        None => {
            assert!(written.iter().all(|written| written.outbox_entry.is_some()));
            unsent.into_iter().map(|unsent| unsent.envelope).collect()
        }
    };
    let about = |product_id: &str| -> Vec<_> {
        told.iter().filter(|envelope| envelope.change.id().as_str() == product_id).collect()
    };
    assert_eq!(told.len(), 4);
    assert_eq!(about("a").len(), 1);
    assert_eq!((&about("a")[0].change, &about("a")[0].traceparent), (&first.change, &first.traceparent));
    assert_eq!((about("b")[0].change.version(), about("b")[0].traceparent.as_ref()), (Version(1), None));
    assert_eq!(about("c").iter().filter(|envelope| envelope.change.version() == Version(2)).count(), 2);
}

pub(crate) async fn marks_stay_until_they_are_cleared(
    store: &dyn ProductStore,
    queue: Option<&dyn ChangeQueue>,
) {
    let mut marks = Vec::new();
    for i in 0..6 {
        marks.extend(
            make(store, vec![create(&format!("p{i}"), named("marked"))]).await.remove(0).outbox_entry,
        );
    }
    if queue.is_some() {
        assert!(marks.is_empty());
        store.remove_from_outbox(&[]).await.unwrap();
        return;
    }
    let unsent = async |age: Duration, limit: usize| -> Vec<String> {
        let unsent = store.pending(age, limit).await.unwrap();
        unsent.into_iter().map(|unsent| unsent.envelope.change.id().to_string()).collect()
    };
    assert_eq!(unsent(Duration::ZERO, 4).await, ["p0", "p1", "p2", "p3"]);
    assert!(unsent(Duration::from_secs(3600), 4).await.is_empty());
    store.remove_from_outbox(&marks[1..3]).await.unwrap();
    store.remove_from_outbox(&marks[1..4]).await.unwrap();
    assert_eq!(unsent(Duration::ZERO, 10).await, ["p0", "p4", "p5"]);
    // A new mark has a name of its own, also after the newest one was cleared.
    store.remove_from_outbox(&marks).await.unwrap();
    let new = make(store, vec![create("new", named("marked"))]).await.remove(0).outbox_entry.unwrap();
    store.remove_from_outbox(&marks).await.unwrap();
    let left = store.pending(Duration::ZERO, 10).await.unwrap();
    assert_eq!(left.iter().map(|unsent| &unsent.id).collect::<Vec<_>>(), [&new]);
}

pub(crate) async fn the_outbox_counts_what_is_to_be_enqueued(
    store: &dyn ProductStore,
    queue: Option<&dyn ChangeQueue>,
) {
    assert_eq!(store.outbox().await.unwrap(), OutboxStats::default());
    let begun = Instant::now();
    let written = make(store, (0..3).map(|i| create(&format!("p{i}"), named("marked"))).collect()).await;
    let (stats, took) = (store.outbox().await.unwrap(), begun.elapsed());
    if queue.is_some() {
        return assert_eq!(stats, OutboxStats::default());
    }
    assert_eq!(stats.entries, 3);
    assert!(stats.oldest_age.unwrap() <= took + Duration::from_millis(5), "{stats:?} after {took:?}");
    // The first ones become older, and then others are the oldest.
    while store.pending(Duration::from_millis(20), 3).await.unwrap().len() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(20), "time stands still");
    }
    assert!(store.outbox().await.unwrap().oldest_age.unwrap() >= Duration::from_millis(20));
    let marks: Vec<OutboxEntryId> = written.into_iter().filter_map(|written| written.outbox_entry).collect();
    store.remove_from_outbox(&marks[1..]).await.unwrap();
    assert_eq!(store.outbox().await.unwrap().entries, 1);
    store.remove_from_outbox(&marks).await.unwrap();
    assert_eq!(store.outbox().await.unwrap(), OutboxStats::default());
}

pub(crate) async fn what_is_unsent_may_be_a_later_change_but_never_an_earlier_one(
    store: &dyn ProductStore,
    queue: Option<&dyn ChangeQueue>,
) {
    make(store, vec![create("a", named("a"))]).await;
    make(store, vec![update("a", 2, named("b"))]).await;
    let mut versions: Vec<_> = match queue {
        Some(queue) => {
            let received = queue.receive(10, Duration::from_secs(10)).await.unwrap();
            received.into_iter().map(|delivery| delivery.envelope.unwrap().change.version().0).collect()
        }
        None => {
            let unsent = store.pending(Duration::ZERO, 10).await.unwrap();
            unsent.into_iter().map(|unsent| unsent.envelope.change.version().0).collect()
        }
    };
    versions.sort_unstable();
    assert!(matches!(versions.as_slice(), [1 | 2, 2]), "{versions:?}");
}

// ----------------------------------------------------------------------------------- ready, and in two

pub(crate) async fn a_store_that_works_is_ready(store: &dyn ProductStore) {
    store.ready().await.unwrap();
    make(store, vec![create("a", named("a"))]).await;
    store.ready().await.unwrap();
}

pub(crate) async fn a_write_is_seen_through_another_opening(
    store: &dyn ProductStore,
    another: &dyn ProductStore,
) {
    for version in 1..20 {
        let (writer, reader) = if version % 2 == 0 { (store, another) } else { (another, store) };
        let change = match version {
            1 => create("a", named("a")),
            _ => update("a", version, named("b")),
        };
        make(writer, vec![change]).await;
        assert_eq!(held_version(reader, "a").await, Some(version));
    }
    assert_eq!(sorted_ids(&listed(another, 3).await), ["a"]);
}

pub(crate) async fn of_writes_through_two_openings_one_wins(
    store: &dyn ProductStore,
    another: &dyn ProductStore,
) {
    let race = |store, who: &'static str| async move {
        let mut won = 0;
        for i in 0..100 {
            match make_one(store, create(&format!("p{i}"), named(who))).await {
                Ok(_) => won += 1,
                Err(WriteError::Conflict { current: Some(Version(1)) }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        won
    };
    let (one, two) = futures::join!(race(store, "one"), race(another, "two"));
    assert_eq!(one + two, 100);
    let products = listed(store, 100).await;
    assert_eq!(products.iter().filter(|product| product.content.name == "one").count(), one);
    assert_eq!(products.len(), 100);
}

pub(crate) async fn a_cursor_is_good_in_another_opening(
    store: &dyn ProductStore,
    another: &dyn ProductStore,
) {
    make(store, (0..9).map(|i| create(&format!("p{i}"), named("listed"))).collect()).await;
    let first = store.list(None, 4).await.unwrap();
    let second = another.list(first.next.as_deref(), 5).await.unwrap();
    let mut all = first.products;
    all.extend(second.products);
    assert_eq!(sorted_ids(&all), (0..9).map(|i| format!("p{i}")).collect::<Vec<_>>());
    assert_eq!(second.next, None);
}

// ---------------------------------------------------------------------------------------------- adapters

/// A store under test, with data of its own.
struct UnderTest {
    store: Arc<dyn ProductStore>,
    /// The same data, opened once more as another process would.
    another: Arc<dyn ProductStore>,
    /// The queue that the store enqueues into, where it does.
    queue: Option<Arc<dyn ChangeQueue>>,
    _data: Option<TempDir>,
}

fn embedded(outbox: Outbox) -> Option<UnderTest> {
    let data = tempfile::tempdir().unwrap();
    let open = || EmbeddedStore::open(data.path(), Options { outbox, ..Options::default() }).unwrap();
    let (store, another) = (Arc::new(open()), Arc::new(open()));
    let queue = (outbox == Outbox::Enqueue).then(|| Arc::clone(&store) as Arc<dyn ChangeQueue>);
    Some(UnderTest { store, another, queue, _data: Some(data) })
}

/// A table of its own on DynamoDB Local; none where that cannot be had.
async fn dynamodb() -> Option<UnderTest> {
    let server = services::dynamodb().await?;
    let aws = Aws::local(&server.url).await.unwrap();
    let table = format!("contract-{}", ProductId::generate());
    let store = DynamoStore::create(&aws, &table).await.unwrap();
    let another = DynamoStore::open(&Aws::local(&server.url).await.unwrap(), &table).await.unwrap();
    Some(UnderTest { store: Arc::new(store), another: Arc::new(another), queue: None, _data: None })
}

/// Makes a module for each adapter with a test for each sentence.
macro_rules! hold_to_the_contract {
    ($sentences:tt $($adapter:ident: $open:expr;)+) => {
        $(hold_to_the_contract!(@adapter $adapter, $open, $sentences);)+
    };
    (@adapter $adapter:ident, $open:expr, {
        one: [$($one:ident),+ $(,)?],
        with_queue: [$($with_queue:ident),+ $(,)?],
        two: [$($two:ident),+ $(,)?],
    }) => {
        mod $adapter {
            use super::*;
            $(#[tokio::test]
            async fn $one() {
                let Some(under_test) = $open else { return };
                super::$one(&*under_test.store).await;
            })+
            $(#[tokio::test]
            async fn $with_queue() {
                let Some(under_test) = $open else { return };
                super::$with_queue(&*under_test.store, under_test.queue.as_deref()).await;
            })+
            $(#[tokio::test]
            async fn $two() {
                let Some(under_test) = $open else { return };
                super::$two(&*under_test.store, &*under_test.another).await;
            })+
        }
    };
}

hold_to_the_contract! {
    {
        one: [
            get_answers_in_the_order_asked,
            get_answers_for_many_ids,
            get_sees_a_write_that_was_answered_before,
            what_is_held_equals_what_was_written,
            writes_are_answered_in_the_order_asked,
            a_write_that_fails_leaves_the_others_as_they_are,
            a_write_that_fails_leaves_nothing_behind,
            a_write_succeeds_only_over_the_version_it_replaces,
            a_write_that_does_not_make_the_next_version_is_refused,
            versions_go_on_after_a_delete,
            the_first_write_of_a_call_to_the_same_product_wins,
            of_writes_at_once_over_one_version_one_wins,
            a_sku_belongs_to_one_live_product,
            an_answer_is_remembered_with_its_write,
            a_key_is_taken_once_within_a_call,
            an_answer_that_changed_nothing_is_remembered_once,
            the_list_has_each_live_product_once,
            the_order_of_the_list_stays_the_same,
            writes_between_pages_neither_hide_nor_repeat_a_product,
            a_listed_product_is_as_it_is_now,
            a_cursor_that_no_page_gave_is_unknown,
            a_scan_has_each_product_and_each_tombstone_once,
            the_order_of_a_scan_is_that_of_the_list,
            writes_between_pages_neither_hide_nor_repeat_a_record,
            a_scanned_record_is_as_it_is_now,
            a_cursor_that_no_page_of_a_scan_gave_is_unknown,
            a_store_that_works_is_ready,
        ],
        with_queue: [
            every_write_is_enqueued_or_leaves_a_mark,
            marks_stay_until_they_are_cleared,
            the_outbox_counts_what_is_to_be_enqueued,
            what_is_unsent_may_be_a_later_change_but_never_an_earlier_one,
        ],
        two: [
            a_write_is_seen_through_another_opening,
            of_writes_through_two_openings_one_wins,
            a_cursor_is_good_in_another_opening,
        ],
    }
    sqlite_that_enqueues: embedded(Outbox::Enqueue);
    sqlite_that_marks: embedded(Outbox::AddEntry);
    dynamodb_table: dynamodb().await;
}
