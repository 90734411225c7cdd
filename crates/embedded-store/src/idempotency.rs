//! Idempotency records: the response to each write that a client sent with an idempotency key.

use domain::ports::IdempotencyRecord;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::unreadable;
use crate::transaction::WriteTransaction;

/// The retention of a record: 24 hours, in milliseconds.
const RETENTION_MS: i64 = 24 * 60 * 60 * 1000;
/// The number of expired records that one call may remove, however few were added.
const PURGE_STEP: usize = 256;

/// Serializes the response of a record in the format of the database.
pub(crate) fn response_json(record: &IdempotencyRecord) -> serde_json::Result<String> {
    serde_json::to_string(&record.response)
}

/// Returns true if the key is recorded.
pub(crate) fn is_recorded(transaction: &WriteTransaction<'_>, key: &str) -> rusqlite::Result<bool> {
    transaction.conn.prepare_cached("SELECT 1 FROM answers WHERE key = ?1")?.exists([key])
}

/// Inserts a record whose key is not recorded yet; `response` is its [`response_json`].
pub(crate) fn insert(
    transaction: &WriteTransaction<'_>,
    record: &IdempotencyRecord,
    response: &str,
) -> rusqlite::Result<()> {
    transaction.note_idempotency_record();
    transaction
        .conn
        .prepare_cached("INSERT INTO answers (key, at, fingerprint, answer) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![record.key, transaction.now, record.fingerprint, response])?;
    Ok(())
}

/// Returns the record of a key.
pub(crate) fn find(conn: &Connection, key: &str) -> rusqlite::Result<Option<IdempotencyRecord>> {
    conn.prepare_cached("SELECT fingerprint, answer FROM answers WHERE key = ?1")?
        .query_row([key], |row| {
            let response = serde_json::from_str(row.get_ref(1)?.as_str()?).map_err(unreadable)?;
            Ok(IdempotencyRecord { key: key.to_owned(), fingerprint: row.get(0)?, response })
        })
        .optional()
}

/// Removes some expired records: up to twice as many as the last transaction added, or [`PURGE_STEP`] if that is more. So they
/// cannot accumulate.
pub(crate) fn remove_expired(conn: &Connection, now: i64, added: usize) -> rusqlite::Result<()> {
    let before = now.saturating_sub(RETENTION_MS);
    let mut expired = conn.prepare_cached("SELECT 1 FROM answers WHERE at < ?1 LIMIT 1")?;
    // Without this check, every call would cost an fsync.
    if !expired.exists([before])? {
        return Ok(());
    }
    let limit = i64::try_from(PURGE_STEP.max(2 * added)).unwrap_or(i64::MAX);
    conn.prepare_cached(
        "DELETE FROM answers WHERE rowid IN (SELECT rowid FROM answers WHERE at < ?1 ORDER BY at LIMIT ?2)",
    )?
    .execute([before, limit])?;
    Ok(())
}
