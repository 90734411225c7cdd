//! The product store in one DynamoDB table.
//!
//! The table has a partition key `pk` and a sort key `sk`, both texts, no index, and `expires` for its time to live:
//!
//! | item | `pk` | `sk` | what else |
//! | --- | --- | --- | --- |
//! | product or tombstone | `P#` and one of 64 shards | its id | `version`, `action`, `sku`, `product` (JSON) or `deletedAt` |
//! | sku | `S#` and the sku | `S` | `product`: whose it is |
//! | answer | `A#` and the idempotency key | `A` | `fingerprint`, `answer`, `expires` |
//! | mark | `O#` and one of 16 shards | time, id, version | `traceparent` |
//! | probe | `H` | `H` | `at` |
//!
//! Each write is one transaction over two to five of them. Every read is strongly consistent.

#![warn(missing_docs)]

mod answers;
mod items;
mod list;
mod outbox;
mod read;
mod table;
mod transaction;
mod write;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_setup::Aws;
use domain::ports::{
    IdempotencyRecord, ListError, OutboxEntry, OutboxEntryId, OutboxStats, PortError, ProductPage,
    ProductStore, RecordPage, Write, WriteError, Written,
};
use domain::{ProductId, Record};
use jiff::Timestamp;

pub use table::OpenError;

/// Tells the time. Everything that the table says of time comes from it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The store. Clones share their connections.
#[derive(Clone)]
pub struct DynamoStore {
    client: Client,
    table: Arc<str>,
    clock: Clock,
}

impl DynamoStore {
    /// Opens the table. It is looked at once, so that what is configured wrongly is told at once; a server that cannot
    /// be reached is no error here, as it may come back: [`ProductStore::ready`] says so until then.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn open(aws: &Aws, table: &str) -> Result<Self, OpenError> {
        let store = Self::new(aws, table, Arc::new(Timestamp::now));
        store.check(aws.region()).await?;
        Ok(store)
    }

    /// Makes the table unless it is there, with time to live and point-in-time recovery where the server knows them,
    /// and opens it.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn create(aws: &Aws, table: &str) -> Result<Self, OpenError> {
        let store = Self::new(aws, table, Arc::new(Timestamp::now));
        store.create_table().await?;
        store.check(aws.region()).await?;
        Ok(store)
    }

    /// The same store with another idea of time.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    fn new(aws: &Aws, table: &str, clock: Clock) -> Self {
        Self { client: Client::new(aws.config()), table: table.into(), clock }
    }
}

#[async_trait]
impl ProductStore for DynamoStore {
    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Record>>, PortError> {
        self.get_records(ids).await
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Written, WriteError>> {
        self.make_all(&writes).await
    }

    async fn record_idempotent(&self, record: IdempotencyRecord) -> Result<(), WriteError> {
        self.remember_answer(&record).await
    }

    async fn find_idempotent(&self, key: &str) -> Result<Option<IdempotencyRecord>, PortError> {
        self.find_answer(key).await
    }

    async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<ProductPage, ListError> {
        let (products, next) = self.page(cursor, limit.max(1), items::read_product).await?;
        Ok(ProductPage { products, next })
    }

    async fn scan(&self, cursor: Option<&str>, limit: usize) -> Result<RecordPage, ListError> {
        let (records, next) =
            self.page(cursor, limit.max(1), |item| items::read_record(item).map(Some)).await?;
        Ok(RecordPage { records, next })
    }

    async fn pending(&self, age: Duration, limit: usize) -> Result<Vec<OutboxEntry>, PortError> {
        self.find_unsent(age, limit).await
    }

    async fn remove_from_outbox(&self, entries: &[OutboxEntryId]) -> Result<(), PortError> {
        self.clear_marks(entries).await
    }

    async fn outbox(&self) -> Result<OutboxStats, PortError> {
        self.count_marks().await
    }

    fn back_end(&self) -> &'static str {
        "dynamodb"
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.probe().await
    }
}
