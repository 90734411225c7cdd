//! How well a product matches, the same in every index.
//!
//! A score has a *class*, a whole number that puts more words found first, and of those more found exactly, then those
//! found as beginnings, then those with one typo. Products of one class are told apart by where the words were found, a
//! fraction below one, and by the shop's boosts, from -1 to 1. All of it are multiples of 1/1024 below 16384, which
//! 32-bit floats hold exactly: whatever the order of adding, a product's score is the same, so a cursor keeps its place.

use domain::search::MAX_BOOST;

use crate::weights::MAX_WEIGHT;

/// One step of a score.
pub const STEP: f32 = 1.0 / STEPS as f32;
/// Steps in a score of one.
const STEPS: u32 = 1024;
/// What one class is above the next, in scores of one: fraction and boosts together stay below it.
const CLASS: u32 = 3;
/// The words of a query whose levels count; the fraction has no room for more.
const WEIGHTED_WORDS: usize = 8;

/// The score of the first product that a shop's rule pins; each further one has one less. Above all others.
pub const PINNED_SCORE: f32 = 1_048_576.0;

/// How a word of a product is the one looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// With two typos.
    TwoTypos = 0,
    /// With one typo.
    OneTypo = 1,
    /// The one looked for is its beginning.
    Prefix = 2,
    /// It is the one looked for, in any of its forms.
    Exact = 3,
}

impl Tier {
    /// What one word found so adds to the class, in a query of `words` words: one found better outweighs any number
    /// found worse, and one found at all outweighs none. Only the last word may be a beginning.
    pub fn points(self, words: usize) -> u32 {
        let words = words as u32;
        match self {
            Self::Exact => 4 * words + 1,
            Self::Prefix => 2 * words + 1,
            Self::OneTypo => 2,
            Self::TwoTypos => 1,
        }
    }
}

/// How a word of a product is spelt, compared with the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spelling {
    /// As it was typed, but for typos and plural.
    Same,
    /// Together with its neighbour where the query has them apart, or the other way round.
    Joined,
    /// Another word, which the shop's rules name for it.
    Synonym,
}

/// The most half levels of one word.
pub const MAX_SCALED_WEIGHT: u8 = 2 * MAX_WEIGHT;

impl Spelling {
    /// How many half levels each level counts: another spelling is worth half.
    pub fn weight_factor(self) -> u8 {
        match self {
            Self::Same => 2,
            Self::Joined | Self::Synonym => 1,
        }
    }
}

/// Steps that each half level of each word and of each phrase adds, in a query of `words` words.
pub fn steps_per_scaled_weight(words: usize) -> u32 {
    let words = words.clamp(1, WEIGHTED_WORDS) as u32;
    (STEPS - 1) / (words * u32::from(MAX_SCALED_WEIGHT) + (words - 1) * u32::from(MAX_SCALED_PHRASE_WEIGHT))
}

/// Half levels that each level of a phrase counts: two words of the query that are neighbours in the product as well
/// are worth as much as one more word found.
pub const PHRASE_WEIGHT_FACTOR: u8 = 2;
/// The most half levels of one phrase.
pub const MAX_SCALED_PHRASE_WEIGHT: u8 = PHRASE_WEIGHT_FACTOR * MAX_WEIGHT;

/// Whether the levels of the word at this place in a query count, and those of the phrase that it ends; from 0.
pub fn is_weighted(place: usize) -> bool {
    place < WEIGHTED_WORDS
}

/// The steps of a class.
pub fn class_steps(class: u32) -> u32 {
    class * CLASS * STEPS
}

/// The steps that a product without boosts has, so that none has fewer than zero.
pub const UNBOOSTED_STEPS: u32 = MAX_BOOST as u32 * STEPS;

/// The steps that a boost adds; those of all boosts of a product together are kept within [`UNBOOSTED_STEPS`].
pub fn boost_steps(by: f32) -> i32 {
    let most = UNBOOSTED_STEPS as f32;
    (by * STEPS as f32).round().clamp(-most, most) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::search::MAX_QUERY_WORDS;

    #[test]
    fn levels_and_boosts_never_add_up_to_a_point_and_always_count() {
        for words in 1..=MAX_QUERY_WORDS {
            let steps = steps_per_scaled_weight(words);
            assert!(steps > 0, "{words}");
            let levelled = (0..words).filter(|place| is_weighted(*place)).count() as u32;
            let phrases = levelled - 1;
            let half_weights =
                levelled * u32::from(MAX_SCALED_WEIGHT) + phrases * u32::from(MAX_SCALED_PHRASE_WEIGHT);
            let most = half_weights * steps;
            let highest = most + UNBOOSTED_STEPS + boost_steps(MAX_BOOST) as u32;
            assert!(highest < class_steps(1), "{words}");
        }
    }

    #[test]
    fn floats_hold_every_score_and_pinned_products_are_above_all() {
        let best = class_steps(MAX_QUERY_WORDS as u32 * Tier::Exact.points(MAX_QUERY_WORDS) + 1);
        assert!(best < 1 << f32::MANTISSA_DIGITS);
        assert!((best as f32 * STEP) < PINNED_SCORE / 2.0);
    }

    #[test]
    fn one_word_found_better_outweighs_all_found_worse() {
        for words in 1..=MAX_QUERY_WORDS {
            let others = words as u32 - 1;
            let [exact, prefix, one, two] =
                [Tier::Exact, Tier::Prefix, Tier::OneTypo, Tier::TwoTypos].map(|tier| tier.points(words));
            // Only the last word may be a beginning.
            assert!(exact > prefix + one * others && prefix > words as u32 * one && one > two && two > 0);
        }
    }
}
