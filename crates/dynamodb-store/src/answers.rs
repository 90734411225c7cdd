//! Answers remembered under idempotency keys.
//!
//! The time to live removes an expired answer within days; until then `expires` is what counts.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_setup::{Backoff, port_error};
use domain::ports::{IdempotencyRecord, PortError, PortErrorKind, WriteError};

use crate::DynamoStore;
use crate::items::{
    ANSWER, EXPIRES, FINGERPRINT, Item, PK, answer_key, damaged, number, read_number, read_text, text,
};

/// How long an answer is kept, in seconds: 24 hours, and one more for clocks that differ.
const KEPT_SECONDS: i64 = 25 * 60 * 60;
/// Holds for a key that is free: never used, or used so long ago that its answer is forgotten.
pub(crate) const KEY_IS_FREE: &str = "attribute_not_exists(#pk) OR #expires <= :now";
pub(crate) const KEY_IS_FREE_NAMES: [(&str, &str); 2] = [("#pk", PK), ("#expires", EXPIRES)];

/// The item that remembers an answer given at `now`, in seconds since 1970.
pub(crate) fn answer_item(answered: &IdempotencyRecord, now: i64) -> Result<Item, PortError> {
    let answer = serde_json::to_string(&answered.response)
        .map_err(|error| PortError::new(PortErrorKind::Internal, "writing an answer as JSON", error))?;
    let mut item = answer_key(&answered.key);
    item.insert(ANSWER.to_owned(), text(answer));
    item.insert(FINGERPRINT.to_owned(), AttributeValue::B(Blob::new(answered.fingerprint)));
    item.insert(EXPIRES.to_owned(), number(now.saturating_add(KEPT_SECONDS)));
    Ok(item)
}

impl DynamoStore {
    /// The time in seconds since 1970.
    pub(crate) fn now_seconds(&self) -> i64 {
        (self.clock)().as_second()
    }

    pub(crate) async fn remember_answer(&self, answered: &IdempotencyRecord) -> Result<(), WriteError> {
        let now = self.now_seconds();
        let mut put = self.client.put_item().table_name(&*self.table);
        put = put.set_item(Some(answer_item(answered, now)?)).condition_expression(KEY_IS_FREE);
        for (name, attribute) in KEY_IS_FREE_NAMES {
            put = put.expression_attribute_names(name, attribute);
        }
        put = put.expression_attribute_values(":now", number(now));
        let mut backoff = Backoff::default();
        loop {
            let Err(error) = put.clone().send().await else { return Ok(()) };
            match error.code() {
                Some("ConditionalCheckFailedException") => return Err(WriteError::DuplicateKey),
                // A write with the same key is under way.
                Some("TransactionConflictException") if backoff.pause().await => {}
                _ => return Err(port_error("remembering an answer", error).into()),
            }
        }
    }

    pub(crate) async fn find_answer(&self, key: &str) -> Result<Option<IdempotencyRecord>, PortError> {
        let Some(item) = self.get_item(answer_key(key), "reading an answer").await? else { return Ok(None) };
        let expires: i64 = read_number(&item, EXPIRES)?;
        if expires <= self.now_seconds() {
            return Ok(None);
        }
        let fingerprint = item.get(FINGERPRINT).and_then(|value| value.as_b().ok());
        let fingerprint = fingerprint.and_then(|bytes| bytes.as_ref().try_into().ok());
        let answer =
            serde_json::from_str(read_text(&item, ANSWER)?).map_err(|error| damaged(ANSWER, error))?;
        Ok(Some(IdempotencyRecord {
            key: key.to_owned(),
            fingerprint: fingerprint
                .ok_or_else(|| damaged(FINGERPRINT, "it is missing or not 32 bytes long"))?,
            response: answer,
        }))
    }
}
