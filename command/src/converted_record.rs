//! A line of a file that was converted to NDJSON.

use std::borrow::Cow;

use domain::Fault;
use feeds::IdOrigin;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A product or its faults, with its line in the uploaded file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ConvertedRecord<'a> {
    /// Line of the file at which the record begins.
    pub(crate) line: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) product: Option<&'a RawValue>,
    /// The id of a product with faults, if it can be read.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Cow<'a, str>>,
    /// The sku of a product with faults, if it can be read.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) sku: Option<Cow<'a, str>>,
    /// The origin of the id.
    #[serde(default, skip_serializing_if = "IdOrigin::is_given")]
    pub(crate) origin: IdOrigin,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) faults: Vec<Fault>,
}

impl<'a> ConvertedRecord<'a> {
    /// Parses a line.
    ///
    /// # Errors
    /// Fails if the line is not a converted record.
    pub(crate) fn parse(line: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(line)
    }
}
