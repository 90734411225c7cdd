//! The contract of [`ProductStore`]: a test of each sentence of its documentation, for each store.
//!
//! To test another adapter, add it to the `on_each!` blocks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod idempotency;
mod lists;
mod outbox;
mod processes;
mod reads;
mod scans;
mod writes;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_setup::Aws;
use domain::input::read_product;
use domain::ports::{
    ChangeQueue, IdempotencyRecord, ProductStore, Write, WriteError, WriteOutcome, WriteResponse, Written,
};
use domain::{Change, Content, Currency, Product, ProductId, Record, Tombstone, Version};
use dynamodb_store::DynamoStore;
use embedded_store::{EmbeddedStore, Options, Outbox};
use tempfile::TempDir;

use crate::services;

/// A store under test, with its own data.
pub(super) struct Stores {
    store: Arc<dyn ProductStore>,
    /// The same data, opened again as by another process.
    another: Arc<dyn ProductStore>,
    /// The queue, if the store enqueues changes itself.
    queue: Option<Arc<dyn ChangeQueue>>,
    _data: Option<TempDir>,
}

pub(super) fn embedded(outbox: Outbox) -> Option<Stores> {
    let data = tempfile::tempdir().unwrap();
    let open = || EmbeddedStore::open(data.path(), Options { outbox, ..Options::default() }).unwrap();
    let (store, another) = (Arc::new(open()), Arc::new(open()));
    let queue = (outbox == Outbox::Enqueue).then(|| Arc::clone(&store) as Arc<dyn ChangeQueue>);
    Some(Stores { store, another, queue, _data: Some(data) })
}

/// Creates a table on DynamoDB Local, or returns `None` if there is no server.
pub(super) async fn dynamodb() -> Option<Stores> {
    let server = services::dynamodb().await?;
    let aws = Aws::local(&server.url).await.unwrap();
    let table = format!("contract-{}", ProductId::generate());
    let store = DynamoStore::create(&aws, &table).await.unwrap();
    let another = DynamoStore::open(&Aws::local(&server.url).await.unwrap(), &table).await.unwrap();
    Some(Stores { store: Arc::new(store), another: Arc::new(another), queue: None, _data: None })
}

pub(crate) fn id(text: &str) -> ProductId {
    ProductId::parse(text).unwrap()
}

pub(super) fn content(json: &str) -> Content {
    read_product(json.as_bytes(), Currency::USD).unwrap().content
}

pub(super) fn named(name: &str) -> Content {
    content(&format!(r#"{{"name":"{name}"}}"#))
}

pub(super) fn with_sku(sku: &str) -> Content {
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

pub(super) fn write(change: Change, replaces: Option<u64>) -> Write {
    Write { change, replaces: replaces.map(Version), idempotency: None, traceparent: None }
}

pub(super) fn create(product_id: &str, content: Content) -> Write {
    write(Change::Create(product(product_id, 1, content)), None)
}

pub(super) fn update(product_id: &str, version: u64, content: Content) -> Write {
    write(Change::Update(product(product_id, version, content)), Some(version - 1))
}

pub(super) fn delete(product_id: &str, version: u64) -> Write {
    let tombstone = Tombstone { id: id(product_id), version: Version(version), deleted_at: domain::now() };
    write(Change::Delete(tombstone), Some(version - 1))
}

pub(super) async fn write_all(store: &dyn ProductStore, writes: Vec<Write>) -> Vec<Written> {
    store.write(writes).await.into_iter().map(Result::unwrap).collect()
}

/// Reads all pages, with writes after each of the first seven. Returns how many times each id was seen.
///
/// `page_of` takes a cursor and the number of the page, from 0, and returns ids and the next cursor.
pub(super) async fn count_ids_between_writes(
    store: &dyn ProductStore,
    page_of: impl AsyncFn(Option<String>, usize) -> (Vec<ProductId>, Option<String>),
    writes_after: impl Fn(usize) -> Vec<Write>,
) -> BTreeMap<String, usize> {
    let (mut seen, mut cursor) = (BTreeMap::new(), None);
    for page_number in 0.. {
        let (ids, next) = page_of(cursor, page_number).await;
        for id in ids {
            *seen.entry(id.to_string()).or_default() += 1;
        }
        if page_number < 7 {
            write_all(store, writes_after(page_number)).await;
        }
        if next.is_none() {
            break;
        }
        cursor = next;
    }
    seen
}

pub(super) async fn write_one(store: &dyn ProductStore, write: Write) -> Result<Written, WriteError> {
    let mut results = store.write(vec![write]).await;
    assert_eq!(results.len(), 1);
    results.remove(0)
}

pub(super) async fn record_of(store: &dyn ProductStore, product_id: &str) -> Option<Record> {
    store.get(&[id(product_id)]).await.unwrap().remove(0)
}

pub(super) async fn version_of(store: &dyn ProductStore, product_id: &str) -> Option<u64> {
    record_of(store, product_id).await.map(|record| record.version().0)
}

/// Returns all pages of the list, each of at most `limit` products.
pub(super) async fn listed(store: &dyn ProductStore, limit: usize) -> Vec<Product> {
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

pub(super) fn sorted_ids(products: &[Product]) -> Vec<String> {
    let mut ids: Vec<_> = products.iter().map(|product| product.id.to_string()).collect();
    ids.sort();
    ids
}

pub(super) fn idempotency_record(key: &str, product_id: &str) -> IdempotencyRecord {
    let result = WriteResponse { outcome: WriteOutcome::Created, id: id(product_id), version: Version(1) };
    IdempotencyRecord { key: key.to_owned(), fingerprint: [7; 32], response: result }
}
