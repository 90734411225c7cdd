//! The items of the table: keys, attributes, and reading and writing them.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
pub(crate) use aws_setup::dynamodb_table::{EXPIRES, PK, SK};
use domain::hash::fnv1a_32;
use domain::ports::{PortError, PortErrorKind};
use domain::{Action, Change, Product, ProductId, Record, Tombstone, Version};
use jiff::Timestamp;

/// An item of the table, or its key.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) const VERSION: &str = "version";
pub(crate) const SKU: &str = "sku";
/// The JSON of a product; in the item of a sku, the id of its owner.
pub(crate) const PRODUCT: &str = "product";
/// The response in an idempotency record, as JSON.
pub(crate) const RESPONSE: &str = "answer";
pub(crate) const FINGERPRINT: &str = "fingerprint";
pub(crate) const TRACEPARENT: &str = "traceparent";
pub(crate) const AT: &str = "at";
const ACTION: &str = "action";
const DELETED_AT: &str = "deletedAt";

/// The number of partition keys that products are spread over. Each takes at least 1,000 write units a second, and each is
/// listed separately, in the order of ids. Changing the number means moving every product.
pub(crate) const PRODUCT_SHARDS: u8 = 64;

// -------------------------------------------------------------------------------------------------- keys

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

pub(crate) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(sk))])
}

/// Returns the shard of an id, out of `shards`. It is the same in every version of Noren, because items are stored by it.
pub(crate) fn shard_of(id: &ProductId, shards: u8) -> u8 {
    // A remainder is smaller than its divisor.
    (fnv1a_32(id.as_str().as_bytes()) % u32::from(shards)) as u8
}

pub(crate) fn product_partition(shard: u8) -> String {
    format!("P#{shard:02x}")
}

pub(crate) fn product_key(id: &ProductId) -> Item {
    key(product_partition(shard_of(id, PRODUCT_SHARDS)), id.as_str())
}

pub(crate) fn sku_key(sku: &str) -> Item {
    key(format!("S#{sku}"), "S")
}

pub(crate) fn idempotency_key(client_key: &str) -> Item {
    key(format!("A#{client_key}"), "A")
}

pub(crate) fn probe_key() -> Item {
    key("H", "H")
}

// ----------------------------------------------------------------------------------------------- products

/// Builds the item of a product or tombstone after a change; `json` is the product, `None` for a tombstone.
pub(crate) fn product_item(change: &Change, json: Option<String>) -> Item {
    let mut item = product_key(change.id());
    item.insert(VERSION.to_owned(), number(change.version().0));
    item.insert(ACTION.to_owned(), text(change.action().as_str()));
    match json {
        Some(json) => item.insert(PRODUCT.to_owned(), text(json)),
        None => item.insert(DELETED_AT.to_owned(), number(change.at().as_millisecond())),
    };
    if let Some(sku) = sku_of(change) {
        item.insert(SKU.to_owned(), text(sku));
    }
    item
}

/// Returns the sku that a product has after a change.
pub(crate) fn sku_of(change: &Change) -> Option<&str> {
    change.product().and_then(|product| product.content.sku.as_deref())
}

/// Reads the change that produced the item of a product or tombstone.
pub(crate) fn change_of(item: &Item) -> Result<Change, PortError> {
    match read_record(item)? {
        Record::Live(product) if read_text(item, ACTION)? == Action::Create.as_str() => {
            Ok(Change::Create(product))
        }
        record => Ok(Change::to(record)),
    }
}

/// Reads the item of a product or tombstone.
pub(crate) fn read_record(item: &Item) -> Result<Record, PortError> {
    if let Some(product) = read_product(item)? {
        return Ok(Record::Live(Arc::new(product)));
    }
    let milliseconds: i64 = read_number(item, DELETED_AT)?;
    let deleted_at = Timestamp::from_millisecond(milliseconds).map_err(|error| damaged(DELETED_AT, error))?;
    Ok(Record::Deleted(Tombstone { id: read_id(item, SK)?, version: read_version(item)?, deleted_at }))
}

/// Reads the product in an item; `None` for a tombstone.
pub(crate) fn read_product(item: &Item) -> Result<Option<Product>, PortError> {
    if !item.contains_key(PRODUCT) {
        return Ok(None);
    }
    let json = read_text(item, PRODUCT)?;
    serde_json::from_str(json).map(Some).map_err(|error| damaged(PRODUCT, error))
}

pub(crate) fn read_version(item: &Item) -> Result<Version, PortError> {
    read_number(item, VERSION).map(Version)
}

pub(crate) fn read_id(item: &Item, name: &str) -> Result<ProductId, PortError> {
    ProductId::parse(read_text(item, name)?).map_err(|error| damaged(name, error))
}

pub(crate) fn read_text<'a>(item: &'a Item, name: &str) -> Result<&'a str, PortError> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or_else(|| damaged(name, "it is missing or not a string"))
}

pub(crate) fn read_number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, PortError> {
    let value = item.get(name).and_then(|value| value.as_n().ok());
    let number = value.and_then(|value| value.parse().ok());
    number.ok_or_else(|| damaged(name, "it is missing or not a valid number"))
}

/// Returns the error for an attribute that Noren did not write this way.
pub(crate) fn damaged(name: &str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::new(PortErrorKind::Internal, format!("reading attribute `{name}` of a DynamoDB item"), cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shard_of_an_id_never_changes() {
        let shard = |id: &str| shard_of(&ProductId::parse(id).unwrap(), PRODUCT_SHARDS);
        // Products are stored under these shards: another result would lose them.
        assert_eq!([shard("a"), shard("teapot-1"), shard("~")], [0, 46, 45]);
    }

    /// Tables of users hold items like these. A later version may add attributes, and must read items without them.
    #[test]
    fn items_of_every_earlier_shape_are_read() {
        let item = |attributes: &[(&str, AttributeValue)]| -> Item {
            let mut item = product_key(&ProductId::parse("teapot-1").unwrap());
            item.extend(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            item
        };
        let json = r#"{"id":"teapot-1","version":3,"createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-03T03:04:05Z","name":"Teapot","sku":"T1","price":45.00,"currency":"USD","status":"active"}"#;
        let product = item(&[
            ("version", number(3)),
            ("action", text("UPDATE")),
            ("product", text(json)),
            ("sku", text("T1")),
            ("anAttributeOfALaterVersion", text("is ignored")),
        ]);
        let Record::Live(product) = read_record(&product).unwrap() else {
            panic!("the record is not a product")
        };
        assert_eq!((product.version, &*product.content.name), (Version(3), "Teapot"));
        assert!(product.content.tags.is_empty() && product.content.images.is_empty());
        let tombstone = item(&[
            ("version", number(4)),
            ("action", text("DELETE")),
            ("deletedAt", number(1_767_323_045_000_i64)),
        ]);
        let Record::Deleted(tombstone) = read_record(&tombstone).unwrap() else {
            panic!("the record is not a tombstone")
        };
        assert_eq!((tombstone.id.as_str(), tombstone.version), ("teapot-1", Version(4)));
    }

    #[test]
    fn consecutive_ids_are_spread() {
        let mut counts = [0; PRODUCT_SHARDS as usize];
        for i in 0..64_000 {
            let id = ProductId::parse(&format!("product-{i}")).unwrap();
            counts[usize::from(shard_of(&id, PRODUCT_SHARDS))] += 1;
        }
        assert!(counts.iter().all(|count| (700..1300).contains(count)), "{counts:?}");
    }
}
