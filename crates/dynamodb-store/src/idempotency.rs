//! Idempotency records: the responses to writes, under the clients' keys.
//!
//! DynamoDB removes an expired item within days. Until then it is read as absent, because `expires` has passed.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_setup::{backoff, port_error};
use backon::Retryable as _;
use domain::ports::{IdempotencyRecord, PortError, PortErrorKind, WriteError};

use crate::items::{
    EXPIRES, FINGERPRINT, Item, PK, RESPONSE, damaged, idempotency_key, number, read_number, read_text, text,
};
use crate::store::DynamoStore;

/// The retention of a record, in seconds: 24 hours, plus one hour because clocks differ.
const RETENTION_SECONDS: i64 = 25 * 60 * 60;
/// The condition that a key is free: it was never used, or its record has expired.
pub(crate) const KEY_IS_FREE: &str = "attribute_not_exists(#pk) OR #expires <= :now";
pub(crate) const KEY_IS_FREE_NAMES: [(&str, &str); 2] = [("#pk", PK), ("#expires", EXPIRES)];

/// Builds the item of a record that is written at `now`, in seconds since 1970.
pub(crate) fn idempotency_item(record: &IdempotencyRecord, now: i64) -> Result<Item, PortError> {
    let response = serde_json::to_string(&record.response)
        .map_err(|error| PortError::new(PortErrorKind::Internal, "writing a response as JSON", error))?;
    let mut item = idempotency_key(&record.key);
    item.insert(RESPONSE.to_owned(), text(response));
    item.insert(FINGERPRINT.to_owned(), AttributeValue::B(Blob::new(record.fingerprint)));
    item.insert(EXPIRES.to_owned(), number(now.saturating_add(RETENTION_SECONDS)));
    Ok(item)
}

impl DynamoStore {
    /// Writes a record.
    ///
    /// # Errors
    /// [`WriteError::DuplicateKey`] if its key is not free.
    pub(crate) async fn put_idempotency_record(&self, record: &IdempotencyRecord) -> Result<(), WriteError> {
        let now = self.now_seconds();
        let mut put = self.client.put_item().table_name(&*self.table);
        put = put.set_item(Some(idempotency_item(record, now)?)).condition_expression(KEY_IS_FREE);
        for (name, attribute) in KEY_IS_FREE_NAMES {
            put = put.expression_attribute_names(name, attribute);
        }
        put = put.expression_attribute_values(":now", number(now));
        let sending = (|| put.clone().send()).retry(backoff());
        // A conflict means that a write with the same key is in progress.
        let result = sending.when(|error| error.code() == Some("TransactionConflictException")).await;
        match result {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
                Err(WriteError::DuplicateKey)
            }
            Err(error) => Err(port_error("recording an idempotency key", error).into()),
        }
    }

    /// Returns the record of a key, unless it has expired.
    pub(crate) async fn find_idempotency_record(
        &self,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>, PortError> {
        const CONTEXT: &str = "reading an idempotency record";
        let Some(item) = self.get_item(idempotency_key(key), CONTEXT).await? else { return Ok(None) };
        let expires: i64 = read_number(&item, EXPIRES)?;
        if expires <= self.now_seconds() {
            return Ok(None);
        }
        let fingerprint = item.get(FINGERPRINT).and_then(|value| value.as_b().ok());
        let fingerprint = fingerprint.and_then(|bytes| bytes.as_ref().try_into().ok());
        let fingerprint =
            fingerprint.ok_or_else(|| damaged(FINGERPRINT, "it is missing or not 32 bytes long"))?;
        let response =
            serde_json::from_str(read_text(&item, RESPONSE)?).map_err(|error| damaged(RESPONSE, error))?;
        Ok(Some(IdempotencyRecord { key: key.to_owned(), fingerprint, response }))
    }
}
