//! The dead-letter queue.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::PortError;
use crate::product::{ProductId, Version};

/// The dead-letter queue, for the operator who decides whether to retry or drop its messages.
///
/// In a distributed queue such as SQS a letter that another caller reads at the same moment may be missing from a result,
/// and a call takes a second or more.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Returns the newest dead letters, newest first: at most `limit`, and fewer if they are large. In SQS they are the
    /// newest of the few thousand that SQS returns.
    async fn newest(&self, limit: usize) -> Result<DeadLetterList, PortError>;

    /// Returns the letter for each key, in request order, or `None` if there is no such letter.
    async fn find(&self, keys: &[DeadLetterKey]) -> Result<Vec<Option<DeadLetter>>, PortError>;

    /// Removes letters permanently. Returns, in request order, whether each letter existed.
    async fn remove(&self, keys: &[DeadLetterKey]) -> Result<Vec<bool>, PortError>;
}

/// Identifies a dead letter in its queue for as long as it is there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeadLetterKey(pub String);

/// A list of dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadLetterList {
    /// The letters, newest first.
    pub letters: Vec<DeadLetter>,
    /// True if the queue has more letters than were returned.
    pub more: bool,
}

/// A message that could not be applied after [`MAX_RECEIVES`](super::MAX_RECEIVES) attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The key.
    pub key: DeadLetterKey,
    /// The product; `None` if the message cannot be decoded.
    pub id: Option<ProductId>,
    /// The version that the message was sent for; `None` if the message cannot be decoded.
    pub version: Option<Version>,
    /// The reason why processing failed; `None` if the queue moved the message by itself and recorded no reason.
    pub reason: Option<String>,
    /// The receive count.
    pub receives: u32,
    /// The time when it became a dead letter; `None` if the queue did not record it.
    pub dead_lettered_at: Option<Timestamp>,
    /// The raw message; `None` if the queue stores only a reference to the product.
    pub body: Option<String>,
}
