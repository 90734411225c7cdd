//! The options of a store.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// A function that returns the current time. Messages, outbox entries and idempotency records are dated by it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The options of a store.
#[derive(Clone)]
pub struct Options {
    /// The time for which a received message is invisible to other receivers.
    pub visibility_timeout: Duration,
    /// The way in which a write records that its change must be synced.
    pub outbox: Outbox,
    /// The clock.
    pub clock: Clock,
}

impl Default for Options {
    /// Returns a visibility timeout of 10 s, the queue in the same file, and the system clock.
    fn default() -> Self {
        Self {
            visibility_timeout: Duration::from_secs(10),
            outbox: Outbox::Enqueue,
            clock: Arc::new(Timestamp::now),
        }
    }
}

/// The way in which a write records that its change must be synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outbox {
    /// The queue is the same file: the write enqueues its change itself and returns no outbox entry.
    Enqueue,
    /// The queue is elsewhere: the write adds an outbox entry, which the caller removes after enqueuing.
    AddEntry,
}
