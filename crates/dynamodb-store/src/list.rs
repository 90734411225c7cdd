//! All that the table holds: shard after shard, and in each by id.

use aws_setup::port_error;
use domain::ProductId;
use domain::ports::{ListError, PortError};
use futures::future::try_join_all;

use crate::DynamoStore;
use crate::items::{Item, PK, PRODUCT, PRODUCT_SHARDS, SK, product_partition, read_id, shard_of, text};

/// The most JSON on a page; a page that reaches it ends early.
const MAX_PAGE_BYTES: usize = 16 << 20;
/// The most shards that are read at a time: a small catalogue has little in each.
const MAX_WIDTH: u8 = 16;
/// The fewest items that a query asks for, as some of them may be tombstones.
const MIN_QUERY: usize = 16;

/// What is read of an item; none of one that is passed over.
type Read<T> = fn(&Item) -> Result<Option<T>, PortError>;

/// Items of one shard after a place, each with its id.
struct ShardPage<T> {
    items: Vec<(ProductId, T)>,
    /// Whether it was cut off because of its size.
    cut: bool,
}

impl DynamoStore {
    /// A page of what `read` makes of products and tombstones, with the cursor of the next one.
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
        let mut found: Vec<(ProductId, T)> = Vec::new();
        let mut width = 1;
        while shard < PRODUCT_SHARDS {
            let end = PRODUCT_SHARDS.min(shard.saturating_add(width));
            // One more than asked for tells whether there is a next page.
            let wanted = limit + 1 - found.len();
            let bytes = MAX_PAGE_BYTES / usize::from(width);
            let pages = (shard..end)
                .map(|shard| self.read_shard(shard, after.take(), wanted, bytes, read))
                .collect::<Vec<_>>();
            for page in try_join_all(pages).await? {
                found.extend(page.items);
                if found.len() > limit || page.cut {
                    found.truncate(limit);
                    let next = found.last().map(|(id, _)| cursor::after(id));
                    return Ok((found.into_iter().map(|(_, item)| item).collect(), next));
                }
            }
            shard = end;
            width = (width * 2).min(MAX_WIDTH);
        }
        Ok((found.into_iter().map(|(_, item)| item).collect(), None))
    }

    /// What `read` takes of a shard after `after`, at most `wanted`, and not much more JSON than `bytes`.
    async fn read_shard<T>(
        &self,
        shard: u8,
        after: Option<ProductId>,
        wanted: usize,
        bytes: usize,
        read: Read<T>,
    ) -> Result<ShardPage<T>, PortError> {
        let (mut items, mut json_bytes) = (Vec::new(), 0);
        // An id is never empty, so this is before all of them.
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
                if let Some(taken) = read(&item)? {
                    items.push((read_id(&item, SK)?, taken));
                }
                if items.len() == wanted {
                    return Ok(ShardPage { items, cut: false });
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(ShardPage { items, cut: false });
            }
            if json_bytes > bytes {
                return Ok(ShardPage { items, cut: true });
            }
        }
    }
}

mod cursor {
    //! Cursors name the last product of a page, with a check so that a text somebody made up is none.

    use domain::ProductId;

    use crate::items::fnv;

    pub(super) fn after(id: &ProductId) -> String {
        format!("{id}.{:08x}", fnv(id.as_str().as_bytes()))
    }

    pub(super) fn parse(cursor: &str) -> Option<ProductId> {
        let (id, _) = cursor.rsplit_once('.')?;
        let id = ProductId::parse(id).ok()?;
        (after(&id) == cursor).then_some(id)
    }
}
