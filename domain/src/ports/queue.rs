//! The queue between `command` and `sync`.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::error::PortError;
use crate::change::Change;

/// The number of receives after which a message becomes a dead letter.
pub const MAX_RECEIVES: u32 = 5;

/// The number of receives after which a message that comes again is [suspected](Delivery::is_suspect).
const MAX_UNSUSPECTED_RECEIVES: u32 = 3;

/// The queue of changes from `command` to `sync`: at-least-once delivery in any order, with retries and dead letters.
#[async_trait]
pub trait ChangeQueue: Send + Sync {
    /// Enqueues changes and returns the results in request order. Each change with an `Ok` is durable; a failed one does
    /// not affect the others.
    async fn send(&self, envelopes: Vec<Envelope>) -> Vec<Result<(), PortError>>;

    /// Receives up to `max` visible messages. Returns as soon as there is at least one, and an empty list after `wait`.
    ///
    /// A received message is invisible to other receivers for the visibility timeout. Unless it is acknowledged, it then
    /// becomes visible again and its receive count grows by one.
    ///
    /// A message may carry a later change of its product than the change that was sent. Returns fewer messages if one of them is
    /// [suspect](Delivery::is_suspect).
    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, PortError>;

    /// Acks messages: removes them permanently. Expired receipts are ignored.
    async fn acknowledge(&self, receipts: &[Receipt]) -> Result<(), PortError>;

    /// Nacks messages: each becomes visible again after its delay. A message that was received [`MAX_RECEIVES`] times
    /// becomes a dead letter with its reason immediately.
    async fn retry_later(&self, failed: &[RetryRequest]) -> Result<(), PortError>;

    /// Releases unprocessed messages, for example on shutdown; they become visible immediately.
    ///
    /// A queue that counts receives itself does not count this one; SQS does. No message becomes a dead letter by being
    /// released, however often.
    async fn release(&self, unprocessed: &[ReleaseRequest]) -> Result<(), PortError>;

    /// Extends the visibility timeout of messages in progress: they stay invisible for another timeout, starting now.
    async fn extend(&self, receipts: &[Receipt]) -> Result<(), PortError>;

    /// Returns the time for which a received message stays invisible.
    fn visibility_timeout(&self) -> Duration;

    /// Returns the size and age of the queue. Exact for a queue on one machine; a distributed queue such as SQS is
    /// accurate about a minute after the last change.
    async fn stats(&self) -> Result<QueueStats, PortError>;

    /// Returns true if the queue holds no message, neither waiting nor in flight. As exact as [`ChangeQueue::stats`].
    ///
    /// The default counts the messages.
    async fn is_empty(&self) -> Result<bool, PortError> {
        let stats = self.stats().await?;
        Ok(stats.waiting == 0 && stats.in_flight == 0)
    }

    /// Returns the back end's name in the configuration, such as `sqlite`.
    fn back_end(&self) -> &'static str;

    /// Succeeds if messages can be sent and received now.
    async fn ready(&self) -> Result<(), PortError>;

    /// Claims the refill of a queue that its back end lost with all messages and that was created again: every record of the
    /// store must be enqueued once more. Returns the id of the queue, or `None` if it needs no refill or another claimant holds
    /// the claim.
    ///
    /// 1. A claim expires after [`REFILL_LEASE`]. A further call of the same claimant renews it.
    /// 2. Another id than before means that the queue was lost again, and that the refill must start over.
    /// 3. Two claimants may rarely hold a claim at once. That is harmless, because changes may be enqueued twice.
    ///
    /// The default is for a queue that cannot be lost alone.
    async fn claim_refill(&self, _claimant: &str) -> Result<Option<RefillId>, PortError> {
        Ok(None)
    }

    /// Records that the refill of the queue with this id is complete. A queue that was created later still needs one.
    async fn complete_refill(&self, _id: &RefillId) -> Result<(), PortError> {
        Ok(())
    }
}

/// The time after which a claim of a refill expires unless it is renewed.
pub const REFILL_LEASE: Duration = Duration::from_secs(30);

/// Identifies a queue among those that had its name, for its refill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefillId(pub String);

/// A change and its metadata.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The change.
    pub change: Change,
    /// The W3C trace context of the request that made the change.
    pub traceparent: Option<String>,
}

/// Identifies one receive of one message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Receipt(pub String);

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A received message.
#[derive(Debug)]
pub struct Delivery {
    /// The receipt, to acknowledge, extend, retry or release the message.
    pub receipt: Receipt,
    /// The message, or the reason why it cannot be decoded.
    pub envelope: Result<Envelope, String>,
    /// The receive count, including this receive.
    pub receives: u32,
    /// The raw message, if the queue needs it to build the dead letter. Such a queue sets it on the last receive; a retry or
    /// release must pass it back.
    pub body: Option<String>,
}

impl Delivery {
    /// Returns true if the message may end the processes that receive it. It is processed while its receiver holds as few other
    /// messages as possible, because all of them are received once more if the process ends.
    pub fn is_suspect(&self) -> bool {
        self.receives > MAX_UNSUSPECTED_RECEIVES
    }

    /// Builds the request that releases this message unprocessed.
    pub fn release_request(&self) -> ReleaseRequest {
        let Self { receipt, receives, body, .. } = self;
        ReleaseRequest { receipt: receipt.clone(), receives: *receives, body: body.clone() }
    }

    /// Builds the request that retries this message after `delay`.
    pub fn retry_request(&self, reason: impl Into<String>, delay: Duration) -> RetryRequest {
        let Self { receipt, receives, body, .. } = self;
        RetryRequest {
            receipt: receipt.clone(),
            receives: *receives,
            body: body.clone(),
            reason: reason.into(),
            delay,
        }
    }
}

/// A request to deliver a failed message again.
#[derive(Debug, Clone)]
pub struct RetryRequest {
    /// The message.
    pub receipt: Receipt,
    /// [`Delivery::receives`].
    pub receives: u32,
    /// [`Delivery::body`].
    pub body: Option<String>,
    /// The reason why processing failed, for the person who reads the dead letters.
    pub reason: String,
    /// The time for which the message stays invisible.
    pub delay: Duration,
}

/// A request to make an unprocessed message visible again.
#[derive(Debug, Clone)]
pub struct ReleaseRequest {
    /// The message.
    pub receipt: Receipt,
    /// [`Delivery::receives`].
    pub receives: u32,
    /// [`Delivery::body`].
    pub body: Option<String>,
}

/// Size and age of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueStats {
    /// Messages that are visible now or become visible after a delay.
    pub waiting: u64,
    /// Messages that a receiver holds. SQS also counts retried messages whose delay has not passed.
    pub in_flight: u64,
    /// Dead letters.
    pub dead: u64,
    /// Age of the oldest unacknowledged message, excluding dead letters; `None` if there is no such message or the queue,
    /// such as SQS, does not report it.
    pub oldest_age: Option<Duration>,
}
