//! Tests beyond the contract suites: the file and its migrations, the writer's groups, time, and crashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::input::read_product;
use domain::ports::{
    ChangeQueue, DeadLetter, DeadLetters as _, Delivery, IdempotencyRecord, ProductStore, Write,
    WriteOutcome, WriteResponse,
};
use domain::{Change, Currency, Product, ProductId, Tombstone, Version};
use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::options::{Options, Outbox};
use crate::schema::FILE_NAME;
use crate::store::{EmbeddedStore, to_millis};

mod copies;
mod messages;
mod migrations;
mod opening;
mod time;
mod writer;

const VISIBILITY: Duration = Duration::from_secs(10);

/// A clock that stands still until it is advanced.
#[derive(Clone)]
struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_700_000_000_000)))
    }

    fn advance(&self, by: Duration) {
        self.0.fetch_add(to_millis(by), Ordering::SeqCst);
    }

    fn set_back(&self, by: Duration) {
        self.0.fetch_sub(to_millis(by), Ordering::SeqCst);
    }

    fn options(&self, outbox: Outbox) -> Options {
        let clock = self.clone();
        let read = move || Timestamp::from_millisecond(clock.0.load(Ordering::SeqCst)).unwrap();
        Options { outbox, visibility_timeout: VISIBILITY, clock: Arc::new(read) }
    }
}

struct Fixture {
    store: EmbeddedStore,
    clock: ManualClock,
    data: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self::with(Outbox::Enqueue)
    }

    fn with(outbox: Outbox) -> Self {
        let (data, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
        let store = EmbeddedStore::open(data.path(), clock.options(outbox)).unwrap();
        Self { store, clock, data }
    }

    /// Opens a connection that bypasses the store, as another program would.
    fn other_connection(&self) -> Connection {
        Connection::open(self.data.path().join(FILE_NAME)).unwrap()
    }

    fn count(&self, sql: &str) -> i64 {
        self.other_connection().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    async fn create(&self, id: &str) {
        for written in self.store.write(vec![create(id, 10)]).await {
            written.unwrap();
        }
    }

    async fn receive(&self, max: usize) -> Vec<Delivery> {
        self.store.receive(max, Duration::ZERO).await.unwrap()
    }

    async fn dead_letters(&self, limit: usize) -> Vec<DeadLetter> {
        self.store.newest(limit).await.unwrap().letters
    }
}

fn product(id: &str, version: u64, description_bytes: usize) -> Arc<Product> {
    let mut content = read_product(br#"{"name":"a lamp"}"#, Currency::USD).unwrap().content;
    content.description = Some("x".repeat(description_bytes));
    let now = domain::now();
    let id = ProductId::parse(id).unwrap();
    Arc::new(Product { id, version: Version(version), created_at: now, updated_at: now, content })
}

fn write(change: Change) -> Write {
    let replaces = change.version().0.checked_sub(1).filter(|version| *version > 0).map(Version);
    Write { change, replaces, idempotency: None, traceparent: None }
}

fn create(id: &str, description_bytes: usize) -> Write {
    write(Change::Create(product(id, 1, description_bytes)))
}

fn delete(id: &str, version: u64) -> Write {
    let id = ProductId::parse(id).unwrap();
    write(Change::Delete(Tombstone { id, version: Version(version), deleted_at: domain::now() }))
}

fn idempotency_record(key: &str) -> IdempotencyRecord {
    let id = ProductId::parse("a").unwrap();
    let response = WriteResponse { outcome: WriteOutcome::Unchanged, id, version: Version(1) };
    IdempotencyRecord { key: key.to_owned(), fingerprint: [1; 32], response }
}
