//! The outbox: changes that must still be enqueued in a queue outside this file.

use std::time::Duration;

use domain::ports::{Envelope, OutboxEntry, OutboxEntryId, OutboxStats};
use rusqlite::{Connection, params};

use crate::error::unreadable;
use crate::rows::StoredProduct;
use crate::transaction::WriteTransaction;

/// The total size of product JSON, in bytes, after which a result ends before its limit.
const MAX_BYTES: usize = 16 << 20;

/// Adds the entry of a write, in the transaction of that write.
pub(crate) fn insert(
    transaction: &WriteTransaction<'_>,
    id: &str,
    version: i64,
    traceparent: Option<&str>,
) -> rusqlite::Result<OutboxEntryId> {
    transaction
        .conn
        .prepare_cached("INSERT INTO marks (at, id, version, traceparent) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![transaction.now, id, version, traceparent])?;
    Ok(OutboxEntryId(transaction.conn.last_insert_rowid().to_string()))
}

pub(crate) const PENDING: &str =
    "SELECT p.version, p.deleted_at, p.json, p.action, m.seq, m.id, m.traceparent
    FROM marks m LEFT JOIN products p ON p.id = m.id
    WHERE m.at <= ?1 ORDER BY m.at, m.seq LIMIT ?2";

/// Returns at most `limit` entries added at `until` or before, oldest first, each with the current record of its product.
pub(crate) fn pending(conn: &Connection, until: i64, limit: usize) -> rusqlite::Result<Vec<OutboxEntry>> {
    let mut statement = conn.prepare_cached(PENDING)?;
    let mut rows = statement.query(params![until, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while bytes < MAX_BYTES
        && let Some(row) = rows.next()?
    {
        let stored =
            StoredProduct::read(row)?.ok_or_else(|| unreadable("an outbox entry without its product"))?;
        bytes += stored.bytes();
        let change = stored.change(row.get_ref(5)?.as_str()?).map_err(unreadable)?;
        entries.push(OutboxEntry {
            id: OutboxEntryId(row.get::<_, i64>(4)?.to_string()),
            envelope: Envelope { change, traceparent: row.get(6)? },
        });
    }
    Ok(entries)
}

/// Returns the number of entries and the age of the oldest.
pub(crate) fn stats(conn: &Connection, now: i64) -> rusqlite::Result<OutboxStats> {
    let (entries, oldest) = conn
        .prepare_cached("SELECT count(*), min(at) FROM marks")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?)))?;
    let age = |at: i64| Duration::from_millis(now.saturating_sub(at).max(0).cast_unsigned());
    Ok(OutboxStats { entries: entries.cast_unsigned(), oldest_age: oldest.map(age) })
}

/// Removes entries. Ids that are not of this store are ignored.
pub(crate) fn remove(transaction: &WriteTransaction<'_>, entries: &[OutboxEntryId]) -> rusqlite::Result<()> {
    let mut statement = transaction.conn.prepare_cached("DELETE FROM marks WHERE seq = ?1")?;
    for seq in entries.iter().filter_map(|entry| entry.0.parse::<i64>().ok()) {
        statement.execute([seq])?;
    }
    Ok(())
}
