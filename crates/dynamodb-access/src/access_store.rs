//! The port of the access store.

use access::{AccessStore, AccessStoreError, KeyId, KeyRecord};
use async_trait::async_trait;
use aws_sdk_dynamodb::config::Config;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use aws_setup::{port_error, timeouts};
use jiff::Timestamp;

use crate::store::{DynamoDbAccess, EXPIRES, OPERATION_TIMEOUT, PK, SK, text};

/// The seconds for which counters are kept after the end of their window.
const KEPT_SECONDS: i64 = 24 * 3600;
const REQUESTS: &str = "requests";

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
