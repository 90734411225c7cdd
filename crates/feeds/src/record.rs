//! A product as a file has it.

use std::sync::Arc;

use bytes::Bytes;
use domain::Fault;

use crate::covered::Covered;
use crate::identity::IdOrigin;

/// Size limit of a line or row in bytes: five times the largest product.
pub(crate) const MAX_LINE_BYTES: usize = 1024 * 1024;

/// A product as a file has it, neither mapped nor validated.
#[derive(Debug)]
pub struct FeedRecord {
    /// Line of the file at which the record begins, from 1.
    pub line: u64,
    /// The record as the file has it, for the rejects file.
    pub original: Original,
    /// The record as a JSON object, or `None` if `original` is that already; the faults if it cannot become one.
    pub(crate) json: Result<Option<Vec<u8>>, Rejected>,
    /// The fields that the record has, of which those without a value are cleared; `None` if the JSON says so itself.
    pub(crate) covered: Option<Arc<Covered>>,
}

/// A record that is not sent to the catalogue.
#[derive(Debug)]
pub struct Rejected {
    /// The id, if it can be read: that of the record itself, or the one derived from its sku or article number.
    pub id: Option<String>,
    /// The sku, if it can be read.
    pub sku: Option<String>,
    /// The origin of the id.
    pub origin: IdOrigin,
    /// The reasons.
    pub faults: Vec<Fault>,
}

impl From<Vec<Fault>> for Rejected {
    fn from(faults: Vec<Fault>) -> Self {
        Self { id: None, sku: None, origin: IdOrigin::default(), faults }
    }
}

impl From<Fault> for Rejected {
    fn from(fault: Fault) -> Self {
        vec![fault].into()
    }
}

/// The form of a record in its file.
#[derive(Debug)]
pub enum Original {
    /// The text of a JSON record, shared by the products of its variants.
    Text(Bytes),
    /// The cells of a CSV row.
    Row(csv::ByteRecord),
}

impl FeedRecord {
    /// Returns the JSON of the record. NDJSON is returned as it was read and may be invalid.
    ///
    /// # Errors
    /// The faults of a record that cannot become JSON, such as a row with a wrong number of cells.
    pub fn json(&self) -> Result<&[u8], &Rejected> {
        match (&self.json, &self.original) {
            (Ok(Some(json)), _) => Ok(json),
            (Ok(None), Original::Text(text)) => Ok(text),
            (Ok(None), Original::Row(_)) => Ok(b""),
            (Err(rejected), _) => Err(rejected),
        }
    }
}
