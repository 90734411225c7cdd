//! The product store: the authority.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::PortError;
use super::queue::Envelope;
use crate::change::{Change, Record};
use crate::product::{Product, ProductId, Version};
use crate::sync_token::SyncToken;

/// The authority: products by id, strongly consistent and durable.
#[async_trait]
pub trait ProductStore: Send + Sync {
    /// Returns the record for each id, in request order, or `None` if the id never existed. Reads observe every write
    /// acknowledged before the call.
    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Record>>, PortError>;

    /// Applies each write atomically and independently, and returns the results in request order. A write is durable,
    /// even across power loss, once this returns.
    ///
    /// 1. A write of version n+1 succeeds only while the store holds version n.
    /// 2. If one call has several writes to the same product, the first one wins.
    /// 3. Every write records in the same atomic step that the change must be synced. Either the store enqueues the
    ///    change itself in that step and returns no outbox entry; or it adds an outbox entry, and the caller enqueues the
    ///    change and then calls [`ProductStore::remove_from_outbox`]. Entries that a crash leaves behind are returned by
    ///    [`ProductStore::pending`].
    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Written, WriteError>>;

    /// Stores the idempotency record of a request that changed nothing, so that a retry gets the same response.
    ///
    /// # Errors
    /// [`WriteError::DuplicateKey`] if the key is already recorded.
    async fn record_idempotent(&self, record: IdempotencyRecord) -> Result<(), WriteError>;

    /// Returns the idempotency record for a key. Records are kept for at least 24 hours.
    async fn find_idempotent(&self, key: &str) -> Result<Option<IdempotencyRecord>, PortError>;

    /// Returns a page of live products in a stable order of the store's own. A product that is live from the first page to
    /// the last is listed exactly once, regardless of concurrent writes.
    ///
    /// `cursor` is [`ProductPage::next`] of the previous page, or `None` for the first page.
    ///
    /// # Errors
    /// [`ListError::UnknownCursor`] if no page returned the cursor.
    async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<ProductPage, ListError>;

    /// Returns a page of all records, tombstones included, in the same order and under the same guarantee as
    /// [`ProductStore::list`]. The cursors of the two methods are not interchangeable.
    async fn scan(&self, cursor: Option<&str>, limit: usize) -> Result<RecordPage, ListError>;

    /// Returns a page of the versions of all records, in the order and with the cursors of [`ProductStore::scan`]. Cheaper
    /// than a scan where the store supports it.
    async fn versions(&self, cursor: Option<&str>, limit: usize) -> Result<VersionPage, ListError> {
        let page = self.scan(cursor, limit).await?;
        let versions = page.records.iter().map(StoredVersion::of).collect();
        Ok(VersionPage { versions, next: page.next })
    }

    /// Returns at most `limit` outbox entries older than `age`, oldest first.
    async fn pending(&self, age: Duration, limit: usize) -> Result<Vec<OutboxEntry>, PortError>;

    /// Removes outbox entries after their changes were enqueued. Entries that are already gone are ignored.
    async fn remove_from_outbox(&self, entries: &[OutboxEntryId]) -> Result<(), PortError>;

    /// Returns the size and age of the outbox. A distributed store such as DynamoDB stops counting at about a thousand.
    async fn outbox(&self) -> Result<OutboxStats, PortError>;

    /// Returns the back end's name in the configuration, such as `sqlite`.
    fn back_end(&self) -> &'static str;

    /// Succeeds if the store can be read and written now.
    async fn ready(&self) -> Result<(), PortError>;
}

/// One atomic write.
#[derive(Debug, Clone)]
pub struct Write {
    /// The change to store and to sync.
    pub change: Change,
    /// The version that the store must hold now, of a product or a tombstone: the one before the change's own. `None` if
    /// the id must never have existed.
    pub replaces: Option<Version>,
    /// The response to record in the same step under the client's idempotency key.
    pub idempotency: Option<IdempotencyRecord>,
    /// The W3C trace context of the request, sent along with the message.
    pub traceparent: Option<String>,
}

/// The result of a successful write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The outbox entry to remove after enqueuing; `None` if the store enqueued the change itself.
    pub outbox_entry: Option<OutboxEntryId>,
}

/// Identifies one outbox entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OutboxEntryId(pub String);

/// An outbox entry: a stored change that has not been enqueued yet.
#[derive(Debug, Clone)]
pub struct OutboxEntry {
    /// The id, for [`ProductStore::remove_from_outbox`].
    pub id: OutboxEntryId,
    /// The change, or a later one of the same product.
    pub envelope: Envelope,
}

/// Size and age of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxStats {
    /// Number of entries.
    pub entries: u64,
    /// Age of the oldest entry; `None` if the outbox is empty.
    pub oldest_age: Option<Duration>,
}

/// The reason why a write was rejected.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The store holds a version other than [`Write::replaces`].
    #[error("the store holds another version")]
    Conflict {
        /// The version in the store; `None` if the id never existed.
        current: Option<Version>,
    },
    /// The sku belongs to another live product.
    #[error("the sku belongs to product {owner}")]
    SkuTaken {
        /// The product that has the sku.
        owner: ProductId,
    },
    /// The idempotency key is already recorded.
    #[error("a request with this idempotency key was already answered")]
    DuplicateKey,
    /// The store failed, so the outcome is unknown.
    #[error(transparent)]
    Failed(#[from] PortError),
}

/// The response to a write, recorded under the client's idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The client's key.
    pub key: String,
    /// A hash of the request: tells a retry from a different request with the same key.
    pub fingerprint: [u8; 32],
    /// The response.
    pub response: WriteResponse,
}

/// The response to a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteResponse {
    /// The effect of the write.
    pub outcome: WriteOutcome,
    /// The product.
    pub id: ProductId,
    /// The product's version after the write.
    pub version: Version,
}

impl WriteResponse {
    /// Returns the token that makes a search wait for this write.
    pub fn sync_token(&self) -> SyncToken {
        SyncToken { id: self.id.clone(), version: self.version }
    }
}

/// The effect of a write on its product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WriteOutcome {
    /// The product is new, or new after a delete.
    Created,
    /// The product has a new version.
    Updated,
    /// The product already had this content and keeps its version.
    Unchanged,
    /// The product is deleted.
    Deleted,
}

/// A page of products.
#[derive(Debug, Clone)]
pub struct ProductPage {
    /// The products, each in its current version.
    pub products: Vec<Product>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// A page of records.
#[derive(Debug, Clone)]
pub struct RecordPage {
    /// The records, each in its current version.
    pub records: Vec<Record>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// A page of versions.
#[derive(Debug, Clone)]
pub struct VersionPage {
    /// The current version of each record.
    pub versions: Vec<StoredVersion>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// The version that a store holds of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVersion {
    /// The product.
    pub id: ProductId,
    /// The version of the product or of its tombstone.
    pub version: Version,
    /// The time of the delete; `None` for a live product.
    pub deleted_at: Option<Timestamp>,
}

impl StoredVersion {
    /// Returns the version of a record.
    pub fn of(record: &Record) -> Self {
        let deleted_at = match record {
            Record::Live(_) => None,
            Record::Deleted(tombstone) => Some(tombstone.deleted_at),
        };
        Self { id: record.id().clone(), version: record.version(), deleted_at }
    }
}

/// The reason why no page was returned.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// No page of this store returned the cursor.
    #[error("the cursor does not come from a list")]
    UnknownCursor,
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] PortError),
}
