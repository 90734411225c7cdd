//! The table of messages: enqueuing, claiming, and changing claimed messages.

use std::time::Duration;

use domain::Change;
use domain::ports::{Delivery, Envelope, MAX_RECEIVES, Receipt, RetryRequest};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::dead_letters;
use crate::rows::StoredProduct;
use crate::store::to_millis;
use crate::transaction::WriteTransaction;

/// Bytes of JSON after which a receive ends early.
const MAX_RECEIVED_BYTES: usize = 16 << 20;
/// The longest delay of a retry; longer ones are shortened.
pub(crate) const MAX_DELAY: Duration = Duration::from_secs(60);
/// The approximate size of a message without its body, in bytes.
pub(crate) const ROW_BYTES: usize = 100;

/// Enqueues a message that is visible at once. A message without a body carries the record that the store holds when it is
/// received.
pub(crate) fn enqueue(
    transaction: &WriteTransaction<'_>,
    id: &str,
    version: i64,
    traceparent: Option<&str>,
    body: Option<&str>,
) -> rusqlite::Result<()> {
    transaction.note_visible_messages();
    transaction
        .conn
        .prepare_cached(
            "INSERT INTO messages (visible_at, sent_at, id, version, traceparent, body)
             VALUES (?1, ?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![transaction.now, id, version, traceparent, body])?;
    Ok(())
}

/// Returns true if a message is visible at `now`. A message that is hidden for more than `max_hidden` milliseconds counts as visible: the
/// clock was set back after it was hidden.
pub(crate) fn has_visible(conn: &Connection, now: i64, max_hidden: i64) -> rusqlite::Result<bool> {
    let is_there = |sql: &str, time: i64| conn.prepare_cached(sql)?.exists([time]);
    Ok(is_there("SELECT 1 FROM messages WHERE visible_at <= ?1 LIMIT 1", now)?
        || is_there(TOO_LATE, now.saturating_add(max_hidden))?)
}

/// Selects a message that becomes visible after a time.
pub(crate) const TOO_LATE: &str = "SELECT 1 FROM messages WHERE visible_at > ?1 LIMIT 1";

/// Returns true if there is no message, neither waiting nor in flight.
pub(crate) fn is_empty(conn: &Connection) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM messages LIMIT 1")?.exists([]).map(|exists| !exists)
}

/// The messages in the queue.
pub(crate) struct Counts {
    pub(crate) waiting: u64,
    pub(crate) in_flight: u64,
    pub(crate) dead: u64,
    /// The time at which the oldest message was enqueued.
    pub(crate) oldest_sent_at: Option<i64>,
}

/// Counts the messages in the queue.
pub(crate) fn counts(conn: &Connection, now: i64, max_hidden: i64) -> rusqlite::Result<Counts> {
    let count = |sql: &str, params: &[i64]| {
        let row = |row: &Row<'_>| row.get::<_, i64>(0);
        let count = conn.prepare_cached(sql)?.query_row(rusqlite::params_from_iter(params), row)?;
        Ok::<u64, rusqlite::Error>(count.max(0).cast_unsigned())
    };
    let all = count("SELECT count(*) FROM messages", &[])?;
    let in_flight = count(
        "SELECT count(*) FROM messages WHERE visible_at > ?1 AND visible_at <= ?2 AND token IS NOT NULL",
        &[now, now.saturating_add(max_hidden)],
    )?;
    let oldest_sent_at = conn
        .prepare_cached("SELECT sent_at FROM messages ORDER BY seq LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let dead = count("SELECT count(*) FROM dead_letters", &[])?;
    Ok(Counts { waiting: all - in_flight, in_flight, dead, oldest_sent_at })
}

// --------------------------------------------------------------------------------------------- claiming

/// Identifies one receive of one message: the content of a [`Receipt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageClaim {
    seq: i64,
    /// The token of the receive. A later receive replaces it; from then on, statements with this token have no effect.
    token: i64,
}

impl MessageClaim {
    /// Parses a receipt; `None` if it is not one of this queue.
    pub(crate) fn parse(receipt: &Receipt) -> Option<Self> {
        let (seq, token) = receipt.0.split_once('-')?;
        let token = u64::from_str_radix(token, 16).ok()?;
        Some(Self { seq: i64::from_str_radix(seq, 16).ok()?, token: token.cast_signed() })
    }

    fn receipt(self) -> Receipt {
        Receipt(format!("{:x}-{:x}", self.seq, self.token))
    }
}

/// A claimed message that is not decoded yet.
#[derive(Debug)]
pub(crate) struct Claimed {
    claim: MessageClaim,
    receives: u32,
    id: String,
    traceparent: Option<String>,
    /// True if a receiver claimed the message before, and neither acknowledged nor retried nor released it.
    is_abandoned: bool,
    content: Content,
}

/// The source of the change in a message.
#[derive(Debug)]
enum Content {
    /// The message's own JSON.
    Body(Vec<u8>),
    /// The current row of the product, if there is one.
    Stored(Option<StoredProduct>),
}

impl Claimed {
    fn read(row: &Row<'_>, token: i64) -> rusqlite::Result<Self> {
        let content = match row.get_ref(8)?.as_bytes_or_null()? {
            Some(body) => Content::Body(body.to_vec()),
            None => Content::Stored(StoredProduct::read(row)?),
        };
        let claim = MessageClaim { seq: row.get(4)?, token };
        let receives = row.get::<_, u32>(5)?.saturating_add(1);
        let is_abandoned = row.get(9)?;
        Ok(Self { claim, receives, id: row.get(6)?, traceparent: row.get(7)?, is_abandoned, content })
    }

    /// Returns the maximum number of messages in a receive that includes this one. If receivers crash over one message, ever fewer others
    /// are abandoned with it, and it is alone before it becomes a dead letter.
    fn max_together(&self) -> usize {
        match self.receives {
            3 if self.is_abandoned => 1000,
            4 if self.is_abandoned => 30,
            MAX_RECEIVES.. if self.is_abandoned => 1,
            _ => usize::MAX,
        }
    }

    fn bytes(&self) -> usize {
        match &self.content {
            Content::Body(body) => body.len() + ROW_BYTES,
            Content::Stored(stored) => stored.as_ref().map_or(ROW_BYTES, StoredProduct::bytes),
        }
    }

    /// Decodes the message. CPU-bound.
    pub(crate) fn into_delivery(self) -> Delivery {
        let change: Result<Change, String> = match &self.content {
            Content::Body(body) => {
                serde_json::from_slice(body).map_err(|error| format!("the message cannot be read: {error}"))
            }
            Content::Stored(Some(stored)) => stored.change(&self.id),
            Content::Stored(None) => Err(format!("product {} is not in the store", self.id)),
        };
        Delivery {
            receipt: self.claim.receipt(),
            envelope: change.map(|change| Envelope { change, traceparent: self.traceparent }),
            receives: self.receives,
            body: None,
        }
    }
}

/// Claims up to `max` messages that have been visible longest, for `timeout` milliseconds. A message that was received [`MAX_RECEIVES`]
/// times, the last time without an acknowledgement or a retry, becomes a dead letter instead.
pub(crate) fn claim(
    transaction: &WriteTransaction<'_>,
    max: usize,
    timeout: i64,
    max_hidden: i64,
) -> rusqlite::Result<Vec<Claimed>> {
    show_hidden_too_long(transaction, max_hidden)?;
    // Random, so that it is unique across all receivers of all processes.
    let (_, token) = uuid::Uuid::now_v7().as_u64_pair();
    let token = token.cast_signed();
    loop {
        let (abandoned, claimed): (Vec<_>, Vec<_>) = visible(transaction, max, token)?
            .into_iter()
            .partition(|message| message.receives > MAX_RECEIVES);
        for message in &abandoned {
            let reason = format!(
                "received {MAX_RECEIVES} times and neither acknowledged nor retried: its receivers may have crashed"
            );
            dead_letters::move_message(transaction, message.claim.seq, &reason)?;
        }
        let hidden_until = transaction.now.saturating_add(timeout);
        let mut hide = transaction.conn.prepare_cached(
            "UPDATE messages SET visible_at = ?2, receives = receives + 1, token = ?3 WHERE seq = ?1",
        )?;
        for message in &claimed {
            hide.execute([message.claim.seq, hidden_until, token])?;
        }
        // A round that claims nothing moves at least one message to the dead letters, so this ends.
        if !claimed.is_empty() || abandoned.is_empty() {
            return Ok(claimed);
        }
    }
}

/// Makes messages visible that are hidden for more than `max_hidden` milliseconds, because the clock was set back.
fn show_hidden_too_long(transaction: &WriteTransaction<'_>, max_hidden: i64) -> rusqlite::Result<()> {
    let latest = transaction.now.saturating_add(max_hidden);
    let shown = transaction
        .conn
        .prepare_cached("UPDATE messages SET visible_at = ?1 WHERE visible_at > ?2")?
        .execute([transaction.now, latest])?;
    if shown > 0 {
        tracing::warn!(
            messages = shown,
            "the clock was set back; messages hidden until later are received now"
        );
    }
    Ok(())
}

/// Selects the messages that have been visible longest.
pub(crate) const VISIBLE: &str =
    "SELECT p.version, p.deleted_at, p.json, p.action, m.seq, m.receives, m.id, m.traceparent, m.body, m.token IS NOT NULL
    FROM messages m INDEXED BY messages_by_visibility
    LEFT JOIN products p ON m.body IS NULL AND p.id = m.id
    WHERE m.visible_at <= ?1 ORDER BY m.visible_at, m.seq LIMIT ?2";

fn visible(transaction: &WriteTransaction<'_>, max: usize, token: i64) -> rusqlite::Result<Vec<Claimed>> {
    let mut statement = transaction.conn.prepare_cached(VISIBLE)?;
    let mut rows = statement.query(params![transaction.now, i64::try_from(max).unwrap_or(i64::MAX)])?;
    let (mut messages, mut bytes, mut max) = (Vec::new(), 0, max);
    while bytes < MAX_RECEIVED_BYTES
        && let Some(row) = rows.next()?
    {
        let message = Claimed::read(row, token)?;
        max = max.min(message.max_together());
        if messages.len() >= max && !messages.is_empty() {
            break;
        }
        bytes += message.bytes();
        messages.push(message);
    }
    Ok(messages)
}

// ------------------------------------------------------------------------------------- claimed messages

/// Deletes a claimed message.
pub(crate) fn delete(transaction: &WriteTransaction<'_>, claim: MessageClaim) -> rusqlite::Result<()> {
    transaction
        .conn
        .prepare_cached("DELETE FROM messages WHERE seq = ?1 AND token = ?2")?
        .execute([claim.seq, claim.token])
        .map(drop)
}

/// Makes a claimed message visible and does not count its receive.
pub(crate) fn release(transaction: &WriteTransaction<'_>, claim: MessageClaim) -> rusqlite::Result<()> {
    transaction.note_visible_messages();
    transaction
        .conn
        .prepare_cached(
            "UPDATE messages SET visible_at = ?3, token = NULL, receives = receives - 1
             WHERE seq = ?1 AND token = ?2",
        )?
        .execute([claim.seq, claim.token, transaction.now])
        .map(drop)
}

/// Hides a claimed message for another `timeout` milliseconds.
pub(crate) fn extend(
    transaction: &WriteTransaction<'_>,
    claim: MessageClaim,
    timeout: i64,
) -> rusqlite::Result<()> {
    transaction
        .conn
        .prepare_cached("UPDATE messages SET visible_at = ?3 WHERE seq = ?1 AND token = ?2")?
        .execute([claim.seq, claim.token, transaction.now.saturating_add(timeout)])
        .map(drop)
}

/// Makes a claimed message visible after a delay, or a dead letter if this was its last receive.
pub(crate) fn retry_later(
    transaction: &WriteTransaction<'_>,
    claim: MessageClaim,
    request: &RetryRequest,
) -> rusqlite::Result<()> {
    let receives: Option<u32> = transaction
        .conn
        .prepare_cached("SELECT receives FROM messages WHERE seq = ?1 AND token = ?2")?
        .query_row([claim.seq, claim.token], |row| row.get(0))
        .optional()?;
    match receives {
        None => Ok(()),
        Some(receives) if receives >= MAX_RECEIVES => {
            dead_letters::move_message(transaction, claim.seq, &request.reason)
        }
        Some(_) => {
            transaction.note_visible_messages();
            transaction
                .conn
                .prepare_cached("UPDATE messages SET visible_at = ?2, token = NULL WHERE seq = ?1")?
                .execute([claim.seq, transaction.now.saturating_add(to_millis(request.delay.min(MAX_DELAY)))])
                .map(drop)
        }
    }
}
