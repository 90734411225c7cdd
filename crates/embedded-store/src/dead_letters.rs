//! The messages that were given up.

use async_trait::async_trait;
use domain::ProductId;
use domain::ports::{DeadLetter, DeadLetterKey, DeadLetterList, DeadLetters, PortError};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::EmbeddedStore;
use crate::error::unreadable;
use crate::products::version_from_sql;
use crate::writer::Step;

/// The most JSON of one list; one that reaches it ends early.
const MAX_LISTED_BYTES: usize = 16 << 20;
/// The newest are those that were written last.
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
        let work = move |step: &Step<'_>| keys.iter().map(|key| remove(step, key)).collect();
        self.0.writer.run("removing dead letters", 0, work).await
    }
}

fn newest(conn: &Connection, limit: usize) -> rusqlite::Result<DeadLetterList> {
    let mut statement = conn.prepare_cached(NEWEST)?;
    // One more than asked for, to see whether there is one.
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

fn remove(step: &Step<'_>, key: &DeadLetterKey) -> rusqlite::Result<bool> {
    let Some(seq) = seq_of(key) else { return Ok(false) };
    let removed = step.conn.prepare_cached("DELETE FROM dead_letters WHERE seq = ?1")?.execute([seq])?;
    Ok(removed > 0)
}

/// A key as [`read`] writes it; any other names no letter.
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
