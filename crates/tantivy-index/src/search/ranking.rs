//! The score that matching a word adds to a document, on the scale of [`text::score`].

use std::sync::Arc;

use tantivy::DocId;
use text::score::{
    MAX_SCALED_PHRASE_WEIGHT, MAX_SCALED_WEIGHT, STEP, Tier, class_steps, is_weighted,
    steps_per_scaled_weight,
};

use crate::search::expansion::{DocumentList, Expansion, TIERS};

/// A word, a phrase or a kind of a query, with its matches and its effect on the score.
pub(crate) struct ScoredTerm {
    pub(crate) expansion: Arc<Expansion>,
    /// True if a document without it does not match.
    pub(crate) is_required: bool,
    /// True for a word. A phrase or a kind only adds to the score.
    pub(crate) is_word: bool,
    /// True if its weight counts.
    pub(crate) is_weighted: bool,
    /// The steps of an exact match, in addition to those of its tier.
    exact_steps: u32,
}

impl ScoredTerm {
    /// Creates the term for a word at this position of the query. An exact match adds `exact_steps` to those of its tier.
    pub(crate) fn word(
        expansion: Arc<Expansion>,
        position: usize,
        is_required: bool,
        exact_steps: u32,
    ) -> Self {
        Self { expansion, is_required, is_word: true, is_weighted: is_weighted(position), exact_steps }
    }

    /// Creates the term for a phrase or a kind, which only adds to the score.
    pub(crate) fn optional(expansion: Expansion, is_weighted: bool) -> Self {
        let expansion = Arc::new(expansion);
        Self { expansion, is_required: false, is_word: false, is_weighted, exact_steps: 0 }
    }
}

/// The marker of a form of a word, see [`text::typed_form`], which changes the scores of the products that have it.
pub(crate) struct ScoredMarker {
    pub(crate) expansion: Expansion,
    pub(crate) steps: i32,
}

/// A document that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) document: DocId,
    /// The score in steps, see [`text::score`].
    pub(crate) steps: u32,
}

/// The quality of a match of a document and a word: the tier and, in the lower 8 bits, the scaled weight, which is at least 1.
/// 0 means no match. A better match has a greater quality.
pub(crate) type Quality = u16;
const WEIGHT_BITS: u32 = 8;

/// Returns the tier of a match, as an index.
pub(crate) fn tier_of(quality: Quality) -> usize {
    usize::from(quality >> WEIGHT_BITS)
}

/// Returns the quality of the matches of a list at this weight.
pub(crate) fn quality(list: &DocumentList, weight: u32) -> Quality {
    let scaled_weight = weight * u32::from(list.weight_factor);
    let scaled_weight =
        scaled_weight.clamp(1, u32::from(MAX_SCALED_WEIGHT.max(MAX_SCALED_PHRASE_WEIGHT))) as Quality;
    (list.tier as Quality) << WEIGHT_BITS | scaled_weight
}

/// Scores the matches of one query.
pub(crate) struct Ranking {
    /// The steps of each tier.
    tier_steps: [u32; TIERS],
    weight_steps: u32,
}

impl Ranking {
    /// Creates the ranking for a query with this number of words.
    pub(crate) fn new(words: usize) -> Self {
        let mut tier_steps = [0; TIERS];
        for tier in [Tier::TwoTypos, Tier::OneTypo, Tier::Prefix, Tier::Exact] {
            tier_steps[tier as usize] = class_steps(tier.points(words));
        }
        Self { tier_steps, weight_steps: steps_per_scaled_weight(words) }
    }

    /// Returns the steps that matching a term adds to the score.
    pub(crate) fn steps(&self, quality: Quality, term: &ScoredTerm) -> u32 {
        let tier = tier_of(quality);
        let exact = if tier == Tier::Exact as usize { term.exact_steps } else { 0 };
        let tier = if term.is_word { self.tier_steps[tier] + exact } else { 0 };
        let scaled_weight = if term.is_weighted { u32::from(quality) % (1 << WEIGHT_BITS) } else { 0 };
        tier + scaled_weight * self.weight_steps
    }
}

/// Converts steps to a score.
pub(crate) fn score(steps: u32) -> f32 {
    steps as f32 * STEP
}
