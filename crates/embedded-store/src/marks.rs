//! Marks: writes whose change must still be handed to a queue elsewhere.

use std::time::Duration;

use domain::ports::{Envelope, OutboxEntry, OutboxEntryId, OutboxStats};
use rusqlite::{Connection, params};

use crate::error::unreadable;
use crate::products;
use crate::writer::Step;

/// The most JSON that is read at a time.
const MAX_BYTES: usize = 16 << 20;

/// Leaves a mark for a write of the same transaction.
pub(crate) fn insert(
    step: &Step<'_>,
    id: &str,
    version: i64,
    traceparent: Option<&str>,
) -> rusqlite::Result<OutboxEntryId> {
    step.conn
        .prepare_cached("INSERT INTO marks (at, id, version, traceparent) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![step.now, id, version, traceparent])?;
    Ok(OutboxEntryId(step.conn.last_insert_rowid().to_string()))
}

pub(crate) const UNSENT: &str = "SELECT p.version, p.deleted_at, p.json, p.action, m.seq, m.id, m.traceparent
    FROM marks m LEFT JOIN products p ON p.id = m.id
    WHERE m.at <= ?1 ORDER BY m.at, m.seq LIMIT ?2";

/// The oldest of those left at `until` or before, each with what the store holds now.
pub(crate) fn unsent(conn: &Connection, until: i64, limit: usize) -> rusqlite::Result<Vec<OutboxEntry>> {
    let mut statement = conn.prepare_cached(UNSENT)?;
    let mut rows = statement.query(params![until, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let (mut unsent, mut bytes) = (Vec::new(), 0);
    while bytes < MAX_BYTES
        && let Some(row) = rows.next()?
    {
        let stored = products::Stored::read(row)?.ok_or_else(|| unreadable("a mark without its product"))?;
        bytes += stored.bytes();
        let change = stored.change(row.get_ref(5)?.as_str()?).map_err(unreadable)?;
        unsent.push(OutboxEntry {
            id: OutboxEntryId(row.get::<_, i64>(4)?.to_string()),
            envelope: Envelope { change, traceparent: row.get(6)? },
        });
    }
    Ok(unsent)
}

/// How many there are, and how old the oldest is.
pub(crate) fn stats(conn: &Connection, now: i64) -> rusqlite::Result<OutboxStats> {
    let (marks, oldest) = conn
        .prepare_cached("SELECT count(*), min(at) FROM marks")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?)))?;
    let age = |at: i64| Duration::from_millis(now.saturating_sub(at).max(0).cast_unsigned());
    Ok(OutboxStats { entries: marks.cast_unsigned(), oldest_age: oldest.map(age) })
}

/// Clears marks; what is no mark of ours is gone already.
pub(crate) fn clear(step: &Step<'_>, marks: &[OutboxEntryId]) -> rusqlite::Result<()> {
    let mut statement = step.conn.prepare_cached("DELETE FROM marks WHERE seq = ?1")?;
    for seq in marks.iter().filter_map(|mark| mark.0.parse::<i64>().ok()) {
        statement.execute([seq])?;
    }
    Ok(())
}
