//! The product in the index, and its place in the search.

use domain::Version;
use serde::Deserialize;

/// The response of `GET /products/{id}/explain`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IndexReport {
    pub(super) state: String,
    pub(super) version: Option<Version>,
    pub(super) rank: Option<u64>,
    pub(super) total: u64,
    #[serde(default)]
    pub(super) excluded_by: Vec<ExcludingFilter>,
    #[serde(default)]
    pub(super) hidden_by_rule: bool,
    pub(super) explanation: Option<Explanation>,
    pub(super) corrected_query: Option<String>,
}

/// A filter that excludes the product.
#[derive(Debug, Deserialize)]
pub(super) struct ExcludingFilter {
    pub(super) filter: String,
    pub(super) wanted: Vec<String>,
    pub(super) has: Vec<String>,
}

/// The parts of the score.
#[derive(Debug, Deserialize)]
pub(super) struct Explanation {
    pub(super) base: f32,
    pub(super) words: Vec<Word>,
    #[serde(default)]
    pub(super) phrases: Vec<Phrase>,
    #[serde(default)]
    pub(super) boost: f32,
    #[serde(default)]
    pub(super) pinned: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Word {
    pub(super) word: String,
    pub(super) found: String,
    #[serde(rename = "as")]
    pub(super) found_as: Option<String>,
    #[serde(rename = "in")]
    pub(super) fields: Vec<String>,
    pub(super) level: u8,
    pub(super) score: f32,
}

#[derive(Debug, Deserialize)]
pub(super) struct Phrase {
    pub(super) words: String,
    pub(super) score: f32,
}

impl ExcludingFilter {
    /// Returns the reason in a sentence.
    pub(super) fn reason(&self) -> String {
        let wanted = self.wanted.join(" or ");
        match self.has.as_slice() {
            [] => format!("it has no {}; the search asks for {wanted}", self.field()),
            has => format!("its {} is {}; the search asks for {wanted}", self.field(), has.join(", ")),
        }
    }

    fn field(&self) -> &str {
        match self.filter.as_str() {
            "priceRange" => "price",
            "inStock" => "stock",
            "tags" => "tag",
            filter => filter.strip_prefix("attributes.").unwrap_or(filter),
        }
    }
}
