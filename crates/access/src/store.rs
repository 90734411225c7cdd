//! The port of the access store: API keys and counters of requests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{KeyId, KeyRecord};

/// The seconds for which an access store keeps a counter after the end of its window: a day.
pub const COUNTER_RETENTION_SECONDS: i64 = 24 * 3600;

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

    /// Formats the error and its causes as one line, for a log.
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

/// Stores API keys and counts requests, for all processes of a catalogue. It is separate from the product store, so `query` and
/// `sync` can use it without access to products.
///
/// Every call is strongly consistent: it observes every write that any process finished before the call.
#[async_trait]
pub trait AccessStore: Send + Sync + 'static {
    /// Returns a key, even if it is expired or revoked, or `None` if it does not exist.
    async fn key(&self, id: &KeyId) -> Result<Option<KeyRecord>, AccessStoreError>;

    /// Returns all keys in the order of their ids.
    async fn keys(&self) -> Result<Vec<KeyRecord>, AccessStoreError>;

    /// Adds a key. Returns false, and changes nothing, if the id is taken.
    async fn add(&self, record: &KeyRecord) -> Result<bool, AccessStoreError>;

    /// Revokes a key from `now` on. A key that is revoked already keeps the time of its revocation. Returns false if the key does
    /// not exist.
    async fn revoke(&self, id: &KeyId, now: Timestamp) -> Result<bool, AccessStoreError>;

    /// Lets a key expire at `at`, unless it expires before. Returns false if the key does not exist.
    async fn expire(&self, id: &KeyId, at: Timestamp) -> Result<bool, AccessStoreError>;

    /// Removes a key. Returns false if the key does not exist.
    async fn remove(&self, id: &KeyId) -> Result<bool, AccessStoreError>;

    /// Records the hour in which a key was used. Does nothing if the key does not exist or a later hour is recorded.
    async fn note_use(&self, id: &KeyId, hour: Timestamp) -> Result<(), AccessStoreError>;

    /// Atomically increments the counter `name` of the window that ends at `window_end` and returns its new value: 1 for the first
    /// request of the window. A counter may be removed [`COUNTER_RETENTION_SECONDS`] after the end of its window.
    async fn count(&self, name: &str, window_end: Timestamp) -> Result<u64, AccessStoreError>;

    /// Checks that the store responds.
    async fn ready(&self) -> Result<(), AccessStoreError>;
}

/// Awaits a call to the store, for at most `timeout`.
pub(crate) async fn within<T>(
    timeout: Duration,
    call: impl Future<Output = Result<T, AccessStoreError>>,
) -> Result<T, AccessStoreError> {
    match tokio::time::timeout(timeout, call).await {
        Ok(outcome) => outcome,
        Err(elapsed) => Err(AccessStoreError::because("the access store does not respond", elapsed)),
    }
}
