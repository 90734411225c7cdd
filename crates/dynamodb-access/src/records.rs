//! Reading and changing the records of keys.

use std::collections::HashMap;
use std::error::Error;

use access::{AccessStoreError, KeyId, KeyRecord};
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use aws_setup::backoff;
use aws_setup::dynamodb_table::{PK, SK};

use crate::store::{DynamoDbAccess, KEYS, call_failed, text};

const RECORD: &str = "record";
const CONDITION_FAILED: &str = "ConditionalCheckFailedException";

type Item = HashMap<String, AttributeValue>;

impl DynamoDbAccess {
    /// Returns a key.
    pub(crate) async fn read(
        &self,
        id: &KeyId,
        context: &'static str,
    ) -> Result<Option<KeyRecord>, AccessStoreError> {
        let json = self.read_json(id, context).await?;
        json.map(|json| parse(&json, context)).transpose()
    }

    /// Returns all keys in the order of their ids.
    pub(crate) async fn list(&self) -> Result<Vec<KeyRecord>, AccessStoreError> {
        const LISTING: &str = "cannot list the keys";
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("#pk = :keys")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":keys", text(KEYS));
        let mut pages = query.into_paginator().items().send();
        let mut records = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| call_failed(LISTING, error))?;
            records.push(parse(&json_of(&item, LISTING)?, LISTING)?);
        }
        Ok(records)
    }

    /// Adds a key. Returns false if the id is taken.
    pub(crate) async fn insert(&self, record: &KeyRecord) -> Result<bool, AccessStoreError> {
        const ADDING: &str = "cannot add a key";
        let mut item = key(&record.id);
        item.insert(RECORD.to_owned(), text(write(record, ADDING)?));
        let put = self.client.put_item().table_name(&*self.table).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", PK);
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some(CONDITION_FAILED) => Ok(false),
            Err(error) => Err(call_failed(ADDING, error)),
        }
    }

    /// Removes a key. Returns false if the key does not exist.
    pub(crate) async fn delete(&self, id: &KeyId) -> Result<bool, AccessStoreError> {
        let delete = self.client.delete_item().table_name(&*self.table).set_key(Some(key(id)));
        let deleted = delete.return_values(ReturnValue::AllOld).send().await;
        let deleted = deleted.map_err(|error| call_failed("cannot remove a key", error))?;
        Ok(deleted.attributes.is_some())
    }

    /// Changes the record of a key, and reads it again if another process changed it meanwhile. A change without an effect is not
    /// written. Returns false if the key does not exist.
    pub(crate) async fn change(
        &self,
        context: &'static str,
        id: &KeyId,
        change: impl Fn(&mut KeyRecord),
    ) -> Result<bool, AccessStoreError> {
        for pause in backoff() {
            let Some(before) = self.read_json(id, context).await? else { return Ok(false) };
            let old = parse(&before, context)?;
            let mut record = old.clone();
            change(&mut record);
            if record == old || self.replace(id, before, write(&record, context)?, context).await? {
                return Ok(true);
            }
            tokio::time::sleep(pause).await;
        }
        Err(AccessStoreError::new(format!("{context}: other processes keep changing it")))
    }

    /// Replaces a record. Returns false, and changes nothing, if it is no longer `before`.
    async fn replace(
        &self,
        id: &KeyId,
        before: String,
        after: String,
        context: &'static str,
    ) -> Result<bool, AccessStoreError> {
        let update = self.client.update_item().table_name(&*self.table).set_key(Some(key(id)));
        let update = update
            .update_expression("SET #record = :after")
            .condition_expression("#record = :before")
            .expression_attribute_names("#record", RECORD)
            .expression_attribute_values(":before", text(before))
            .expression_attribute_values(":after", text(after));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some(CONDITION_FAILED) => Ok(false),
            Err(error) => Err(call_failed(context, error)),
        }
    }

    async fn read_json(&self, id: &KeyId, context: &'static str) -> Result<Option<String>, AccessStoreError> {
        let get = self.client.get_item().table_name(&*self.table).set_key(Some(key(id)));
        let got = get.consistent_read(true).send().await;
        let got = got.map_err(|error| call_failed(context, error))?;
        got.item.map(|item| json_of(&item, context)).transpose()
    }
}

fn key(id: &KeyId) -> Item {
    HashMap::from([(PK.to_owned(), text(KEYS)), (SK.to_owned(), text(id.to_string()))])
}

fn json_of(item: &Item, context: &str) -> Result<String, AccessStoreError> {
    let json = item.get(RECORD).and_then(|record| record.as_s().ok());
    json.cloned()
        .ok_or_else(|| AccessStoreError::new(format!("{context}: an item in the table has no record")))
}

fn parse(json: &str, context: &str) -> Result<KeyRecord, AccessStoreError> {
    serde_json::from_str(json).map_err(|error| unreadable(context, error))
}

fn write(record: &KeyRecord, context: &str) -> Result<String, AccessStoreError> {
    serde_json::to_string(record).map_err(|error| unreadable(context, error))
}

fn unreadable(context: &str, error: impl Error + Send + Sync + 'static) -> AccessStoreError {
    AccessStoreError::because(format!("{context}: its record cannot be read or written"), error)
}
