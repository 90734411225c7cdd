//! Answers remembered under idempotency keys.

use domain::ports::IdempotencyRecord;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::unreadable;
use crate::writer::Step;

/// How long an answer is kept.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;
/// Expired answers removed at a time, at least.
const PURGE_STEP: usize = 256;

/// The answer as it stands in the file.
pub(crate) fn to_text(answered: &IdempotencyRecord) -> serde_json::Result<String> {
    serde_json::to_string(&answered.response)
}

/// Whether the key is taken.
pub(crate) fn is_taken(step: &Step<'_>, key: &str) -> rusqlite::Result<bool> {
    step.conn.prepare_cached("SELECT 1 FROM answers WHERE key = ?1")?.exists([key])
}

/// Remembers an answer whose key is free.
pub(crate) fn insert(step: &Step<'_>, answered: &IdempotencyRecord, text: &str) -> rusqlite::Result<()> {
    step.note_answered();
    step.conn
        .prepare_cached("INSERT INTO answers (key, at, fingerprint, answer) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![answered.key, step.now, answered.fingerprint, text])?;
    Ok(())
}

pub(crate) fn find(conn: &Connection, key: &str) -> rusqlite::Result<Option<IdempotencyRecord>> {
    conn.prepare_cached("SELECT fingerprint, answer FROM answers WHERE key = ?1")?
        .query_row([key], |row| {
            let response = serde_json::from_str(row.get_ref(1)?.as_str()?).map_err(unreadable)?;
            Ok(IdempotencyRecord { key: key.to_owned(), fingerprint: row.get(0)?, response })
        })
        .optional()
}

/// Removes some expired answers: more than came in with the last transaction, so that they cannot pile up.
pub(crate) fn purge(conn: &Connection, now: i64, came_in: usize) -> rusqlite::Result<()> {
    let before = now.saturating_sub(KEPT_MS);
    let mut expired = conn.prepare_cached("SELECT 1 FROM answers WHERE at < ?1 LIMIT 1")?;
    // Without this look, the purge would wait for the disk each time.
    if !expired.exists([before])? {
        return Ok(());
    }
    let limit = i64::try_from(PURGE_STEP.max(2 * came_in)).unwrap_or(i64::MAX);
    conn.prepare_cached(
        "DELETE FROM answers WHERE rowid IN (SELECT rowid FROM answers WHERE at < ?1 ORDER BY at LIMIT ?2)",
    )?
    .execute([before, limit])?;
    Ok(())
}
