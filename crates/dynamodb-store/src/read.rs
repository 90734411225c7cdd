//! Reading products by id.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use aws_setup::port_error;
use domain::ports::{PortError, PortErrorKind};
use domain::{ProductId, Record};
use futures::{StreamExt, TryStreamExt, stream};

use crate::batch::{BatchError, process_all};
use crate::items::{Item, SK, product_key, read_id, read_record};
use crate::store::DynamoStore;

/// The most keys in one call.
const MAX_KEYS: usize = 100;
/// The most concurrent calls.
const CONCURRENT_READS: usize = 8;
const READING: &str = "reading products from the store";

/// A batch of keys to read, and the items read so far.
struct BatchRead {
    keys: Vec<Item>,
    items: Vec<Item>,
}

impl DynamoStore {
    /// Returns the record for each id, in request order.
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

    /// Returns the items of products, in no particular order. Ids that do not exist are left out.
    pub(crate) async fn get_items(&self, ids: &[ProductId]) -> Result<Vec<Item>, PortError> {
        let ids: Vec<&ProductId> = ids.iter().collect::<HashSet<_>>().into_iter().collect();
        let batches: Vec<Vec<Item>> =
            ids.chunks(MAX_KEYS).map(|ids| ids.iter().map(|id| product_key(id)).collect()).collect();
        let reads = stream::iter(batches).map(|keys| self.get_batch(keys));
        let items: Vec<Vec<Item>> = reads.buffer_unordered(CONCURRENT_READS).try_collect().await?;
        Ok(items.into_iter().flatten().collect())
    }

    /// Reads one batch. Keys that the server leaves out because the response would be too large are requested again.
    async fn get_batch(&self, keys: Vec<Item>) -> Result<Vec<Item>, PortError> {
        let batch = BatchRead { items: Vec::with_capacity(keys.len()), keys };
        let read = |mut batch: BatchRead| async move {
            let result = self.read_some(&mut batch).await;
            (batch, result)
        };
        Ok(process_all(READING, batch, read).await?.items)
    }

    async fn read_some(&self, batch: &mut BatchRead) -> Result<(), BatchError> {
        let keys = std::mem::take(&mut batch.keys);
        let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let request = request.map_err(|error| PortError::new(PortErrorKind::Internal, READING, error))?;
        let call = self.client.batch_get_item().request_items(&*self.table, request);
        let mut response = call.send().await.map_err(|error| port_error(READING, error))?;
        let items = response.responses.as_mut().and_then(|tables| tables.remove(&*self.table));
        batch.items.extend(items.unwrap_or_default());
        let unprocessed = response.unprocessed_keys.and_then(|mut tables| tables.remove(&*self.table));
        batch.keys = unprocessed.map(|unprocessed| unprocessed.keys).unwrap_or_default();
        if batch.keys.is_empty() { Ok(()) } else { Err(BatchError::Unprocessed) }
    }

    /// Reads one item with strong consistency; `context` names the operation.
    pub(crate) async fn get_item(&self, key: Item, context: &str) -> Result<Option<Item>, PortError> {
        let get = self.client.get_item().table_name(&*self.table).set_key(Some(key)).consistent_read(true);
        Ok(get.send().await.map_err(|error| port_error(context, error))?.item)
    }
}
