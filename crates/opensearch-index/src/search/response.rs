//! Responses of OpenSearch to searches.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::Product;
use domain::ports::{PortError, PortErrorKind};
use serde::Deserialize;
use serde_json::Value;

/// The response to a search.
#[derive(Deserialize)]
pub(super) struct SearchResponse {
    pub(super) timed_out: bool,
    pub(super) hits: Hits,
    #[serde(default)]
    pub(super) aggregations: BTreeMap<String, Value>,
    /// By the names of the suggesters.
    #[serde(default)]
    pub(super) suggest: BTreeMap<String, Vec<SuggestEntry>>,
}

#[derive(Deserialize)]
pub(super) struct Hits {
    total: Option<Total>,
    #[serde(default)]
    pub(super) hits: Vec<SearchHit>,
}

#[derive(Deserialize)]
struct Total {
    value: u64,
}

#[derive(Deserialize)]
pub(super) struct SearchHit {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_score")]
    score: Option<f32>,
    #[serde(rename = "_source")]
    source: Source,
    /// The values that it was sorted by.
    #[serde(default)]
    sort: Vec<Value>,
}

#[derive(Deserialize)]
struct Source {
    /// The product's JSON as text.
    product: String,
}

/// The suggestions for one word.
#[derive(Deserialize)]
pub(super) struct SuggestEntry {
    pub(super) options: Vec<SuggestOption>,
}

#[derive(Deserialize)]
pub(super) struct SuggestOption {
    pub(super) text: String,
    /// The document frequency, including deleted documents.
    pub(super) freq: u64,
}

impl SearchResponse {
    /// Returns the exact number of matches; 0 if the search did not ask for it.
    pub(super) fn total(&self) -> u64 {
        self.hits.total.as_ref().map_or(0, |total| total.value)
    }
}

impl SearchHit {
    /// Decodes the product of the document.
    pub(super) fn product(&self) -> Result<Arc<Product>, PortError> {
        serde_json::from_str(&self.source.product).map(Arc::new).map_err(|error| {
            PortError::new(
                PortErrorKind::Internal,
                format!("decoding product {} from the index", self.id),
                error,
            )
        })
    }

    /// Returns the text that it was sorted by, if the first criterion is one.
    pub(super) fn sort_text(&self) -> Option<&str> {
        self.sort.first().and_then(Value::as_str)
    }

    pub(super) fn score(&self) -> f32 {
        self.score.unwrap_or(0.0)
    }
}
