//! The store: its client, its table and its clock.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_setup::Aws;
use jiff::Timestamp;

/// A function that returns the current time. The timestamps in the table come from it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A product store in DynamoDB. Clones share their connections.
#[derive(Clone)]
pub struct DynamoStore {
    pub(crate) client: Client,
    pub(crate) table: Arc<str>,
    clock: Clock,
}

impl DynamoStore {
    pub(crate) fn new(aws: &Aws, table: &str) -> Self {
        Self { client: Client::new(aws.config()), table: table.into(), clock: Arc::new(Timestamp::now) }
    }

    /// Returns the same store with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Returns the time in seconds since 1970.
    pub(crate) fn now_seconds(&self) -> i64 {
        (self.clock)().as_second()
    }

    /// Returns the time in microseconds since 1970.
    pub(crate) fn now_us(&self) -> i64 {
        (self.clock)().as_microsecond()
    }
}
