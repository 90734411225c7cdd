//! The port of the access store: API keys and counters of requests.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{KeyId, KeyRecord};

/// An error of an access store, with its cause.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct AccessStoreError {
    message: String,
    #[source]
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl AccessStoreError {
    /// Creates an error from its cause. The message is logged, not shown to clients.
    pub fn because(
        message: impl Into<String>,
        cause: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self { message: message.into(), source: Some(Arc::new(cause)) }
    }

    /// Returns the message with those of its causes, for a log.
    pub fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    /// Creates an error without a cause.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }
}

/// Keeps API keys and counts requests, for all processes of a catalogue. It is apart from the product store, so that `query` and
/// `sync` can use it and still cannot reach products.
///
/// Every call is strongly consistent: it sees what any process wrote before.
#[async_trait]
pub trait AccessStore: Send + Sync + 'static {
    /// Returns a key, also one that is expired or revoked.
    async fn key(&self, id: &KeyId) -> Result<Option<KeyRecord>, AccessStoreError>;

    /// Returns all keys in the order of their ids.
    async fn keys(&self) -> Result<Vec<KeyRecord>, AccessStoreError>;

    /// Adds a key. Returns false, and changes nothing, if there is one with this id.
    async fn add(&self, record: &KeyRecord) -> Result<bool, AccessStoreError>;

    /// Revokes a key from `now` on. A key that is revoked already keeps its time. Returns false if there is no such key.
    async fn revoke(&self, id: &KeyId, now: Timestamp) -> Result<bool, AccessStoreError>;

    /// Lets a key expire at `at`, unless it expires before. Returns false if there is no such key.
    async fn expire(&self, id: &KeyId, at: Timestamp) -> Result<bool, AccessStoreError>;

    /// Records the hour in which a key was used. Does nothing if there is no such key, or if a later hour is recorded.
    async fn note_use(&self, id: &KeyId, hour: Timestamp) -> Result<(), AccessStoreError>;

    /// Increments the counter `name` of the window that ends at `window_end`, in one atomic step, and returns its new value: 1 for
    /// the first request of the window. Counters of windows that have ended a day ago may be forgotten.
    async fn count(&self, name: &str, window_end: Timestamp) -> Result<u64, AccessStoreError>;

    /// Checks that the store responds.
    async fn ready(&self) -> Result<(), AccessStoreError>;
}
