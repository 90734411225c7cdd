//! The conditional write of a product.

use domain::ports::{PortError, PortErrorKind, Write, WriteError, Written};
use domain::{ProductId, Version};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::unreadable;
use crate::options::Outbox;
use crate::rows::{ROW_BYTES, version_from_sql, version_to_sql};
use crate::transaction::WriteTransaction;
use crate::{idempotency, messages, outbox};

/// The number of writes from which on their JSON is serialized on a blocking thread.
const MANY_WRITES: usize = 16;
const SERIALIZING: &str = "writing products as JSON";

/// A write with everything that can be prepared outside the transaction.
pub(crate) struct PreparedWrite {
    write: Write,
    json: Option<String>,
    /// The response of the idempotency record, as JSON.
    response: Option<String>,
}

/// Prepares writes.
pub(crate) async fn prepare_all(writes: Vec<Write>) -> Result<Vec<PreparedWrite>, PortError> {
    let failed = |error| PortError::new(PortErrorKind::Internal, SERIALIZING, error);
    let prepare = |writes: Vec<Write>| -> serde_json::Result<Vec<PreparedWrite>> {
        let mut prepared = Vec::with_capacity(writes.len());
        for write in writes {
            prepared.push(PreparedWrite::new(write)?);
        }
        Ok(prepared)
    };
    if writes.len() < MANY_WRITES {
        return prepare(writes).map_err(failed);
    }
    match tokio::task::spawn_blocking(move || prepare(writes)).await {
        Ok(prepared) => prepared.map_err(failed),
        Err(panic) => Err(PortError::new(PortErrorKind::Internal, SERIALIZING, panic)),
    }
}

/// The row of an id before a write.
struct CurrentRow {
    key: i64,
    version: Version,
    sku: Option<String>,
}

impl PreparedWrite {
    fn new(write: Write) -> serde_json::Result<Self> {
        let json = write.change.product().map(|product| serde_json::to_string(&**product)).transpose()?;
        let response = write.idempotency.as_ref().map(idempotency::response_json).transpose()?;
        Ok(Self { write, json, response })
    }

    /// Returns the approximate size.
    pub(crate) fn bytes(&self) -> usize {
        self.json.as_ref().map_or(0, String::len) + ROW_BYTES
    }

    /// Makes the write unless a condition rejects it. Checks all conditions before it writes anything, so that the
    /// transaction can continue with other writes.
    pub(crate) fn apply(
        &self,
        transaction: &WriteTransaction<'_>,
        outbox: Outbox,
    ) -> rusqlite::Result<Result<Written, WriteError>> {
        let change = &self.write.change;
        if change.version() != Version::after(self.write.replaces) {
            let text = format!("a write of {} skips or repeats a version", change.id());
            return Ok(Err(PortError::bare(PortErrorKind::Internal, text).into()));
        }
        if let Some(record) = &self.write.idempotency
            && idempotency::is_recorded(transaction, &record.key)?
        {
            return Ok(Err(WriteError::DuplicateKey));
        }
        let current = self.current(transaction.conn)?;
        let version = current.as_ref().map(|current| current.version);
        if version != self.write.replaces {
            return Ok(Err(WriteError::Conflict { current: version }));
        }
        if let Some(owner) = self.owner_of_sku(transaction.conn, current.as_ref())? {
            return Ok(Err(WriteError::SkuTaken { owner }));
        }
        self.store(transaction.conn, current.as_ref())?;
        if let (Some(record), Some(response)) = (&self.write.idempotency, &self.response) {
            idempotency::insert(transaction, record, response)?;
        }
        let outbox_entry = self.record_sync(transaction, outbox)?;
        Ok(Ok(Written { outbox_entry }))
    }

    /// Records that the change must be synced: as a message, or as an outbox entry.
    fn record_sync(
        &self,
        transaction: &WriteTransaction<'_>,
        outbox: Outbox,
    ) -> rusqlite::Result<Option<domain::ports::OutboxEntryId>> {
        let change = &self.write.change;
        let (id, version) = (change.id().as_str(), version_to_sql(change.version()));
        let traceparent = self.write.traceparent.as_deref();
        match outbox {
            Outbox::Enqueue => messages::enqueue(transaction, id, version, traceparent, None).map(|()| None),
            Outbox::AddEntry => outbox::insert(transaction, id, version, traceparent).map(Some),
        }
    }

    fn sku(&self) -> Option<&str> {
        self.write.change.product().and_then(|product| product.content.sku.as_deref())
    }

    fn current(&self, conn: &Connection) -> rusqlite::Result<Option<CurrentRow>> {
        conn.prepare_cached("SELECT key, version, sku FROM products WHERE id = ?1")?
            .query_row([self.write.change.id().as_str()], |row| {
                Ok(CurrentRow { key: row.get(0)?, version: version_from_sql(row.get(1)?), sku: row.get(2)? })
            })
            .optional()
    }

    /// Returns the other product that has the sku of this one.
    fn owner_of_sku(
        &self,
        conn: &Connection,
        current: Option<&CurrentRow>,
    ) -> rusqlite::Result<Option<ProductId>> {
        let Some(sku) = self.sku() else { return Ok(None) };
        if current.and_then(|current| current.sku.as_deref()) == Some(sku) {
            return Ok(None);
        }
        let owner: Option<String> = conn
            .prepare_cached("SELECT id FROM products WHERE sku = ?1")?
            .query_row([sku], |row| row.get(0))
            .optional()?;
        owner.map(|owner| ProductId::parse(&owner).map_err(unreadable)).transpose()
    }

    fn store(&self, conn: &Connection, current: Option<&CurrentRow>) -> rusqlite::Result<()> {
        let change = &self.write.change;
        let (version, action) = (version_to_sql(change.version()), change.action().as_str());
        let deleted_at = self.json.is_none().then(|| change.at().as_millisecond());
        match current {
            None => conn
                .prepare_cached(
                    "INSERT INTO products (id, version, action, sku, deleted_at, json)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![change.id().as_str(), version, action, self.sku(), deleted_at, self.json])?,
            Some(current) => conn
                .prepare_cached(
                    "UPDATE products SET version = ?2, action = ?3, sku = ?4, deleted_at = ?5, json = ?6
                     WHERE key = ?1",
                )?
                .execute(params![current.key, version, action, self.sku(), deleted_at, self.json])?,
        };
        Ok(())
    }
}
