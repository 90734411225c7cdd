//! Listing the table: shard by shard, and by id within a shard.

use aws_setup::port_error;
use domain::ProductId;
use domain::ports::{ListError, PortError};
use futures::future::try_join_all;

use crate::items::{Item, PK, PRODUCT, PRODUCT_SHARDS, SK, product_partition, read_id, shard_of, text};
use crate::store::DynamoStore;

/// Bytes of JSON after which a page ends early.
const MAX_PAGE_BYTES: usize = 16 << 20;
/// The most shards that are read concurrently. In a small catalogue each shard has few products.
const MAX_WIDTH: u8 = 16;
/// The fewest items that a query requests, because some of them may be tombstones.
const MIN_QUERY: usize = 16;

/// Reads an item; `None` if the list skips it.
type Read<T> = fn(&Item) -> Result<Option<T>, PortError>;

/// Items of one shard, each with its id.
struct ShardPage<T> {
    items: Vec<(ProductId, T)>,
    /// True if the shard has more items, which were not read because of the size limit.
    is_cut: bool,
}

impl DynamoStore {
    /// Returns a page of at most `limit` products and tombstones that `read` does not skip, and the cursor of the next page.
    ///
    /// Reads one shard first, then in each round twice as many concurrently, up to [`MAX_WIDTH`].
    ///
    /// # Errors
    /// [`ListError::UnknownCursor`] if no page returned the cursor.
    pub(crate) async fn page<T>(
        &self,
        cursor: Option<&str>,
        limit: usize,
        read: Read<T>,
    ) -> Result<(Vec<T>, Option<String>), ListError> {
        let mut after = match cursor {
            Some(cursor) => Some(cursor::parse(cursor).ok_or(ListError::UnknownCursor)?),
            None => None,
        };
        let mut shard = after.as_ref().map_or(0, |id| shard_of(id, PRODUCT_SHARDS));
        let mut entries: Vec<(ProductId, T)> = Vec::new();
        let mut width = 1;
        while shard < PRODUCT_SHARDS {
            let end = PRODUCT_SHARDS.min(shard.saturating_add(width));
            // One more than requested shows whether there is a next page.
            let wanted = limit + 1 - entries.len();
            let bytes = MAX_PAGE_BYTES / usize::from(width);
            let pages = (shard..end)
                .map(|shard| self.read_shard(shard, after.take(), wanted, bytes, read))
                .collect::<Vec<_>>();
            for page in try_join_all(pages).await? {
                entries.extend(page.items);
                if entries.len() > limit || page.is_cut {
                    entries.truncate(limit);
                    let next = entries.last().map(|(id, _)| cursor::after(id));
                    return Ok((entries.into_iter().map(|(_, item)| item).collect(), next));
                }
            }
            shard = end;
            width = (width * 2).min(MAX_WIDTH);
        }
        Ok((entries.into_iter().map(|(_, item)| item).collect(), None))
    }

    /// Returns at most `wanted` items of a shard with ids after `after`, and stops soon after `bytes` of JSON.
    async fn read_shard<T>(
        &self,
        shard: u8,
        after: Option<ProductId>,
        wanted: usize,
        bytes: usize,
        read: Read<T>,
    ) -> Result<ShardPage<T>, PortError> {
        let (mut items, mut json_bytes) = (Vec::new(), 0);
        // A space sorts before every id, since an id is never empty.
        let after = after.map_or_else(|| " ".to_owned(), |id| id.to_string());
        let mut start: Option<Item> = None;
        loop {
            let limit = i32::try_from((wanted - items.len()).max(MIN_QUERY)).unwrap_or(i32::MAX);
            let query = self.client.query().table_name(&*self.table).consistent_read(true).limit(limit);
            let query = query
                .key_condition_expression("#pk = :pk AND #sk > :after")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":pk", text(product_partition(shard)))
                .expression_attribute_values(":after", text(&after))
                .set_exclusive_start_key(start);
            let page = query.send().await.map_err(|error| port_error("listing products", error))?;
            for item in page.items.unwrap_or_default() {
                json_bytes += item.get(PRODUCT).and_then(|json| json.as_s().ok()).map_or(0, String::len);
                if let Some(content) = read(&item)? {
                    items.push((read_id(&item, SK)?, content));
                }
                if items.len() == wanted {
                    return Ok(ShardPage { items, is_cut: false });
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(ShardPage { items, is_cut: false });
            }
            if json_bytes > bytes {
                return Ok(ShardPage { items, is_cut: true });
            }
        }
    }
}

mod cursor {
    //! Cursors: the id of the last product of a page and a checksum, so that a made-up text is rejected.

    use domain::ProductId;
    use domain::hash::fnv1a_32;

    /// Returns the cursor of the page after the product `id`.
    pub(super) fn after(id: &ProductId) -> String {
        format!("{id}.{:08x}", fnv1a_32(id.as_str().as_bytes()))
    }

    /// Returns the id in a cursor; `None` if [`after`] did not make it.
    pub(super) fn parse(cursor: &str) -> Option<ProductId> {
        let (id, _) = cursor.rsplit_once('.')?;
        let id = ProductId::parse(id).ok()?;
        (after(&id) == cursor).then_some(id)
    }
}
