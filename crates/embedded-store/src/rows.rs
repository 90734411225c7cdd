//! Values in the rows of the file: versions, times, and the row of a product.

use std::sync::Arc;

use domain::{Action, Change, Product, ProductId, Tombstone, Version};
use jiff::Timestamp;
use rusqlite::Row;

use crate::error::unreadable;

/// The approximate size of a row without its JSON, in bytes.
pub(crate) const ROW_BYTES: usize = 200;

/// Converts a version to the signed integers of SQLite, which keep all 64 bits.
pub(crate) fn version_to_sql(version: Version) -> i64 {
    version.0.cast_signed()
}

/// Converts the result of [`version_to_sql`] back.
pub(crate) fn version_from_sql(version: i64) -> Version {
    Version(version.cast_unsigned())
}

/// Reads a time in milliseconds since 1970.
pub(crate) fn timestamp(milliseconds: i64) -> Result<Timestamp, jiff::Error> {
    Timestamp::from_millisecond(milliseconds)
}

/// Reads the JSON of a product.
pub(crate) fn read_product(json: &str) -> rusqlite::Result<Arc<Product>> {
    serde_json::from_str(json).map(Arc::new).map_err(unreadable)
}

/// The row of a product, from which the change in a message is built.
#[derive(Debug)]
pub(crate) struct StoredProduct {
    version: Version,
    deleted_at: Option<i64>,
    json: Option<String>,
    action: String,
}

impl StoredProduct {
    /// Reads the first four columns, `version, deleted_at, json, action`; `None` if the join found no product.
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let Some(version) = row.get::<_, Option<i64>>(0)? else { return Ok(None) };
        Ok(Some(Self {
            version: version_from_sql(version),
            deleted_at: row.get(1)?,
            json: row.get(2)?,
            action: row.get(3)?,
        }))
    }

    /// Returns the approximate size.
    pub(crate) fn bytes(&self) -> usize {
        self.json.as_ref().map_or(0, String::len) + ROW_BYTES
    }

    /// Returns the change that produced the row of product `id`, or the reason why it cannot be read.
    pub(crate) fn change(&self, id: &str) -> Result<Change, String> {
        let Some(json) = &self.json else {
            let deleted_at =
                self.deleted_at.ok_or("neither a product nor the time of its delete is stored")?;
            let deleted_at = timestamp(deleted_at).map_err(|error| error.to_string())?;
            return Ok(Change::Delete(Tombstone {
                id: ProductId::parse(id)?,
                version: self.version,
                deleted_at,
            }));
        };
        let product = serde_json::from_str(json)
            .map(Arc::new)
            .map_err(|error| format!("the stored product cannot be read: {error}"))?;
        match self.action == Action::Create.as_str() {
            true => Ok(Change::Create(product)),
            false => Ok(Change::Update(product)),
        }
    }
}
