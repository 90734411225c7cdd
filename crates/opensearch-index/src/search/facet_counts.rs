//! Responses of OpenSearch to the aggregations of facets.

use domain::ports::{PortError, PortErrorKind};
use domain::search::{PriceBucket, PriceFacet};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Decodes a part of a response.
pub(super) fn decode<T: DeserializeOwned>(part: Value) -> Result<T, PortError> {
    serde_json::from_value(part)
        .map_err(|error| PortError::new(PortErrorKind::Internal, "decoding the counts of a facet", error))
}

/// The terms of a facet.
#[derive(Deserialize)]
pub(super) struct TermCounts {
    pub(super) terms: Terms,
}

/// The terms of an attribute.
#[derive(Deserialize)]
pub(super) struct AttributeCounts {
    pub(super) texts: TermCounts,
    pub(super) numbers: TermCounts,
    pub(super) dates: TermCounts,
}

/// A part of the terms of a field.
#[derive(Deserialize)]
pub(super) struct Terms {
    pub(super) buckets: Vec<TermBucket>,
    /// The occurrences of terms that are not among the buckets.
    #[serde(default)]
    pub(super) sum_other_doc_count: u64,
    /// The key after which the next part begins, in a composite aggregation.
    pub(super) after_key: Option<CompositeKey>,
}

#[derive(Deserialize)]
pub(super) struct TermBucket {
    key: TermKey,
    pub(super) doc_count: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TermKey {
    Term(String),
    Composite(CompositeKey),
}

#[derive(Deserialize)]
pub(super) struct CompositeKey {
    pub(super) term: String,
}

impl TermBucket {
    /// Returns the term and its number of products.
    pub(super) fn into_pair(self) -> (String, u64) {
        match self.key {
            TermKey::Term(term) | TermKey::Composite(CompositeKey { term }) => (term, self.doc_count),
        }
    }
}

/// The prices of matching products.
#[derive(Deserialize)]
pub(super) struct PriceCounts {
    pub(super) ends: PriceRange,
    pub(super) prices: PriceBuckets,
}

/// The lowest and highest price. Prices are below 2^53, so floats hold them exactly.
#[derive(Deserialize)]
pub(super) struct PriceRange {
    pub(super) count: u64,
    min: Option<f64>,
    max: Option<f64>,
}

impl PriceRange {
    /// Returns the lowest and highest price; zeros if there is none.
    pub(super) fn min_max(&self) -> (i64, i64) {
        (self.min.unwrap_or(0.0) as i64, self.max.unwrap_or(0.0) as i64)
    }
}

/// Prices, or the lower bounds of histogram buckets, with their counts.
#[derive(Deserialize)]
pub(super) struct PriceBuckets {
    buckets: Vec<NumberBucket>,
    /// The products whose prices are not among the buckets.
    #[serde(default)]
    pub(super) sum_other_doc_count: u64,
}

#[derive(Deserialize)]
struct NumberBucket {
    key: f64,
    doc_count: u64,
}

impl PriceBuckets {
    /// Returns pairs of a price and its count.
    pub(super) fn pairs(&self) -> Vec<(i64, u64)> {
        self.buckets.iter().map(|bucket| (bucket.key as i64, bucket.doc_count)).collect()
    }

    /// Converts a histogram with buckets of this width to a facet. Empty buckets may be missing.
    pub(super) fn histogram_facet(&self, (min, max): (i64, i64), count: u64, width: i64) -> PriceFacet {
        let steps = min / width..=max / width;
        let bucket = |step: i64| {
            let from = step * width;
            let counted = self.buckets.iter().find(|bucket| bucket.key as i64 == from);
            PriceBucket { from, to: from + width - 1, count: counted.map_or(0, |bucket| bucket.doc_count) }
        };
        PriceFacet { min, max, count, histogram: steps.map(bucket).collect() }
    }
}
