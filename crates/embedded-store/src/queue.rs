//! The queue: messages, who holds them until when, and dead letters.

use std::time::Duration;

use async_trait::async_trait;
use domain::Change;
use domain::ports::{
    ChangeQueue, Delivery, Envelope, MAX_RECEIVES, PortError, PortErrorKind, QueueStats, Receipt,
    ReleaseRequest, RetryRequest,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::time::{Instant, sleep};

use crate::products::{Stored, version_to_sql};
use crate::writer::Step;
use crate::{BACK_END, EmbeddedStore, repeat_error, to_millis};

/// How often a receiver that waits looks for what other processes enqueued and for what became visible again.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The longest that a receive waits.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// The most messages of one receive.
const MAX_RECEIVED: usize = 10_000;
/// The most JSON of one receive; one that reaches it ends early.
const MAX_RECEIVED_BYTES: usize = 16 << 20;
/// The most characters of a reason that are kept.
const MAX_REASON_CHARS: usize = 2_000;
/// What a message costs beside its body, roughly.
const ROW_BYTES: usize = 100;

#[async_trait]
impl ChangeQueue for EmbeddedStore {
    async fn send(&self, envelopes: Vec<Envelope>) -> Vec<Result<(), PortError>> {
        const CONTEXT: &str = "enqueuing changes";
        let count = envelopes.len();
        if count == 0 {
            return Vec::new();
        }
        let mut bodies = Vec::with_capacity(count);
        for envelope in envelopes {
            match serde_json::to_string(&envelope.change) {
                Ok(body) => bodies.push((envelope, body)),
                Err(error) => {
                    return repeat_error(PortError::new(PortErrorKind::Internal, CONTEXT, error), count);
                }
            }
        }
        let bytes = bodies.iter().map(|(_, body)| body.len() + ROW_BYTES).sum();
        let work = move |step: &Step<'_>| {
            bodies.iter().try_for_each(|(Envelope { change, traceparent }, body)| {
                let version = version_to_sql(change.version());
                enqueue(step, change.id().as_str(), version, traceparent.as_deref(), Some(body))
            })
        };
        match self.0.writer.run(CONTEXT, bytes, work).await {
            Ok(()) => (0..count).map(|_| Ok(())).collect(),
            Err(error) => repeat_error(error, count),
        }
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, PortError> {
        let max = max.min(MAX_RECEIVED);
        let until = Instant::now() + wait.min(MAX_WAIT);
        loop {
            // Made before we look, so that a commit right after it is not missed.
            let committed = self.0.committed.notified();
            let mut committed = std::pin::pin!(committed);
            committed.as_mut().enable();
            if max > 0 && self.has_visible().await? {
                let deliveries = self.claim(max).await?;
                if !deliveries.is_empty() {
                    return Ok(deliveries);
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Vec::new());
            }
            tokio::select! {
                () = committed => {}
                () = sleep(left.min(POLL_INTERVAL)) => {}
            }
        }
    }

    async fn acknowledge(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let held = parse_receipts(receipts.iter());
        self.change_held("acknowledging messages", held, |step, seq, token, _| {
            step.conn
                .prepare_cached("DELETE FROM messages WHERE seq = ?1 AND token = ?2")?
                .execute([seq, token])
                .map(drop)
        })
        .await
    }

    async fn retry_later(&self, failed: &[RetryRequest]) -> Result<(), PortError> {
        let held = failed
            .iter()
            .filter_map(|given| Some((parse_receipt(&given.receipt)?, given.clone())))
            .map(|((seq, token), given)| (seq, token, given))
            .collect();
        self.change_held("giving messages back", held, retry_later).await
    }

    async fn release(&self, untouched: &[ReleaseRequest]) -> Result<(), PortError> {
        let held = parse_receipts(untouched.iter().map(|message| &message.receipt));
        self.change_held("releasing messages", held, |step, seq, token, ()| {
            step.note_enqueued();
            step.conn
                .prepare_cached(
                    "UPDATE messages SET visible_at = ?3, token = NULL, receives = receives - 1
                     WHERE seq = ?1 AND token = ?2",
                )?
                .execute([seq, token, step.now])
                .map(drop)
        })
        .await
    }

    async fn extend(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let timeout = to_millis(self.0.visibility_timeout);
        let held = parse_receipts(receipts.iter());
        self.change_held("extending the time for messages", held, move |step, seq, token, ()| {
            step.conn
                .prepare_cached("UPDATE messages SET visible_at = ?3 WHERE seq = ?1 AND token = ?2")?
                .execute([seq, token, step.now.saturating_add(timeout)])
                .map(drop)
        })
        .await
    }

    fn visibility_timeout(&self) -> Duration {
        self.0.visibility_timeout
    }

    async fn stats(&self) -> Result<QueueStats, PortError> {
        let now = self.now();
        self.0.readers.run("counting messages", move |conn| stats(conn, now)).await
    }

    fn back_end(&self) -> &'static str {
        BACK_END
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.probe().await
    }
}

impl EmbeddedStore {
    /// Whether a receive would find anything. It takes no turn of the writer's, so that waiting costs little.
    async fn has_visible(&self) -> Result<bool, PortError> {
        let now = self.now();
        let look = move |conn: &Connection| {
            conn.prepare_cached("SELECT 1 FROM messages WHERE visible_at <= ?1 LIMIT 1")?.exists([now])
        };
        self.0.readers.run("looking for messages", look).await
    }

    async fn claim(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        const CONTEXT: &str = "receiving messages";
        let timeout = to_millis(self.0.visibility_timeout);
        let work = move |step: &Step<'_>| claim(step, max, timeout);
        let claimed = self.0.writer.run(CONTEXT, max * ROW_BYTES, work).await?;
        if claimed.len() < 16 {
            return Ok(claimed.into_iter().map(Claimed::deliver).collect());
        }
        tokio::task::spawn_blocking(|| claimed.into_iter().map(Claimed::deliver).collect())
            .await
            .map_err(|panic| PortError::new(PortErrorKind::Internal, CONTEXT, panic))
    }

    /// Runs `change` for each message that is held under a receipt.
    async fn change_held<T: Send + 'static>(
        &self,
        context: &'static str,
        held: Vec<(i64, i64, T)>,
        change: impl Fn(&Step<'_>, i64, i64, &T) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), PortError> {
        if held.is_empty() {
            return Ok(());
        }
        let bytes = held.len() * ROW_BYTES;
        let work = move |step: &Step<'_>| {
            held.iter().try_for_each(|(seq, token, with)| change(step, *seq, *token, with))
        };
        self.0.writer.run(context, bytes, work).await
    }
}

/// Enqueues a message that can be received at once. Without a body it tells what the store holds when it is received.
pub(crate) fn enqueue(
    step: &Step<'_>,
    id: &str,
    version: i64,
    traceparent: Option<&str>,
    body: Option<&str>,
) -> rusqlite::Result<()> {
    step.note_enqueued();
    step.conn
        .prepare_cached(
            "INSERT INTO messages (visible_at, sent_at, id, version, traceparent, body)
             VALUES (?1, ?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![step.now, id, version, traceparent, body])?;
    Ok(())
}

// ---------------------------------------------------------------------------------------------- receiving

/// A message that was claimed, before it is decoded.
#[derive(Debug)]
struct Claimed {
    seq: i64,
    token: i64,
    receives: u32,
    id: String,
    traceparent: Option<String>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// The message's own JSON, as it stands in the file.
    Body(Vec<u8>),
    /// What the store holds, where it holds anything.
    Stored(Option<Stored>),
}

impl Claimed {
    fn read(row: &Row<'_>, token: i64) -> rusqlite::Result<Self> {
        let content = match row.get_ref(8)?.as_bytes_or_null()? {
            Some(body) => Content::Body(body.to_vec()),
            None => Content::Stored(Stored::read(row)?),
        };
        let receives = row.get::<_, u32>(5)?.saturating_add(1);
        Ok(Self { seq: row.get(4)?, token, receives, id: row.get(6)?, traceparent: row.get(7)?, content })
    }

    fn bytes(&self) -> usize {
        match &self.content {
            Content::Body(body) => body.len() + ROW_BYTES,
            Content::Stored(stored) => stored.as_ref().map_or(ROW_BYTES, Stored::bytes),
        }
    }

    fn deliver(self) -> Delivery {
        let change: Result<Change, String> = match &self.content {
            Content::Body(body) => {
                serde_json::from_slice(body).map_err(|error| format!("the message cannot be read: {error}"))
            }
            Content::Stored(Some(stored)) => stored.change(&self.id),
            Content::Stored(None) => Err(format!("product {} is not in the store", self.id)),
        };
        Delivery {
            receipt: Receipt(format!("{:x}-{:x}", self.seq, self.token)),
            envelope: change.map(|change| Envelope { change, traceparent: self.traceparent }),
            receives: self.receives,
            body: None,
        }
    }
}

/// Claims the messages that have been visible longest. Those that were received too often and then forgotten become
/// dead letters instead.
fn claim(step: &Step<'_>, max: usize, timeout: i64) -> rusqlite::Result<Vec<Claimed>> {
    // Random, so that no other receive has ever had it, in whatever process.
    let (_, token) = uuid::Uuid::now_v7().as_u64_pair();
    let token = token.cast_signed();
    loop {
        let found = visible(step, max, token)?;
        let (forgotten, claimed): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|message| message.receives > MAX_RECEIVES);
        for message in &forgotten {
            let reason = format!(
                "received {MAX_RECEIVES} times and neither acknowledged nor given back: its receivers may have \
                 crashed"
            );
            bury(step, message.seq, &reason)?;
        }
        let hidden_until = step.now.saturating_add(timeout);
        let mut hide = step.conn.prepare_cached(
            "UPDATE messages SET visible_at = ?2, receives = receives + 1, token = ?3 WHERE seq = ?1",
        )?;
        for message in &claimed {
            hide.execute([message.seq, hidden_until, token])?;
        }
        // Each round without any buries at least one, so that this ends.
        if !claimed.is_empty() || forgotten.is_empty() {
            return Ok(claimed);
        }
    }
}

/// Those that have been visible longest come first.
pub(crate) const VISIBLE: &str =
    "SELECT p.version, p.deleted_at, p.json, p.action, m.seq, m.receives, m.id, m.traceparent, m.body
    FROM messages m INDEXED BY messages_by_visibility
    LEFT JOIN products p ON m.body IS NULL AND p.id = m.id
    WHERE m.visible_at <= ?1 ORDER BY m.visible_at, m.seq LIMIT ?2";

fn visible(step: &Step<'_>, max: usize, token: i64) -> rusqlite::Result<Vec<Claimed>> {
    let mut statement = step.conn.prepare_cached(VISIBLE)?;
    let mut rows = statement.query(params![step.now, i64::try_from(max).unwrap_or(i64::MAX)])?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while bytes < MAX_RECEIVED_BYTES
        && let Some(row) = rows.next()?
    {
        let message = Claimed::read(row, token)?;
        bytes += message.bytes();
        found.push(message);
    }
    Ok(found)
}

// ------------------------------------------------------------------------------------- held and given up

fn parse_receipt(receipt: &Receipt) -> Option<(i64, i64)> {
    let (seq, token) = receipt.0.split_once('-')?;
    let token = u64::from_str_radix(token, 16).ok()?;
    Some((i64::from_str_radix(seq, 16).ok()?, token.cast_signed()))
}

/// Those that name a message; one that does not is as good as out of date.
fn parse_receipts<'a>(receipts: impl Iterator<Item = &'a Receipt>) -> Vec<(i64, i64, ())> {
    receipts.filter_map(parse_receipt).map(|(seq, token)| (seq, token, ())).collect()
}

fn retry_later(step: &Step<'_>, seq: i64, token: i64, given: &RetryRequest) -> rusqlite::Result<()> {
    let receives: Option<u32> = step
        .conn
        .prepare_cached("SELECT receives FROM messages WHERE seq = ?1 AND token = ?2")?
        .query_row([seq, token], |row| row.get(0))
        .optional()?;
    match receives {
        None => Ok(()),
        Some(receives) if receives >= MAX_RECEIVES => bury(step, seq, &given.reason),
        Some(_) => {
            step.note_enqueued();
            step.conn
                .prepare_cached("UPDATE messages SET visible_at = ?2, token = NULL WHERE seq = ?1")?
                .execute([seq, step.now.saturating_add(to_millis(given.delay))])
                .map(drop)
        }
    }
}

/// Makes a message a dead letter.
fn bury(step: &Step<'_>, seq: i64, reason: &str) -> rusqlite::Result<()> {
    let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
    step.conn
        .prepare_cached(
            "INSERT INTO dead_letters (died_at, sent_at, receives, reason, id, version, traceparent, body)
             SELECT ?2, sent_at, receives, ?3, id, version, traceparent, body FROM messages WHERE seq = ?1",
        )?
        .execute(params![seq, step.now, reason])?;
    step.conn.prepare_cached("DELETE FROM messages WHERE seq = ?1")?.execute([seq])?;
    Ok(())
}

fn stats(conn: &Connection, now: i64) -> rusqlite::Result<QueueStats> {
    let count = |sql: &str, params: &[i64]| {
        let row = |row: &Row<'_>| row.get::<_, i64>(0);
        let count = conn.prepare_cached(sql)?.query_row(rusqlite::params_from_iter(params), row)?;
        Ok::<u64, rusqlite::Error>(count.max(0).cast_unsigned())
    };
    let all = count("SELECT count(*) FROM messages", &[])?;
    let in_flight =
        count("SELECT count(*) FROM messages WHERE visible_at > ?1 AND token IS NOT NULL", &[now])?;
    let oldest: Option<i64> = conn
        .prepare_cached("SELECT sent_at FROM messages ORDER BY seq LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let age = |sent_at: i64| Duration::from_millis(now.saturating_sub(sent_at).max(0).cast_unsigned());
    Ok(QueueStats {
        waiting: all - in_flight,
        in_flight,
        dead: count("SELECT count(*) FROM dead_letters", &[])?,
        oldest_age: oldest.map(age),
    })
}
