//! The access store in a small DynamoDB table of its own, which all functions and processes of a catalogue share.
//!
//! The table has a partition key `pk` and a sort key `sk`, both strings, no index, and `expires` as its time-to-live attribute:
//!
//! | item | `pk` | `sk` | other attributes |
//! | --- | --- | --- | --- |
//! | key | `keys` | its id | `record` (JSON) |
//! | counter | `count#`, its name, `#` and the second at which its window ends | `count` | `requests`, `expires` |
//!
//! Every read is strongly consistent. All keys are in one partition, so that a query lists them. It takes 3,000 reads and 1,000
//! writes a second, and look-ups are remembered by [`access::Keyring`] for some seconds. Each window of each counter is a
//! partition of its own: one item takes 1,000 requests a second.
//!
//! A record is changed on condition that it still is what was read, and read again if another process was quicker. A counter is
//! one atomic `ADD` that returns the new value. If the connection breaks before the response, the SDK repeats it, and the request
//! counts twice: a limit is never exceeded by that. DynamoDB removes a counter some time after `expires`, a day after its window.

#![warn(missing_docs)]

mod records;
mod table;

use std::sync::Arc;
use std::time::Duration;

use access::{AccessStore, AccessStoreError, KeyId, KeyRecord};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Builder, Config};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use aws_setup::{Aws, SetupError, port_error, timeouts};
use jiff::Timestamp;

pub use table::OpenError;

/// The time limit of one attempt of a call. Keys are checked before anything else, so that nobody waits for long.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time limit of a call with all its attempts.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// The seconds for which counters are kept after the end of their window.
const KEPT_SECONDS: i64 = 24 * 3600;

pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";
pub(crate) const EXPIRES: &str = "expires";
const REQUESTS: &str = "requests";

/// An access store in DynamoDB. Clones share their connections.
#[derive(Clone)]
pub struct DynamoDbAccess {
    pub(crate) client: Client,
    pub(crate) table: Arc<str>,
    /// The region, for errors.
    pub(crate) region: Arc<str>,
}

impl DynamoDbAccess {
    /// Opens a table with the region and credentials of the environment, without looking at it. Until the server responds, every
    /// call fails.
    ///
    /// # Errors
    /// [`SetupError`], if there is no region or there are no credentials.
    pub async fn load(table: &str) -> Result<Self, SetupError> {
        Ok(Self::unchecked(&Aws::load().await?, table))
    }

    /// Opens a table, and creates it before if `create_if_missing` is true and there is none.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn open(aws: &Aws, table: &str, create_if_missing: bool) -> Result<Self, OpenError> {
        let store = Self::unchecked(aws, table);
        store.check(create_if_missing).await?;
        Ok(store)
    }

    /// Opens a table without looking at it. Until the server responds, every call fails.
    pub fn unchecked(aws: &Aws, table: &str) -> Self {
        let timeouts = timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT);
        let config = Builder::from(aws.config()).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), table: table.into(), region: aws.region().into() }
    }

    /// Checks the table by one read, and creates it before if `create_if_missing` is true and there is none.
    ///
    /// # Errors
    /// [`OpenError`], with a text of one line that says what to do.
    pub async fn check(&self, create_if_missing: bool) -> Result<(), OpenError> {
        match self.read_probe().await {
            Err(OpenError::NoTable { .. }) if create_if_missing => {}
            read => return read,
        }
        self.create_table().await?;
        self.read_probe().await
    }
}

impl std::fmt::Debug for DynamoDbAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynamoDbAccess").field("table", &self.table).finish_non_exhaustive()
    }
}

#[async_trait]
impl AccessStore for DynamoDbAccess {
    async fn key(&self, id: &KeyId) -> Result<Option<KeyRecord>, AccessStoreError> {
        self.read(id, "cannot read a key").await
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, AccessStoreError> {
        self.list().await
    }

    async fn add(&self, record: &KeyRecord) -> Result<bool, AccessStoreError> {
        self.insert(record).await
    }

    async fn revoke(&self, id: &KeyId, now: Timestamp) -> Result<bool, AccessStoreError> {
        let revoke = |record: &mut KeyRecord| {
            record.revoked_at.get_or_insert(now);
        };
        self.change("cannot revoke a key", id, revoke).await
    }

    async fn expire(&self, id: &KeyId, at: Timestamp) -> Result<bool, AccessStoreError> {
        let expire = |record: &mut KeyRecord| {
            record.expires_at = Some(record.expires_at.map_or(at, |before| before.min(at)));
        };
        self.change("cannot let a key expire", id, expire).await
    }

    async fn note_use(&self, id: &KeyId, hour: Timestamp) -> Result<(), AccessStoreError> {
        let note = |record: &mut KeyRecord| record.last_used_at = record.last_used_at.max(Some(hour));
        self.change("cannot record the use of a key", id, note).await?;
        Ok(())
    }

    async fn count(&self, name: &str, window_end: Timestamp) -> Result<u64, AccessStoreError> {
        const COUNTING: &str = "cannot count a request";
        let end = window_end.as_second();
        let number = |value: i64| AttributeValue::N(value.to_string());
        let update = self.client.update_item().table_name(&*self.table);
        let counted = update
            .key(PK, text(format!("count#{name}#{end}")))
            .key(SK, text("count"))
            .update_expression("ADD #requests :one SET #expires = if_not_exists(#expires, :expires)")
            .expression_attribute_names("#requests", REQUESTS)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":expires", number(end.saturating_add(KEPT_SECONDS)))
            .return_values(ReturnValue::UpdatedNew)
            .customize()
            // A second attempt beside a slow one would count twice.
            .config_override(Config::builder().timeout_config(timeouts(OPERATION_TIMEOUT, OPERATION_TIMEOUT)))
            .send()
            .await
            .map_err(|error| AccessStoreError::because(COUNTING, port_error("calling DynamoDB", error)))?;
        let count = counted.attributes.as_ref().and_then(|attributes| attributes.get(REQUESTS));
        count
            .and_then(|count| count.as_n().ok()?.parse().ok())
            .ok_or_else(|| AccessStoreError::new(format!("{COUNTING}: DynamoDB returned no number")))
    }

    async fn ready(&self) -> Result<(), AccessStoreError> {
        let sent = self.probe().send().await;
        sent.map(drop).map_err(|error| {
            AccessStoreError::because("cannot read the keys", port_error("calling DynamoDB", error))
        })
    }
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}
