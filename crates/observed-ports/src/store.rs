//! The store, observed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ProductId;
use domain::change::Record;
use domain::ports::{
    IdempotencyRecord, ListError, OutboxEntry, OutboxEntryId, OutboxStats, PortError, ProductPage,
    ProductStore, RecordPage, VersionPage, Write, WriteError, Written,
};
use runtime::server_timing::Phase;
use tracing::Span;

use crate::call::{call_span, record_error, span_of_call, timed, watched};

/// A store whose calls are observed.
pub struct ObservedStore(Arc<dyn ProductStore>);

impl ObservedStore {
    /// Observes the calls of a store.
    pub fn around(store: Arc<dyn ProductStore>) -> Arc<dyn ProductStore> {
        Arc::new(Self(store))
    }

    fn read(&self, operation: &'static str, records: usize) -> Span {
        span_of_call(|| {
            call_span!(
                "store.read",
                "client",
                db.system = self.0.back_end(),
                db.operation.name = operation,
                noren.records = records,
            )
        })
    }

    fn write(&self, operation: &'static str, records: usize) -> Span {
        span_of_call(|| {
            call_span!(
                "store.write",
                "client",
                db.system = self.0.back_end(),
                db.operation.name = operation,
                noren.records = records,
            )
        })
    }
}

#[async_trait]
impl ProductStore for ObservedStore {
    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Record>>, PortError> {
        watched(Phase::Store, &self.read("get", ids.len()), self.0.get(ids)).await
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Written, WriteError>> {
        let span = self.write("write", writes.len());
        let results = timed(Phase::Store, &span, self.0.write(writes)).await;
        // One error stands for all: they mostly have one cause.
        if let Some(error) = results.iter().find_map(|result| result.as_ref().err()) {
            record_error(&span, error);
        }
        results
    }

    async fn record_idempotent(&self, record: IdempotencyRecord) -> Result<(), WriteError> {
        watched(Phase::Store, &self.write("record_idempotent", 1), self.0.record_idempotent(record)).await
    }

    async fn find_idempotent(&self, key: &str) -> Result<Option<IdempotencyRecord>, PortError> {
        watched(Phase::Store, &self.read("find_idempotent", 1), self.0.find_idempotent(key)).await
    }

    async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<ProductPage, ListError> {
        watched(Phase::Store, &self.read("list", limit), self.0.list(cursor, limit)).await
    }

    async fn scan(&self, cursor: Option<&str>, limit: usize) -> Result<RecordPage, ListError> {
        watched(Phase::Store, &self.read("scan", limit), self.0.scan(cursor, limit)).await
    }

    async fn versions(&self, cursor: Option<&str>, limit: usize) -> Result<VersionPage, ListError> {
        watched(Phase::Store, &self.read("versions", limit), self.0.versions(cursor, limit)).await
    }

    async fn pending(&self, age: Duration, limit: usize) -> Result<Vec<OutboxEntry>, PortError> {
        watched(Phase::Store, &self.read("pending", limit), self.0.pending(age, limit)).await
    }

    async fn remove_from_outbox(&self, entries: &[OutboxEntryId]) -> Result<(), PortError> {
        if entries.is_empty() {
            return self.0.remove_from_outbox(entries).await;
        }
        let span = self.write("remove_from_outbox", entries.len());
        watched(Phase::Store, &span, self.0.remove_from_outbox(entries)).await
    }

    async fn outbox(&self) -> Result<OutboxStats, PortError> {
        self.0.outbox().await
    }

    fn back_end(&self) -> &'static str {
        self.0.back_end()
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.0.ready().await
    }
}
