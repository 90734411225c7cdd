//! The dead-letter queue.

use async_trait::async_trait;
use domain::ProductId;
use domain::ports::{DeadLetter, DeadLetterKey, DeadLetterList, DeadLetters, PortError};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::unreadable;
use crate::rows::version_from_sql;
use crate::store::EmbeddedStore;
use crate::transaction::WriteTransaction;

/// The maximum length of a stored reason, in characters. The rest is cut off.
const MAX_REASON_CHARS: usize = 2_000;
/// The total size of bodies, in bytes, after which a list ends before its limit.
const MAX_LISTED_BYTES: usize = 16 << 20;
/// Selects the newest letters: those that were inserted last.
const NEWEST: &str = "SELECT seq, id, version, reason, receives, died_at, body FROM dead_letters
    ORDER BY seq DESC LIMIT ?1";

#[async_trait]
impl DeadLetters for EmbeddedStore {
    async fn newest(&self, limit: usize) -> Result<DeadLetterList, PortError> {
        self.0.readers.run("reading dead letters", move |conn| newest(conn, limit)).await
    }

    async fn find(&self, keys: &[DeadLetterKey]) -> Result<Vec<Option<DeadLetter>>, PortError> {
        let keys = keys.to_vec();
        let read = move |conn: &Connection| keys.iter().map(|key| find(conn, key)).collect();
        self.0.readers.run("reading dead letters", read).await
    }

    async fn remove(&self, keys: &[DeadLetterKey]) -> Result<Vec<bool>, PortError> {
        let keys = keys.to_vec();
        let work = move |transaction: &WriteTransaction<'_>| {
            keys.iter().map(|key| remove(transaction, key)).collect()
        };
        self.0.writer.run("removing dead letters", 0, work).await
    }
}

/// Moves a message from the queue to the dead-letter queue.
pub(crate) fn move_message(
    transaction: &WriteTransaction<'_>,
    seq: i64,
    reason: &str,
) -> rusqlite::Result<()> {
    let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
    transaction
        .conn
        .prepare_cached(
            "INSERT INTO dead_letters (died_at, sent_at, receives, reason, id, version, traceparent, body)
             SELECT ?2, sent_at, receives, ?3, id, version, traceparent, body FROM messages WHERE seq = ?1",
        )?
        .execute(params![seq, transaction.now, reason])?;
    transaction.conn.prepare_cached("DELETE FROM messages WHERE seq = ?1")?.execute([seq])?;
    Ok(())
}

fn newest(conn: &Connection, limit: usize) -> rusqlite::Result<DeadLetterList> {
    let mut statement = conn.prepare_cached(NEWEST)?;
    // Reads one row more than requested, to know whether there are more.
    let mut rows = statement.query([i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX)])?;
    let (mut letters, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        if letters.len() == limit || bytes >= MAX_LISTED_BYTES {
            return Ok(DeadLetterList { letters, more: true });
        }
        let letter = read(row)?;
        bytes += letter.body.as_ref().map_or(0, String::len);
        letters.push(letter);
    }
    Ok(DeadLetterList { letters, more: false })
}

fn find(conn: &Connection, key: &DeadLetterKey) -> rusqlite::Result<Option<DeadLetter>> {
    let Some(seq) = seq_of(key) else { return Ok(None) };
    let sql = "SELECT seq, id, version, reason, receives, died_at, body FROM dead_letters WHERE seq = ?1";
    conn.prepare_cached(sql)?.query_row([seq], read).optional()
}

fn remove(transaction: &WriteTransaction<'_>, key: &DeadLetterKey) -> rusqlite::Result<bool> {
    let Some(seq) = seq_of(key) else { return Ok(false) };
    let removed =
        transaction.conn.prepare_cached("DELETE FROM dead_letters WHERE seq = ?1")?.execute([seq])?;
    Ok(removed > 0)
}

/// Parses a key that [`read`] made; returns `None` for any other text.
fn seq_of(key: &DeadLetterKey) -> Option<i64> {
    let seq: i64 = key.0.parse().ok()?;
    (seq.to_string() == key.0).then_some(seq)
}

fn read(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let body = row.get_ref(6)?.as_bytes_or_null()?;
    Ok(DeadLetter {
        key: DeadLetterKey(row.get::<_, i64>(0)?.to_string()),
        id: ProductId::parse(row.get_ref(1)?.as_str()?).ok(),
        version: Some(version_from_sql(row.get(2)?)),
        reason: Some(row.get(3)?),
        receives: row.get(4)?,
        dead_lettered_at: Some(Timestamp::from_millisecond(row.get(5)?).map_err(unreadable)?),
        body: body.map(|body| String::from_utf8_lossy(body).into_owned()),
    })
}
