//! The contract of `scan` and `versions`.

use domain::ports::{ListError, ProductStore, StoredVersion};
use domain::{ProductId, Record, Version};
use embedded_store::Outbox;

use super::{
    count_ids_between_writes, create, delete, dynamodb, embedded, id, listed, named, update, write_all,
};
use crate::support::on_each;

/// Returns all pages of a scan, each of at most `limit` records.
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

/// Writes products, deletes every third and creates every ninth again.
async fn write_products_and_tombstones(store: &dyn ProductStore) -> Vec<ProductId> {
    let ids: Vec<String> = (0..57).map(|i| format!("p{i:02}")).collect();
    write_all(store, ids.iter().map(|id| create(id, named("scanned"))).collect()).await;
    write_all(store, ids.iter().step_by(3).map(|id| delete(id, 2)).collect()).await;
    write_all(store, ids.iter().step_by(9).map(|id| update(id, 3, named("back again"))).collect()).await;
    ids.iter().map(|text| id(text)).collect()
}

async fn scan_returns_each_product_and_tombstone_once(store: &dyn ProductStore) {
    assert!(scanned(store, 5).await.is_empty() && scanned_versions(store, 5).await.is_empty());
    let ids = write_products_and_tombstones(store).await;
    let record_of: Vec<Record> = store.get(&ids).await.unwrap().into_iter().map(Option::unwrap).collect();
    assert_eq!(record_of.iter().filter(|record| matches!(record, Record::Deleted(_))).count(), 12);
    for limit in [1, 7, 57, 58, 1000] {
        let mut records = scanned(store, limit).await;
        let versions: Vec<StoredVersion> = records.iter().map(StoredVersion::of).collect();
        assert_eq!(scanned_versions(store, limit).await, versions, "pages of {limit}");
        records.sort_by(|a, b| a.id().as_str().cmp(b.id().as_str()));
        assert_eq!(records, record_of, "pages of {limit}");
    }
}

async fn scan_has_the_order_of_the_list(store: &dyn ProductStore) {
    write_products_and_tombstones(store).await;
    let listed: Vec<ProductId> = listed(store, 10).await.into_iter().map(|product| product.id).collect();
    let order = async |limit| -> Vec<ProductId> {
        scanned(store, limit).await.into_iter().map(|record| record.id().clone()).collect()
    };
    let before = order(4).await;
    let live: Vec<&ProductId> = before.iter().filter(|id| listed.contains(id)).collect();
    assert_eq!(live, listed.iter().collect::<Vec<_>>());
    write_all(store, vec![update("p01", 2, named("new")), delete("p02", 2), update("p03", 3, named("back"))])
        .await;
    assert_eq!(order(11).await, before);
}

async fn writes_between_pages_neither_hide_nor_repeat_a_record(store: &dyn ProductStore) {
    write_all(store, (0..40).map(|i| create(&format!("p{i:02}"), named("scanned"))).collect()).await;
    // Records and versions share cursors.
    let page_of = async |cursor: Option<String>, page_number: usize| match page_number % 2 {
        0 => {
            let page = store.scan(cursor.as_deref(), 5).await.unwrap();
            (page.records.iter().map(|record| record.id().clone()).collect(), page.next)
        }
        _ => {
            let page = store.versions(cursor.as_deref(), 5).await.unwrap();
            (page.versions.into_iter().map(|stored| stored.id).collect(), page.next)
        }
    };
    let writes_after = |page_number| {
        vec![
            create(&format!("m{page_number}"), named("new")),
            update(&format!("p{page_number:02}"), 2, named("updated")),
            delete(&format!("p{:02}", 29 - page_number), 2),
            delete(&format!("p{:02}", 30 + page_number * 7 % 10), 2),
        ]
    };
    let seen = count_ids_between_writes(store, page_of, writes_after).await;
    // A deleted product is still returned, as a tombstone.
    for i in 0..40 {
        assert_eq!(seen.get(&format!("p{i:02}")), Some(&1), "p{i:02}");
    }
    assert!(seen.values().all(|times| *times == 1), "scanned twice: {seen:?}");
}

async fn a_scanned_record_has_its_current_version(store: &dyn ProductStore) {
    write_all(store, vec![create("a", named("old")), create("b", named("old"))]).await;
    let changes = [update("a", 2, named("new")), delete("b", 2)];
    let expected: Vec<Record> = changes.iter().map(|write| write.change.record()).collect();
    write_all(store, changes.to_vec()).await;
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

async fn a_cursor_that_no_scan_returned_is_unknown(store: &dyn ProductStore) {
    write_all(store, (0..5).map(|i| create(&format!("p{i}"), named("scanned"))).collect()).await;
    let real = store.scan(None, 2).await.unwrap().next.unwrap();
    assert_eq!(store.scan(Some(&real), 2).await.unwrap().records.len(), 2);
    for made_up in ["", "1", "p0", "nonsense", "名", "-1", &format!("{real}0"), &format!("0{real}")] {
        let result = store.scan(Some(made_up), 2).await;
        assert!(matches!(result, Err(ListError::UnknownCursor)), "cursor `{made_up}`: {result:?}");
        let result = store.versions(Some(made_up), 2).await;
        assert!(matches!(result, Err(ListError::UnknownCursor)), "cursor `{made_up}`: {result:?}");
    }
}

on_each! {
    {
        sqlite_that_enqueues: embedded(Outbox::Enqueue);
        sqlite_with_an_outbox: embedded(Outbox::AddEntry);
        dynamodb_table: dynamodb().await;
    }
    {
        |stores| (&*stores.store) [
            scan_returns_each_product_and_tombstone_once,
            scan_has_the_order_of_the_list,
            writes_between_pages_neither_hide_nor_repeat_a_record,
            a_scanned_record_has_its_current_version,
            a_cursor_that_no_scan_returned_is_unknown,
        ]
    }
}
