//! The store's port, composed of the operations of the other modules.

use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{
    IdempotencyRecord, ListError, OutboxEntry, OutboxEntryId, OutboxStats, PortError, PortErrorKind,
    ProductPage, ProductStore, RecordPage, VersionPage, Write, WriteError, Written,
};
use domain::{ProductId, Record};
use rusqlite::Connection;

use crate::error::fail_all;
use crate::rows::ROW_BYTES;
use crate::store::{BACK_END, EmbeddedStore, to_millis};
use crate::transaction::WriteTransaction;
use crate::write::{PreparedWrite, prepare_all};
use crate::{cursor, idempotency, outbox, products};

#[async_trait]
impl ProductStore for EmbeddedStore {
    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Record>>, PortError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = ids.to_vec();
        let read = move |conn: &Connection| ids.iter().map(|id| products::find(conn, id)).collect();
        self.0.readers.run("reading products from the store", read).await
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Written, WriteError>> {
        let (count, outbox) = (writes.len(), self.0.outbox);
        if count == 0 {
            return Vec::new();
        }
        let prepared = match prepare_all(writes).await {
            Ok(prepared) => prepared,
            Err(error) => return fail_all(&error, count),
        };
        let bytes = prepared.iter().map(PreparedWrite::bytes).sum();
        let work = move |transaction: &WriteTransaction<'_>| {
            prepared
                .iter()
                .map(|write| write.apply(transaction, outbox))
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        let written = self.0.writer.run("writing products to the store", bytes, work).await;
        written.unwrap_or_else(|error| fail_all(&error, count))
    }

    async fn record_idempotent(&self, record: IdempotencyRecord) -> Result<(), WriteError> {
        const CONTEXT: &str = "recording an idempotency key";
        let response = idempotency::response_json(&record)
            .map_err(|error| PortError::new(PortErrorKind::Internal, CONTEXT, error))?;
        let work = move |transaction: &WriteTransaction<'_>| match idempotency::is_recorded(
            transaction,
            &record.key,
        )? {
            true => Ok(false),
            false => idempotency::insert(transaction, &record, &response).map(|()| true),
        };
        match self.0.writer.run(CONTEXT, ROW_BYTES, work).await? {
            true => Ok(()),
            false => Err(WriteError::DuplicateKey),
        }
    }

    async fn find_idempotent(&self, key: &str) -> Result<Option<IdempotencyRecord>, PortError> {
        let key = key.to_owned();
        let read = move |conn: &Connection| idempotency::find(conn, &key);
        self.0.readers.run("reading an idempotency record", read).await
    }

    async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<ProductPage, ListError> {
        let after = parse_cursor(cursor)?;
        let read = move |conn: &Connection| products::page(conn, after, limit.max(1));
        let page = self.0.readers.run("listing products", read).await?;
        let (products, next) = page.ok_or(ListError::UnknownCursor)?;
        Ok(ProductPage { products, next })
    }

    async fn scan(&self, cursor: Option<&str>, limit: usize) -> Result<RecordPage, ListError> {
        let after = parse_cursor(cursor)?;
        let read = move |conn: &Connection| products::scan(conn, after, limit.max(1));
        let page = self.0.readers.run("scanning the store", read).await?;
        let (records, next) = page.ok_or(ListError::UnknownCursor)?;
        Ok(RecordPage { records, next })
    }

    async fn versions(&self, cursor: Option<&str>, limit: usize) -> Result<VersionPage, ListError> {
        let after = parse_cursor(cursor)?;
        let read = move |conn: &Connection| products::versions(conn, after, limit.max(1));
        let page = self.0.readers.run("reading the versions in the store", read).await?;
        let (versions, next) = page.ok_or(ListError::UnknownCursor)?;
        Ok(VersionPage { versions, next })
    }

    async fn pending(&self, age: Duration, limit: usize) -> Result<Vec<OutboxEntry>, PortError> {
        let now = self.now();
        let until = now.saturating_sub(to_millis(age));
        let read = move |conn: &Connection| outbox::pending(conn, until, now, limit);
        self.0.readers.run("reading the outbox", read).await
    }

    async fn remove_from_outbox(&self, entries: &[OutboxEntryId]) -> Result<(), PortError> {
        if entries.is_empty() {
            return Ok(());
        }
        let entries = entries.to_vec();
        let work = move |transaction: &WriteTransaction<'_>| outbox::remove(transaction, &entries);
        self.0.writer.run("removing outbox entries", 0, work).await
    }

    async fn outbox(&self) -> Result<OutboxStats, PortError> {
        let now = self.now();
        let (entries, added_at) = self.0.readers.run("counting the outbox", outbox::count).await?;
        Ok(OutboxStats { entries, oldest_age: self.0.oldest_outbox_entry.age(added_at, now) })
    }

    fn back_end(&self) -> &'static str {
        BACK_END
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.probe().await
    }
}

/// Returns the key of the last row of the previous page; 0 for the first page.
fn parse_cursor(cursor: Option<&str>) -> Result<i64, ListError> {
    cursor.map_or(Ok(0), |cursor| cursor::parse(cursor).ok_or(ListError::UnknownCursor))
}
