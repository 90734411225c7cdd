//! Why a product ranks where it does, as JSON.

use serde::Serialize;
use text::explain::{Explanation, PhraseMatch, WordMatch};
use utoipa::ToSchema;

/// Why a product ranks where it does: `base`, the scores of words and phrases and `boost` add up to its score, unless a
/// rule pins it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Explanation)]
pub(crate) struct ExplanationJson<'a> {
    /// What every product has to begin with, so that boosts leave none below zero.
    #[schema(examples(1))]
    base: f32,
    /// The words of the search, in its order.
    #[schema(value_type = Vec<WordJson<'static>>)]
    words: Vec<WordJson<'a>>,
    /// Words that follow each other in the search and in the product.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<PhraseJson<'static>>>)]
    phrases: Vec<PhraseJson<'a>>,
    /// What the boosts and buries of the shop's rules add; absent where none applies.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(value_type = Option<f32>, examples(0.25))]
    boost: f32,
    /// True where a rule of the shop puts the product before all others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = Option<bool>)]
    pinned: bool,
}

/// How a word of a search is found in a product.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ExplainedWord)]
struct WordJson<'a> {
    /// The word, as it stands in the search.
    #[schema(value_type = String, examples("lmap"))]
    word: &'a str,
    /// How it is found: `exact`, in an `otherForm` such as singular or plural, `joined` with its neighbour or apart, as a
    /// `synonym` of the shop's rules, as a `beginning`, with `oneTypo` or `twoTypos`, or not: `missing`.
    #[schema(value_type = String, examples("oneTypo"))]
    found: String,
    /// As which word, where that is another one.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("lamp"))]
    found_as: Option<&'a str>,
    /// The fields of the product in which it is found so.
    #[serde(rename = "in")]
    #[schema(value_type = Vec<String>, example = json!(["name", "attributes.kind"]))]
    fields: &'a [String],
    /// How much it says in these fields, from 1 to 31; 0 where it is missing.
    #[schema(examples(24))]
    level: u8,
    /// What it counts.
    #[schema(examples(6.21))]
    score: f32,
}

/// Words that follow each other in a search and in a product.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedPhrase)]
struct PhraseJson<'a> {
    /// The words, as they stand in the search.
    #[schema(value_type = String, examples("desk lamp"))]
    words: &'a str,
    /// What they count.
    #[schema(examples(0.31))]
    score: f32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &f32) -> bool {
    *number == 0.0
}

impl<'a> From<&'a Explanation> for ExplanationJson<'a> {
    fn from(explanation: &'a Explanation) -> Self {
        let Explanation { base, words, phrases, boost, is_pinned } = explanation;
        Self {
            base: *base,
            words: words.iter().map(WordJson::from).collect(),
            phrases: phrases.iter().map(PhraseJson::from).collect(),
            boost: *boost,
            pinned: *is_pinned,
        }
    }
}

impl<'a> From<&'a WordMatch> for WordJson<'a> {
    fn from(found: &'a WordMatch) -> Self {
        let WordMatch { word, kind, matched_text, fields, weight, score } = found;
        let found = kind.to_string();
        Self { word, found, found_as: matched_text.as_deref(), fields, level: *weight, score: *score }
    }
}

impl<'a> From<&'a PhraseMatch> for PhraseJson<'a> {
    fn from(found: &'a PhraseMatch) -> Self {
        Self { words: &found.words, score: found.score }
    }
}
