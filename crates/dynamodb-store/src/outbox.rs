//! Marks: writes whose change must still be enqueued.
//!
//! A mark is an item of its own, written in the transaction of its product. They lie in a few partitions, in the order of
//! time, so that the oldest are found by short queries, and an empty outbox costs next to nothing to look at.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};
use aws_setup::{Backoff, port_error};
use domain::ports::{Envelope, OutboxEntry, OutboxEntryId, OutboxStats, PortError, PortErrorKind};
use domain::{Change, ProductId};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};

use crate::DynamoStore;
use crate::items::{
    Item, PK, PRODUCT, SK, TRACEPARENT, change_of, damaged, key, read_id, read_text, shard_of, text,
};

/// Over how many partition keys marks are spread: a mark costs three write units in its life, so that they carry
/// 5,000 writes a second at least.
const MARK_SHARDS: u8 = 16;
/// The most deletes that one call may make.
const MAX_DELETES: usize = 25;
/// How many of them are under way at a time.
const CONCURRENT_DELETES: usize = 8;
/// The most JSON of products that is read at a time.
const MAX_BYTES: usize = 16 << 20;
/// The most marks of a partition that are counted.
const MAX_COUNTED: usize = 64;
/// How many products are read before their size is looked at.
const READ_STEP: usize = 25;
const READING: &str = "reading what is unsent";
const CLEARING: &str = "clearing marks";

/// A new mark and the item that is it. Its name has the version, so that it is never used again.
pub(crate) fn new_mark(change: &Change, traceparent: Option<&str>, now_us: i64) -> (OutboxEntryId, Item) {
    let partition = partition(shard_of(change.id(), MARK_SHARDS));
    let place = format!("{now_us:016}/{}/{}", change.id(), change.version().0);
    let mark = OutboxEntryId(format!("{partition}/{place}"));
    let mut item = key(partition, place);
    if let Some(traceparent) = traceparent {
        item.insert(TRACEPARENT.to_owned(), text(traceparent));
    }
    (mark, item)
}

fn partition(shard: u8) -> String {
    format!("O#{shard:x}")
}

/// The product in the name of a mark.
fn product_of(place: &str) -> Option<ProductId> {
    let (_, rest) = place.split_once('/')?;
    ProductId::parse(rest.rsplit_once('/')?.0).ok()
}

/// A mark as it was found.
struct Found {
    partition: String,
    place: String,
    id: ProductId,
    traceparent: Option<String>,
}

impl DynamoStore {
    /// The time in microseconds since 1970.
    pub(crate) fn now_us(&self) -> i64 {
        (self.clock)().as_microsecond()
    }

    pub(crate) async fn find_unsent(
        &self,
        age: Duration,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, PortError> {
        let age_us = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        let before = self.now_us().saturating_sub(age_us).saturating_add(1).max(0);
        let shards = (0..MARK_SHARDS).map(|shard| self.oldest_marks(shard, before, limit));
        let mut found: Vec<Found> = try_join_all(shards).await?.into_iter().flatten().collect();
        found.sort_by(|a, b| a.place.cmp(&b.place));
        found.truncate(limit);
        let mut unsent = Vec::with_capacity(found.len());
        let mut bytes = 0;
        for found in found.chunks(READ_STEP) {
            if bytes > MAX_BYTES {
                break;
            }
            let ids: Vec<ProductId> = found.iter().map(|found| found.id.clone()).collect();
            let mut changes = HashMap::new();
            for item in self.get_items(&ids).await? {
                bytes += item.get(PRODUCT).and_then(|json| json.as_s().ok()).map_or(0, String::len);
                changes.insert(read_id(&item, SK)?, change_of(&item)?);
            }
            for found in found {
                let change = changes.get(&found.id).cloned();
                let change =
                    change.ok_or_else(|| damaged(SK, format!("a mark without product {}", found.id)))?;
                unsent.push(OutboxEntry {
                    id: OutboxEntryId(format!("{}/{}", found.partition, found.place)),
                    envelope: Envelope { change, traceparent: found.traceparent.clone() },
                });
            }
        }
        Ok(unsent)
    }

    /// Counts the marks, in each shard as far as [`MAX_COUNTED`].
    pub(crate) async fn count_marks(&self) -> Result<OutboxStats, PortError> {
        let now = self.now_us();
        // Those that another computer left a little in our future count as well.
        let shards = (0..MARK_SHARDS).map(|shard| self.oldest_marks(shard, i64::MAX, MAX_COUNTED));
        let found: Vec<Found> = try_join_all(shards).await?.into_iter().flatten().collect();
        let age = |found: &Found| {
            let at: i64 = found.place.split('/').next()?.parse().ok()?;
            Some(Duration::from_micros(now.saturating_sub(at).max(0).cast_unsigned()))
        };
        Ok(OutboxStats { entries: found.len() as u64, oldest_age: found.iter().filter_map(age).max() })
    }

    /// The oldest marks of a shard that were left before a time, at most `limit`.
    async fn oldest_marks(&self, shard: u8, before: i64, limit: usize) -> Result<Vec<Found>, PortError> {
        let partition = partition(shard);
        let mut found = Vec::new();
        let mut start: Option<Item> = None;
        while found.len() < limit {
            let left = i32::try_from(limit - found.len()).unwrap_or(i32::MAX);
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
                let place = read_text(&item, SK)?.to_owned();
                let id = product_of(&place).ok_or_else(|| damaged(SK, "it names no mark"))?;
                let traceparent = item.get(TRACEPARENT).and_then(|value| value.as_s().ok()).cloned();
                found.push(Found { partition: partition.clone(), place, id, traceparent });
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }

    pub(crate) async fn clear_marks(&self, marks: &[OutboxEntryId]) -> Result<(), PortError> {
        // What is no mark of this store is gone already, and one call may not name a mark twice.
        let keys: HashSet<(&str, &str)> = marks.iter().filter_map(|mark| mark.0.split_once('/')).collect();
        let keys = keys.into_iter().filter(|(partition, _)| partition.starts_with("O#"));
        let deletes: Vec<WriteRequest> =
            keys.map(|(partition, place)| delete(key(partition, place))).collect::<Result<_, _>>()?;
        let batches = deletes.chunks(MAX_DELETES).map(<[_]>::to_vec).collect::<Vec<_>>();
        let calls = stream::iter(batches).map(|batch| self.delete_batch(batch));
        calls.buffer_unordered(CONCURRENT_DELETES).try_collect::<Vec<()>>().await?;
        Ok(())
    }

    async fn delete_batch(&self, mut deletes: Vec<WriteRequest>) -> Result<(), PortError> {
        let mut backoff = Backoff::default();
        loop {
            let sent = self.client.batch_write_item().request_items(&*self.table, deletes).send().await;
            let answer = sent.map_err(|error| port_error(CLEARING, error))?;
            let left = answer.unprocessed_items.and_then(|mut tables| tables.remove(&*self.table));
            deletes = left.unwrap_or_default();
            if deletes.is_empty() {
                return Ok(());
            }
            if !backoff.pause().await {
                return Err(PortError::bare(PortErrorKind::Throttled, CLEARING));
            }
        }
    }
}

fn delete(key: HashMap<String, AttributeValue>) -> Result<WriteRequest, PortError> {
    let request = DeleteRequest::builder().set_key(Some(key)).build();
    let request = request.map_err(|error| PortError::new(PortErrorKind::Internal, CLEARING, error))?;
    Ok(WriteRequest::builder().delete_request(request).build())
}
