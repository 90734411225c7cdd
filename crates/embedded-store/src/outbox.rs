//! The outbox: changes that must still be enqueued in a queue outside this file.

use domain::ports::{Envelope, OutboxEntry, OutboxEntryId};
use rusqlite::{Connection, OptionalExtension, params};

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

/// Entries whose time is still to come: the clock was set back after they were added.
pub(crate) const OF_THE_FUTURE: &str =
    "SELECT p.version, p.deleted_at, p.json, p.action, m.seq, m.id, m.traceparent
    FROM marks m LEFT JOIN products p ON p.id = m.id
    WHERE m.at > ?1 ORDER BY m.at, m.seq LIMIT ?2";

/// Returns at most `limit` entries, each with the current record of its product: first those added at `until` or before, oldest first,
/// then those with a time later than `now`.
pub(crate) fn pending(
    conn: &Connection,
    until: i64,
    now: i64,
    limit: usize,
) -> rusqlite::Result<Vec<OutboxEntry>> {
    let mut entries = entries(conn, PENDING, until, limit)?;
    if entries.len() < limit {
        entries.extend(self::entries(conn, OF_THE_FUTURE, now, limit - entries.len())?);
    }
    Ok(entries)
}

fn entries(conn: &Connection, sql: &str, time: i64, limit: usize) -> rusqlite::Result<Vec<OutboxEntry>> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![time, i64::try_from(limit).unwrap_or(i64::MAX)])?;
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

/// Returns the number of entries, and the time at which the oldest was added.
pub(crate) fn count(conn: &Connection) -> rusqlite::Result<(u64, Option<i64>)> {
    let entries: i64 = conn.prepare_cached("SELECT count(*) FROM marks")?.query_row([], |row| row.get(0))?;
    let oldest = conn
        .prepare_cached("SELECT at FROM marks ORDER BY seq LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok((entries.cast_unsigned(), oldest))
}

/// Removes entries. Ids that are not of this store are ignored.
pub(crate) fn remove(transaction: &WriteTransaction<'_>, entries: &[OutboxEntryId]) -> rusqlite::Result<()> {
    let mut statement = transaction.conn.prepare_cached("DELETE FROM marks WHERE seq = ?1")?;
    for seq in entries.iter().filter_map(|entry| entry.0.parse::<i64>().ok()) {
        statement.execute([seq])?;
    }
    Ok(())
}
