//! The outbox: writes whose change must still be enqueued.
//!
//! An outbox entry is an item of its own, written in the transaction of its product. Entries are stored in a few partitions,
//! ordered by time, so that short queries find the oldest, and checking an empty outbox costs next to nothing.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};
use aws_setup::port_error;
use domain::ports::{Envelope, OutboxEntry, OutboxEntryId, OutboxStats, PortError, PortErrorKind};
use domain::{Change, ProductId};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};

use crate::batch::{BatchError, process_all};
use crate::items::{
    Item, PK, PRODUCT, SK, TRACEPARENT, change_of, damaged, key, read_id, read_text, shard_of, text,
};
use crate::store::DynamoStore;

/// The number of partition keys that entries are spread over. An entry costs three write units in its life, so they carry at
/// least 5,000 writes a second.
const OUTBOX_SHARDS: u8 = 16;
/// The most deletes in one call.
const MAX_DELETES: usize = 25;
/// The most concurrent calls that delete.
const CONCURRENT_DELETES: usize = 8;
/// Bytes of product JSON after which a result ends early.
const MAX_BYTES: usize = 16 << 20;
/// The most entries of a partition that are counted.
const MAX_COUNTED: usize = 64;
/// The number of products that are read between two checks of their total size.
const READ_STEP: usize = 25;
const READING: &str = "reading the outbox";
const REMOVING: &str = "removing outbox entries";

/// Builds a new outbox entry: its id and its item. The id contains the version, so it is never reused.
pub(crate) fn new_entry(change: &Change, traceparent: Option<&str>, now_us: i64) -> (OutboxEntryId, Item) {
    let partition = partition(shard_of(change.id(), OUTBOX_SHARDS));
    let sort_key = format!("{now_us:016}/{}/{}", change.id(), change.version().0);
    let id = OutboxEntryId(format!("{partition}/{sort_key}"));
    let mut item = key(partition, sort_key);
    if let Some(traceparent) = traceparent {
        item.insert(TRACEPARENT.to_owned(), text(traceparent));
    }
    (id, item)
}

fn partition(shard: u8) -> String {
    format!("O#{shard:x}")
}

/// An outbox entry as it is stored: without the change, which is read from the product.
struct StoredEntry {
    partition: String,
    sort_key: String,
    product_id: ProductId,
    traceparent: Option<String>,
}

impl StoredEntry {
    fn read(partition: &str, item: &Item) -> Result<Self, PortError> {
        let sort_key = read_text(item, SK)?.to_owned();
        let product_id = product_in(&sort_key).ok_or_else(|| damaged(SK, "it is not an outbox entry's"))?;
        let traceparent = item.get(TRACEPARENT).and_then(|value| value.as_s().ok()).cloned();
        Ok(Self { partition: partition.to_owned(), sort_key, product_id, traceparent })
    }

    /// Returns the age at `now_us`; `None` if the sort key has no time.
    fn age(&self, now_us: i64) -> Option<Duration> {
        let at: i64 = self.sort_key.split('/').next()?.parse().ok()?;
        Some(Duration::from_micros(now_us.saturating_sub(at).max(0).cast_unsigned()))
    }

    fn with_change(&self, change: Change) -> OutboxEntry {
        OutboxEntry {
            id: OutboxEntryId(format!("{}/{}", self.partition, self.sort_key)),
            envelope: Envelope { change, traceparent: self.traceparent.clone() },
        }
    }
}

/// Returns the product id in the sort key of an entry.
fn product_in(sort_key: &str) -> Option<ProductId> {
    let (_, rest) = sort_key.split_once('/')?;
    ProductId::parse(rest.rsplit_once('/')?.0).ok()
}

impl DynamoStore {
    /// Returns at most `limit` entries that are at least `age` old, oldest first, each with the current record of its product.
    pub(crate) async fn find_pending(
        &self,
        age: Duration,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, PortError> {
        let age_us = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        let before = self.now_us().saturating_sub(age_us).saturating_add(1).max(0);
        let mut stored = self.oldest_entries(before, limit).await?;
        stored.sort_by(|a, b| a.sort_key.cmp(&b.sort_key));
        stored.truncate(limit);
        let mut pending = Vec::with_capacity(stored.len());
        let mut bytes = 0;
        for entries in stored.chunks(READ_STEP) {
            if bytes > MAX_BYTES {
                break;
            }
            let ids: Vec<ProductId> = entries.iter().map(|entry| entry.product_id.clone()).collect();
            let mut changes = HashMap::new();
            for item in self.get_items(&ids).await? {
                bytes += item.get(PRODUCT).and_then(|json| json.as_s().ok()).map_or(0, String::len);
                changes.insert(read_id(&item, SK)?, change_of(&item)?);
            }
            for entry in entries {
                let id = &entry.product_id;
                let change = changes.get(id).cloned();
                let change = change.ok_or_else(|| {
                    damaged(SK, format!("an outbox entry names product {id}, which is missing"))
                })?;
                pending.push(entry.with_change(change));
            }
        }
        Ok(pending)
    }

    /// Counts the entries, up to [`MAX_COUNTED`] in each shard.
    pub(crate) async fn outbox_stats(&self) -> Result<OutboxStats, PortError> {
        let now = self.now_us();
        // Without an upper bound: the clock of the computer that wrote an entry may be slightly ahead.
        let entries = self.oldest_entries(i64::MAX, MAX_COUNTED).await?;
        let oldest_age = entries.iter().filter_map(|entry| entry.age(now)).max();
        Ok(OutboxStats { entries: entries.len() as u64, oldest_age })
    }

    /// Returns the oldest entries written before `before`, at most `limit` of each shard.
    async fn oldest_entries(&self, before: i64, limit: usize) -> Result<Vec<StoredEntry>, PortError> {
        let shards = (0..OUTBOX_SHARDS).map(|shard| self.oldest_entries_of(shard, before, limit));
        Ok(try_join_all(shards).await?.into_iter().flatten().collect())
    }

    async fn oldest_entries_of(
        &self,
        shard: u8,
        before: i64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, PortError> {
        let partition = partition(shard);
        let mut entries = Vec::new();
        let mut start: Option<Item> = None;
        while entries.len() < limit {
            let left = i32::try_from(limit - entries.len()).unwrap_or(i32::MAX);
            let query = self.client.query().table_name(&*self.table).consistent_read(true).limit(left);
            let query = query
                .key_condition_expression("#pk = :pk AND #sk < :before")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":pk", text(&partition))
                .expression_attribute_values(":before", text(format!("{before:016}")))
                .set_exclusive_start_key(start);
            let page = query.send().await.map_err(|error| port_error(READING, error))?;
            for item in page.items.unwrap_or_default() {
                entries.push(StoredEntry::read(&partition, &item)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(entries)
    }

    /// Removes entries. Ids that are not of this store are ignored.
    pub(crate) async fn delete_outbox_entries(&self, entries: &[OutboxEntryId]) -> Result<(), PortError> {
        // A set, because one call may not name an item twice.
        let keys: HashSet<(&str, &str)> =
            entries.iter().filter_map(|entry| entry.0.split_once('/')).collect();
        let keys = keys.into_iter().filter(|(partition, _)| partition.starts_with("O#"));
        let deletes: Vec<WriteRequest> =
            keys.map(|(partition, sort_key)| delete(key(partition, sort_key))).collect::<Result<_, _>>()?;
        let batches = deletes.chunks(MAX_DELETES).map(<[_]>::to_vec).collect::<Vec<_>>();
        let calls = stream::iter(batches).map(|batch| self.delete_batch(batch));
        calls.buffer_unordered(CONCURRENT_DELETES).try_collect::<Vec<()>>().await?;
        Ok(())
    }

    async fn delete_batch(&self, deletes: Vec<WriteRequest>) -> Result<(), PortError> {
        let delete = |mut deletes: Vec<WriteRequest>| async move {
            let result = self.delete_some(&mut deletes).await;
            (deletes, result)
        };
        process_all(REMOVING, deletes, delete).await.map(drop)
    }

    async fn delete_some(&self, deletes: &mut Vec<WriteRequest>) -> Result<(), BatchError> {
        let call = self.client.batch_write_item().request_items(&*self.table, std::mem::take(deletes));
        let response = call.send().await.map_err(|error| port_error(REMOVING, error))?;
        let unprocessed = response.unprocessed_items.and_then(|mut tables| tables.remove(&*self.table));
        *deletes = unprocessed.unwrap_or_default();
        if deletes.is_empty() { Ok(()) } else { Err(BatchError::Unprocessed) }
    }
}

fn delete(key: HashMap<String, AttributeValue>) -> Result<WriteRequest, PortError> {
    let request = DeleteRequest::builder().set_key(Some(key)).build();
    let request = request.map_err(|error| PortError::new(PortErrorKind::Internal, REMOVING, error))?;
    Ok(WriteRequest::builder().delete_request(request).build())
}
