//! The store, and the names in its table.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_setup::{Aws, timeouts};

/// The time limit of one attempt of a call. Keys are checked before anything else, so that nobody waits for long.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time limit of a call with all its attempts.
pub(crate) const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";
pub(crate) const EXPIRES: &str = "expires";
/// The partition of all keys.
pub(crate) const KEYS: &str = "keys";

/// An access store in DynamoDB. Clones share their connections.
#[derive(Clone)]
pub struct DynamoDbAccess {
    pub(crate) client: Client,
    pub(crate) table: Arc<str>,
    /// The region, for errors.
    pub(crate) region: Arc<str>,
}

impl DynamoDbAccess {
    /// Opens a table without looking at it. Until the server responds, every call fails.
    pub fn unchecked(aws: &Aws, table: &str) -> Self {
        let timeouts = timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT);
        let config = Builder::from(aws.config()).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), table: table.into(), region: aws.region().into() }
    }
}

impl std::fmt::Debug for DynamoDbAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynamoDbAccess").field("table", &self.table).finish_non_exhaustive()
    }
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}
