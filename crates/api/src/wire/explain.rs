//! The response of `/products/{id}/explain`, and the explanations of a search.

use std::borrow::Cow;

use domain::Version;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::is_empty;

/// The rank of a product in a search, and the reasons.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductExplanation<'a> {
    /// The product.
    #[schema(value_type = String, examples("lamp-1"))]
    pub id: Cow<'a, str>,
    /// Its state in the index: `active`; `hidden`, if it is a draft or archived; `deleted`; or `unknown` to the index.
    #[schema(value_type = String, examples("active"))]
    pub state: Cow<'a, str>,
    /// The indexed version; absent if the product is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, examples(3))]
    pub version: Option<Version>,
    /// Its rank by relevance, from 1; absent if it is not found, or not among the first 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(examples(12))]
    pub rank: Option<usize>,
    /// The number of products found.
    #[schema(examples(40))]
    pub total: u64,
    /// Every filter that excludes it, with the values it has instead. The operators of the `query` are among them: `-red` and
    /// `"new balance"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<ExcludingFilter>>)]
    pub excluded_by: Vec<ExcludingFilter>,
    /// True if a rule of the shop hides it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = Option<bool>)]
    pub hidden_by_rule: bool,
    /// The matches of the words in it; absent if it is not active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Explanation<'static>>)]
    pub explanation: Option<Explanation<'a>>,
    /// True if the query was longer than the bounds, and was cut at them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = Option<bool>)]
    pub truncated: bool,
    /// The search with its misspelt words corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub corrected_query: Option<Cow<'a, str>>,
    /// Words of the query that the products found need not have, because few or none have all of its words; absent if every
    /// word is required.
    #[serde(default, skip_serializing_if = "is_empty")]
    #[schema(value_type = Option<Vec<String>>)]
    pub relaxed: Cow<'a, [String]>,
}

/// A filter that excludes a product.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExcludingFilter {
    /// The parameter.
    #[schema(examples("brand"))]
    pub filter: String,
    /// The values that it lets through.
    #[schema(example = json!(["HP"]))]
    pub wanted: Vec<String>,
    /// The values of the product; empty if it has none.
    #[schema(example = json!(["Dell"]))]
    pub has: Vec<String>,
}

/// The reasons for the rank of a product: `base`, the scores of words, phrases and kinds, and `boost` add up to its score, unless a
/// rule pins it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation<'a> {
    /// The initial score of every product, so that boosts leave none below zero. Higher for products with every word in a search
    /// in which some words are optional.
    #[schema(examples(1))]
    pub base: f32,
    /// The words of the search, in its order.
    #[schema(value_type = Vec<ExplainedWord<'static>>)]
    pub words: Vec<ExplainedWord<'a>>,
    /// Words that follow each other in the search and in the product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<ExplainedPhrase<'static>>>)]
    pub phrases: Vec<ExplainedPhrase<'a>>,
    /// Words of the search that name the kind of thing that the product is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<ExplainedKind<'static>>>)]
    pub kinds: Vec<ExplainedKind<'a>>,
    /// The phrases in quotation marks, which products must have; absent without such a phrase.
    #[serde(default, skip_serializing_if = "is_empty")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["new balance"]))]
    pub required: Cow<'a, [String]>,
    /// The words and phrases behind a minus, which products must not have; absent without such a word.
    #[serde(default, skip_serializing_if = "is_empty")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["red"]))]
    pub left_out: Cow<'a, [String]>,
    /// The sum of the boosts and buries of the shop's rules; absent if none applies.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schema(value_type = Option<f32>, examples(0.25))]
    pub boost: f32,
    /// True if a rule of the shop puts the product before all others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = Option<bool>)]
    pub pinned: bool,
}

/// The match of a word of a search in a product.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ExplainedWord<'a> {
    /// The word, as it stands in the search.
    #[schema(value_type = String, examples("lmap"))]
    pub word: Cow<'a, str>,
    /// The kind of match: `exact`; in an `otherForm` such as singular or plural; `joined` with its neighbour or split from
    /// it; as a `synonym` of the shop's rules; as the `beginning` of a word; with `oneTypo` or `twoTypos`; or `missing`.
    #[schema(examples("oneTypo"))]
    pub found: String,
    /// The word of the product, if it is another one.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("lamp"))]
    pub found_as: Option<Cow<'a, str>>,
    /// The fields of the product in which it is found.
    #[serde(rename = "in")]
    #[schema(value_type = Vec<String>, example = json!(["name", "attributes.kind"]))]
    pub fields: Cow<'a, [String]>,
    /// Its weight in these fields, from 1 to 31; 0 if it is missing.
    #[schema(examples(24))]
    pub level: u8,
    /// Its part of the score.
    #[schema(examples(6.21))]
    pub score: f32,
}

/// Words that follow each other in a search and in a product.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ExplainedPhrase<'a> {
    /// The words, as they stand in the search.
    #[schema(value_type = String, examples("desk lamp"))]
    pub words: Cow<'a, str>,
    /// Their part of the score.
    #[schema(examples(0.31))]
    pub score: f32,
}

/// A word of a search that names the kind of thing that a product is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ExplainedKind<'a> {
    /// The word, as it stands in the search.
    #[schema(value_type = String, examples("lamp"))]
    pub word: Cow<'a, str>,
    /// Its part of the score, besides that of the word itself.
    #[schema(examples(0.48))]
    pub score: f32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
fn is_zero(number: &f32) -> bool {
    *number == 0.0
}
