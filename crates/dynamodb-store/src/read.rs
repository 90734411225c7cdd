//! Reading products by their ids.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use aws_setup::{Backoff, port_error};
use domain::ports::{PortError, PortErrorKind};
use domain::{ProductId, Record};
use futures::{StreamExt, TryStreamExt, stream};

use crate::DynamoStore;
use crate::items::{Item, SK, product_key, read_id, read_record};

/// The most keys that one call may read.
const MAX_KEYS: usize = 100;
/// How many calls are under way at a time.
const CONCURRENT_READS: usize = 8;
const READING: &str = "reading products from the store";

impl DynamoStore {
    pub(crate) async fn get_records(&self, ids: &[ProductId]) -> Result<Vec<Option<Record>>, PortError> {
        if let [id] = ids {
            let item = self.get_item(product_key(id), READING).await?;
            return Ok(vec![item.as_ref().map(read_record).transpose()?]);
        }
        let mut records = HashMap::with_capacity(ids.len());
        for item in self.get_items(ids).await? {
            records.insert(read_id(&item, SK)?, read_record(&item)?);
        }
        Ok(ids.iter().map(|id| records.get(id).cloned()).collect())
    }

    /// The items of products, in no order; those that are not there are left out.
    pub(crate) async fn get_items(&self, ids: &[ProductId]) -> Result<Vec<Item>, PortError> {
        let ids: Vec<&ProductId> = ids.iter().collect::<HashSet<_>>().into_iter().collect();
        let chunks: Vec<Vec<Item>> =
            ids.chunks(MAX_KEYS).map(|ids| ids.iter().map(|id| product_key(id)).collect()).collect();
        let reads = stream::iter(chunks).map(|keys| self.get_batch(keys));
        let found: Vec<Vec<Item>> = reads.buffer_unordered(CONCURRENT_READS).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// One batch; what the server leaves out, because it is too much at once, is asked for again.
    async fn get_batch(&self, mut keys: Vec<Item>) -> Result<Vec<Item>, PortError> {
        let mut found = Vec::with_capacity(keys.len());
        let mut backoff = Backoff::default();
        loop {
            let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let request = request.map_err(|error| PortError::new(PortErrorKind::Internal, READING, error))?;
            let sent = self.client.batch_get_item().request_items(&*self.table, request).send().await;
            let mut answer = sent.map_err(|error| port_error(READING, error))?;
            let items = answer.responses.as_mut().and_then(|tables| tables.remove(&*self.table));
            found.extend(items.unwrap_or_default());
            let left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&*self.table));
            keys = left.map(|left| left.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(found);
            }
            if !backoff.pause().await {
                return Err(PortError::bare(PortErrorKind::Throttled, READING));
            }
        }
    }

    /// One item as it is now.
    pub(crate) async fn get_item(&self, key: Item, doing: &str) -> Result<Option<Item>, PortError> {
        let get = self.client.get_item().table_name(&*self.table).set_key(Some(key)).consistent_read(true);
        Ok(get.send().await.map_err(|error| port_error(doing, error))?.item)
    }
}
