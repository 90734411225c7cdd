//! Reading products and tombstones: by id, and page by page.

use domain::ports::StoredVersion;
use domain::{Product, ProductId, Record, Tombstone};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::cursor;
use crate::error::unreadable;
use crate::rows::{read_product, timestamp, version_from_sql};

/// The total size of JSON, in bytes, after which a page ends before its limit.
const MAX_PAGE_BYTES: usize = 16 << 20;

/// A page and the cursor of the next page. The whole is `None` if the cursor of the request does not come from this store: no row
/// has its key.
type Page<T> = Option<(Vec<T>, Option<String>)>;

/// Returns the record of an id.
pub(crate) fn find(conn: &Connection, id: &ProductId) -> rusqlite::Result<Option<Record>> {
    conn.prepare_cached("SELECT version, deleted_at, json FROM products WHERE id = ?1")?
        .query_row([id.as_str()], |row| match row.get_ref(2)?.as_str_or_null()? {
            Some(json) => Ok(Record::Live(read_product(json)?)),
            None => {
                let version = version_from_sql(row.get(0)?);
                let deleted_at = timestamp(row.get(1)?).map_err(unreadable)?;
                Ok(Record::Deleted(Tombstone { id: id.clone(), version, deleted_at }))
            }
        })
        .optional()
}

pub(crate) const PAGE: &str =
    "SELECT key, json FROM products WHERE key > ?1 AND json IS NOT NULL ORDER BY key LIMIT ?2";

/// Returns the live products after a key.
pub(crate) fn page(conn: &Connection, after: i64, limit: usize) -> rusqlite::Result<Page<Product>> {
    rows_after(conn, PAGE, after, limit, |row| {
        let json = row.get_ref(1)?.as_str()?;
        Ok((serde_json::from_str(json).map_err(unreadable)?, json.len()))
    })
}

pub(crate) const SCAN: &str =
    "SELECT key, id, version, deleted_at, json FROM products WHERE key > ?1 ORDER BY key LIMIT ?2";

/// Returns the products and tombstones after a key.
pub(crate) fn scan(conn: &Connection, after: i64, limit: usize) -> rusqlite::Result<Page<Record>> {
    rows_after(conn, SCAN, after, limit, |row| match row.get_ref(4)?.as_str_or_null()? {
        Some(json) => Ok((Record::Live(read_product(json)?), json.len())),
        None => {
            let StoredVersion { id, version, deleted_at } = stored_version(row)?;
            let deleted_at = deleted_at.ok_or_else(|| unreadable("a tombstone without its time"))?;
            Ok((Record::Deleted(Tombstone { id, version, deleted_at }), 0))
        }
    })
}

pub(crate) const VERSIONS: &str =
    "SELECT key, id, version, deleted_at FROM products WHERE key > ?1 ORDER BY key LIMIT ?2";

/// Returns the versions of products and tombstones after a key. Reads no JSON.
pub(crate) fn versions(conn: &Connection, after: i64, limit: usize) -> rusqlite::Result<Page<StoredVersion>> {
    rows_after(conn, VERSIONS, after, limit, |row| Ok((stored_version(row)?, 0)))
}

fn stored_version(row: &Row<'_>) -> rusqlite::Result<StoredVersion> {
    Ok(StoredVersion {
        id: ProductId::parse(row.get_ref(1)?.as_str()?).map_err(unreadable)?,
        version: version_from_sql(row.get(2)?),
        deleted_at: row.get::<_, Option<i64>>(3)?.map(timestamp).transpose().map_err(unreadable)?,
    })
}

/// Returns the rows after a key as `read` converts them; it also returns the bytes of JSON in a row.
fn rows_after<T>(
    conn: &Connection,
    sql: &str,
    after: i64,
    limit: usize,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<(T, usize)>,
) -> rusqlite::Result<Page<T>> {
    if after != 0 && !conn.prepare_cached("SELECT 1 FROM products WHERE key = ?1")?.exists([after])? {
        return Ok(None);
    }
    let mut statement = conn.prepare_cached(sql)?;
    // Reads one row more than requested, to know whether there is a next page.
    let mut rows = statement.query([after, i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)])?;
    let (mut items, mut last, mut bytes) = (Vec::new(), after, 0);
    while let Some(row) = rows.next()? {
        if items.len() == limit || bytes > MAX_PAGE_BYTES {
            return Ok(Some((items, Some(cursor::after(last)))));
        }
        let (item, size) = read(row)?;
        bytes += size;
        last = row.get(0)?;
        items.push(item);
    }
    Ok(Some((items, None)))
}
