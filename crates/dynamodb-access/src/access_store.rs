//! The port of the access store.

use access::{AccessStore, AccessStoreError, COUNTER_RETENTION_SECONDS, KeyId, KeyRecord};
use async_trait::async_trait;
use aws_sdk_dynamodb::config::Config;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use aws_setup::dynamodb_table::{EXPIRES, PK, SK};
use aws_setup::timeouts;
use jiff::Timestamp;

use crate::store::{DynamoDbAccess, OPERATION_TIMEOUT, call_failed, text};

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
        self.change("cannot revoke a key", id, |record| record.revoke(now)).await
    }

    async fn expire(&self, id: &KeyId, at: Timestamp) -> Result<bool, AccessStoreError> {
        self.change("cannot let a key expire", id, |record| record.expire(at)).await
    }

    async fn remove(&self, id: &KeyId) -> Result<bool, AccessStoreError> {
        self.delete(id).await
    }

    async fn note_use(&self, id: &KeyId, hour: Timestamp) -> Result<(), AccessStoreError> {
        self.change("cannot record the use of a key", id, |record| record.note_use(hour)).await?;
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
            .expression_attribute_values(":expires", number(end.saturating_add(COUNTER_RETENTION_SECONDS)))
            .return_values(ReturnValue::UpdatedNew)
            .customize()
            // One attempt has the whole time: repeating a slow attempt would count the request twice.
            .config_override(Config::builder().timeout_config(timeouts(OPERATION_TIMEOUT, OPERATION_TIMEOUT)))
            .send()
            .await
            .map_err(|error| call_failed(COUNTING, error))?;
        let count = counted.attributes.as_ref().and_then(|attributes| attributes.get(REQUESTS));
        count
            .and_then(|count| count.as_n().ok()?.parse().ok())
            .ok_or_else(|| AccessStoreError::new(format!("{COUNTING}: DynamoDB returned no number")))
    }

    async fn ready(&self) -> Result<(), AccessStoreError> {
        let sent = self.probe().send().await;
        sent.map(drop).map_err(|error| call_failed("cannot read the keys", error))
    }
}
