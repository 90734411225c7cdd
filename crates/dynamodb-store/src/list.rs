//! The list of products: shard after shard, and in each by id.

use aws_setup::port_error;
use domain::ports::{ListError, PortError, ProductPage};
use domain::{Product, ProductId};
use futures::future::try_join_all;

use crate::DynamoStore;
use crate::items::{Item, PK, PRODUCT, PRODUCT_SHARDS, SK, product_partition, read_product, shard_of, text};

/// The most JSON on a page; a page that reaches it ends early.
const MAX_PAGE_BYTES: usize = 16 << 20;
/// The most shards that are read at a time: a small catalogue has little in each.
const MAX_WIDTH: u8 = 16;
/// The fewest items that a query asks for, as some of them may be tombstones.
const MIN_QUERY: usize = 16;

/// The products of one shard after a place.
struct ShardPage {
    products: Vec<Product>,
    /// Whether it was cut off because of its size.
    cut: bool,
}

impl DynamoStore {
    pub(crate) async fn list_page(
        &self,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<ProductPage, ListError> {
        let mut after = match cursor {
            Some(cursor) => Some(cursor::parse(cursor).ok_or(ListError::UnknownCursor)?),
            None => None,
        };
        let mut shard = after.as_ref().map_or(0, |id| shard_of(id, PRODUCT_SHARDS));
        let mut products: Vec<Product> = Vec::new();
        let mut width = 1;
        while shard < PRODUCT_SHARDS {
            let end = PRODUCT_SHARDS.min(shard.saturating_add(width));
            // One more than asked for tells whether there is a next page.
            let wanted = limit + 1 - products.len();
            let bytes = MAX_PAGE_BYTES / usize::from(width);
            let pages = (shard..end)
                .map(|shard| self.read_shard(shard, after.take(), wanted, bytes))
                .collect::<Vec<_>>();
            for page in try_join_all(pages).await? {
                products.extend(page.products);
                if products.len() > limit || page.cut {
                    products.truncate(limit);
                    let next = products.last().map(|product| cursor::after(&product.id));
                    return Ok(ProductPage { products, next });
                }
            }
            shard = end;
            width = (width * 2).min(MAX_WIDTH);
        }
        Ok(ProductPage { products, next: None })
    }

    /// The live products of a shard after `after`, at most `wanted`, and not much more JSON than `bytes`.
    async fn read_shard(
        &self,
        shard: u8,
        after: Option<ProductId>,
        wanted: usize,
        bytes: usize,
    ) -> Result<ShardPage, PortError> {
        let (mut products, mut read) = (Vec::new(), 0);
        // An id is never empty, so this is before all of them.
        let after = after.map_or_else(|| " ".to_owned(), |id| id.to_string());
        let mut start: Option<Item> = None;
        loop {
            let limit = i32::try_from((wanted - products.len()).max(MIN_QUERY)).unwrap_or(i32::MAX);
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
                read += item.get(PRODUCT).and_then(|json| json.as_s().ok()).map_or(0, String::len);
                products.extend(read_product(&item)?);
                if products.len() == wanted {
                    return Ok(ShardPage { products, cut: false });
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(ShardPage { products, cut: false });
            }
            if read > bytes {
                return Ok(ShardPage { products, cut: true });
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
