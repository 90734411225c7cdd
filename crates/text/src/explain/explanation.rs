//! The types of an explanation.

use std::fmt;

use crate::score::Tier;

/// The explanation of a product's rank. Its parts add up to the product's score, unless a rule pins the product.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The score that every product starts with, so that boosts cannot make a score negative; 0 without words and boosts. If some
    /// words are optional, it is higher for products with every word, so that they rank before all others.
    pub base: f32,
    /// The words of the search, in order.
    pub words: Vec<WordMatch>,
    /// Pairs of words that are adjacent in the search and in the product.
    pub phrases: Vec<PhraseMatch>,
    /// Words of the search that name the kind of the product.
    pub kinds: Vec<KindMatch>,
    /// The phrases in quotation marks, as typed.
    pub required: Vec<String>,
    /// The words and phrases that the query excludes, as typed.
    pub excluded: Vec<String>,
    /// The sum of the boosts of the shop's rules.
    pub boost: f32,
    /// True if a rule pins the product before all others, regardless of its score.
    pub is_pinned: bool,
}

/// The match of one word of a search in a product.
#[derive(Debug, Clone, PartialEq)]
pub struct WordMatch {
    /// The word as typed.
    pub word: String,
    /// The kind of match.
    pub kind: MatchKind,
    /// The matched text of the product, if it differs from the word.
    pub matched_text: Option<String>,
    /// The fields of the product that match in this way: `name`, `attributes.colour`.
    pub fields: Vec<String>,
    /// The weight of the word in the product, from 1 to [`MAX_WEIGHT`](crate::weights::MAX_WEIGHT); 0 if it is missing.
    pub weight: u8,
    /// Its part of the score.
    pub score: f32,
}

/// Two words of a search that are adjacent in a product.
#[derive(Debug, Clone, PartialEq)]
pub struct PhraseMatch {
    /// Both words as typed.
    pub words: String,
    /// Their part of the score.
    pub score: f32,
}

/// A word of a search that names the kind of a product.
#[derive(Debug, Clone, PartialEq)]
pub struct KindMatch {
    /// The word as typed.
    pub word: String,
    /// Its part of the score, besides that of the word itself.
    pub score: f32,
}

/// The kind of match between a word and a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchKind {
    /// As typed, apart from case, accents and width.
    Exact,
    /// Another form, such as singular or plural.
    OtherForm,
    /// Two words of the search written as one, or one written as two.
    Joined,
    /// A synonym from the shop's rules.
    Synonym,
    /// The prefix of a word.
    Beginning,
    /// With one typo.
    OneTypo,
    /// With two typos.
    TwoTypos,
    /// No match.
    Missing,
}

impl MatchKind {
    /// Returns the tier of the score; `None` if the word is missing.
    pub(super) fn tier(self) -> Option<Tier> {
        match self {
            Self::Exact | Self::OtherForm | Self::Joined | Self::Synonym => Some(Tier::Exact),
            Self::Beginning => Some(Tier::Prefix),
            Self::OneTypo => Some(Tier::OneTypo),
            Self::TwoTypos => Some(Tier::TwoTypos),
            Self::Missing => None,
        }
    }
}

/// Writes the name that the API uses.
impl fmt::Display for MatchKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::OtherForm => "otherForm",
            Self::Joined => "joined",
            Self::Synonym => "synonym",
            Self::Beginning => "beginning",
            Self::OneTypo => "oneTypo",
            Self::TwoTypos => "twoTypos",
            Self::Missing => "missing",
        })
    }
}
