//! The queue's port: sending, receiving, and acting on received messages.

use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{
    ChangeQueue, Delivery, Envelope, PortError, PortErrorKind, QueueStats, Receipt, ReleaseRequest,
    RetryRequest,
};
use rusqlite::Connection;
use tokio::time::{Instant, sleep};

use crate::error::fail_all;
use crate::messages::{self, Claimed, MessageClaim};
use crate::rows::version_to_sql;
use crate::store::{BACK_END, EmbeddedStore, to_millis};
use crate::transaction::WriteTransaction;

/// The interval at which a waiting receiver checks for messages of other processes and for messages that became visible again.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The longest wait of a receive.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// The maximum number of messages of one receive.
const MAX_RECEIVED: usize = 20_000;
/// From this many messages on, they are decoded on a blocking thread.
const MANY_MESSAGES: usize = 16;

#[async_trait]
impl ChangeQueue for EmbeddedStore {
    async fn send(&self, envelopes: Vec<Envelope>) -> Vec<Result<(), PortError>> {
        const CONTEXT: &str = "enqueuing changes";
        let count = envelopes.len();
        if count == 0 {
            return Vec::new();
        }
        let bodies = envelopes.iter().map(|envelope| serde_json::to_string(&envelope.change));
        let bodies: Vec<String> = match bodies.collect() {
            Ok(bodies) => bodies,
            Err(error) => {
                return fail_all(&PortError::new(PortErrorKind::Internal, CONTEXT, error), count);
            }
        };
        let bytes = bodies.iter().map(|body| body.len() + messages::ROW_BYTES).sum();
        let work = move |transaction: &WriteTransaction<'_>| {
            envelopes.iter().zip(&bodies).try_for_each(|(Envelope { change, traceparent }, body)| {
                let (id, version) = (change.id().as_str(), version_to_sql(change.version()));
                messages::enqueue(transaction, id, version, traceparent.as_deref(), Some(body))
            })
        };
        match self.0.writer.run(CONTEXT, bytes, work).await {
            Ok(()) => (0..count).map(|_| Ok(())).collect(),
            Err(error) => fail_all(&error, count),
        }
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, PortError> {
        let max = max.min(MAX_RECEIVED);
        let deadline = Instant::now() + wait.min(MAX_WAIT);
        loop {
            // Registered before the check, so that a commit right after it is not missed.
            let committed = self.0.committed.notified();
            let mut committed = std::pin::pin!(committed);
            committed.as_mut().enable();
            if max > 0 && self.has_visible().await? {
                let deliveries = self.claim(max).await?;
                if !deliveries.is_empty() {
                    return Ok(deliveries);
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
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
        let claims = parse_receipts(receipts.iter());
        self.for_each_claim("acknowledging messages", claims, |transaction, claim, ()| {
            messages::delete(transaction, claim)
        })
        .await
    }

    async fn retry_later(&self, failed: &[RetryRequest]) -> Result<(), PortError> {
        let claims = failed
            .iter()
            .filter_map(|request| Some((MessageClaim::parse(&request.receipt)?, request.clone())))
            .collect();
        self.for_each_claim("retrying messages later", claims, messages::retry_later).await
    }

    async fn release(&self, unprocessed: &[ReleaseRequest]) -> Result<(), PortError> {
        let claims = parse_receipts(unprocessed.iter().map(|request| &request.receipt));
        self.for_each_claim("releasing messages", claims, |transaction, claim, ()| {
            messages::release(transaction, claim)
        })
        .await
    }

    async fn extend(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let timeout = to_millis(self.0.visibility_timeout);
        let claims = parse_receipts(receipts.iter());
        self.for_each_claim(
            "extending the visibility timeout of messages",
            claims,
            move |transaction, claim, ()| messages::extend(transaction, claim, timeout),
        )
        .await
    }

    fn visibility_timeout(&self) -> Duration {
        self.0.visibility_timeout
    }

    async fn stats(&self) -> Result<QueueStats, PortError> {
        let (now, max_hidden) = (self.now(), self.max_hidden());
        let count = move |conn: &Connection| messages::counts(conn, now, max_hidden);
        let counts = self.0.readers.run("counting messages", count).await?;
        let messages::Counts { waiting, in_flight, dead, oldest_sent_at } = counts;
        let oldest_age = self.0.oldest_message.age(oldest_sent_at, now);
        Ok(QueueStats { waiting, in_flight, dead, oldest_age })
    }

    /// Does not count: a long import asks often, while many messages wait.
    async fn is_empty(&self) -> Result<bool, PortError> {
        self.0.readers.run("looking for messages", messages::is_empty).await
    }

    fn back_end(&self) -> &'static str {
        BACK_END
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.probe().await
    }
}

impl EmbeddedStore {
    /// Returns true if a receive would find anything. Does not use the writer, so waiting costs little.
    async fn has_visible(&self) -> Result<bool, PortError> {
        let (now, max_hidden) = (self.now(), self.max_hidden());
        let check = move |conn: &Connection| messages::has_visible(conn, now, max_hidden);
        self.0.readers.run("checking for messages", check).await
    }

    /// Returns the longest time for which a message is hidden, in milliseconds.
    fn max_hidden(&self) -> i64 {
        to_millis(self.0.visibility_timeout.max(messages::MAX_DELAY))
    }

    async fn claim(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        const CONTEXT: &str = "receiving messages";
        let timeout = to_millis(self.0.visibility_timeout);
        let max_hidden = self.max_hidden();
        let work =
            move |transaction: &WriteTransaction<'_>| messages::claim(transaction, max, timeout, max_hidden);
        let claimed = self.0.writer.run(CONTEXT, max * messages::ROW_BYTES, work).await?;
        if claimed.len() < MANY_MESSAGES {
            return Ok(claimed.into_iter().map(Claimed::into_delivery).collect());
        }
        tokio::task::spawn_blocking(|| claimed.into_iter().map(Claimed::into_delivery).collect())
            .await
            .map_err(|panic| PortError::new(PortErrorKind::Internal, CONTEXT, panic))
    }

    /// Runs `apply` for each claim with its value, in one transaction.
    async fn for_each_claim<T: Send + 'static>(
        &self,
        context: &'static str,
        claims: Vec<(MessageClaim, T)>,
        apply: impl Fn(&WriteTransaction<'_>, MessageClaim, &T) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), PortError> {
        if claims.is_empty() {
            return Ok(());
        }
        let bytes = claims.len() * messages::ROW_BYTES;
        let work = move |transaction: &WriteTransaction<'_>| {
            claims.iter().try_for_each(|(claim, with)| apply(transaction, *claim, with))
        };
        self.0.writer.run(context, bytes, work).await
    }
}

/// Returns the claims of receipts. A receipt that cannot be parsed counts as expired.
fn parse_receipts<'a>(receipts: impl Iterator<Item = &'a Receipt>) -> Vec<(MessageClaim, ())> {
    receipts.filter_map(MessageClaim::parse).map(|claim| (claim, ())).collect()
}
