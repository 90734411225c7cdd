//! The port, delegated to the modules that implement its parts.

use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{
    IdempotencyRecord, ListError, OutboxEntry, OutboxEntryId, OutboxStats, PortError, ProductPage,
    ProductStore, RecordPage, Write, WriteError, Written,
};
use domain::{ProductId, Record};

use crate::items::{read_product, read_record};
use crate::store::DynamoStore;

#[async_trait]
impl ProductStore for DynamoStore {
    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Record>>, PortError> {
        self.get_records(ids).await
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Written, WriteError>> {
        self.write_all(&writes).await
    }

    async fn record_idempotent(&self, record: IdempotencyRecord) -> Result<(), WriteError> {
        self.put_idempotency_record(&record).await
    }

    async fn find_idempotent(&self, key: &str) -> Result<Option<IdempotencyRecord>, PortError> {
        self.find_idempotency_record(key).await
    }

    async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<ProductPage, ListError> {
        let (products, next) = self.page(cursor, limit.max(1), read_product).await?;
        Ok(ProductPage { products, next })
    }

    async fn scan(&self, cursor: Option<&str>, limit: usize) -> Result<RecordPage, ListError> {
        let (records, next) = self.page(cursor, limit.max(1), |item| read_record(item).map(Some)).await?;
        Ok(RecordPage { records, next })
    }

    async fn pending(&self, age: Duration, limit: usize) -> Result<Vec<OutboxEntry>, PortError> {
        self.find_pending(age, limit).await
    }

    async fn remove_from_outbox(&self, entries: &[OutboxEntryId]) -> Result<(), PortError> {
        self.delete_outbox_entries(entries).await
    }

    async fn outbox(&self) -> Result<OutboxStats, PortError> {
        self.outbox_stats().await
    }

    fn back_end(&self) -> &'static str {
        "dynamodb"
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.probe().await
    }
}
