//! The score of a product for a query, the same in every index.
//!
//! A score consists of:
//!
//! 1. A *class*, a whole number: products with more exact matches rank first; among those, products with more prefix
//!    matches, then with more matches with typos, of which one typo counts twice as much as two.
//! 2. A fraction below one, which orders the products of a class by the weights of the matched words (see
//!    [`crate::weights`]) and of matched phrases.
//! 3. The shop's boosts, from -1 to 1.
//! 4. In short queries, one step for each word that the name has [as typed](crate::typed_form). All of them are less than one
//!    weight, so they order equals only.
//!
//! If some words of a query are optional, products with every word get further classes, so that they rank before all others.
//!
//! All parts are multiples of 1/1024 and their sum is below 16384, so 32-bit floats hold it exactly. The order of additions
//! therefore does not matter: a product's score is the same in every index, and a cursor keeps its place.

use domain::search::MAX_BOOST;

use crate::weights::MAX_WEIGHT;

/// The smallest difference between two scores.
pub const STEP: f32 = 1.0 / STEPS as f32;
/// The number of steps in a score of one.
const STEPS: u32 = 1024;
/// The distance between two classes, as a score. Fraction and boosts together stay below it.
const CLASS: u32 = 3;
/// The number of words of a query whose weights count; the fraction has no room for more.
const WEIGHTED_WORDS: usize = 8;

/// The score of the first product that a rule pins, above all other scores. Each further pinned product scores one less.
pub const PINNED_SCORE: f32 = 1_048_576.0;

/// The quality of a match between a word of a query and a word of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The words differ by two typos.
    TwoTypos = 0,
    /// The words differ by one typo.
    OneTypo = 1,
    /// The query word is a prefix of the product's word.
    Prefix = 2,
    /// The words are equal, in any form.
    Exact = 3,
}

impl Tier {
    /// Returns the number of classes that one match adds, in a query of `words` words. One better match outweighs any number of
    /// worse ones, given that only the last word may match as a prefix.
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

/// The spelling of a word in a product, compared with the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spelling {
    /// As typed, apart from typos and plurals.
    Same,
    /// Two words of the query written as one, or one written as two.
    Joined,
    /// A synonym from the shop's rules.
    Synonym,
}

/// The highest scaled weight of a word: its weight times [`Spelling::weight_factor`].
pub const MAX_SCALED_WEIGHT: u8 = 2 * MAX_WEIGHT;

impl Spelling {
    /// Returns the factor of a word's weight: another spelling counts half.
    pub fn weight_factor(self) -> u8 {
        match self {
            Self::Same => 2,
            Self::Joined | Self::Synonym => 1,
        }
    }
}

/// Returns the steps of a score for each unit of scaled weight of a word or phrase, in a query of `words` words.
pub fn steps_per_scaled_weight(words: usize) -> u32 {
    let words = words.clamp(1, WEIGHTED_WORDS) as u32;
    let phrases = words - 1;
    let most = words * u32::from(MAX_SCALED_WEIGHT) + phrases * u32::from(MAX_SCALED_PHRASE_WEIGHT);
    (STEPS - 1) / (most + max_scaled_kind_weights(words))
}

/// The factor of a phrase's weight. Two adjacent words of the query that are also adjacent in the product count as much as one
/// more matched word.
pub const PHRASE_WEIGHT_FACTOR: u8 = 2;
/// The highest scaled weight of a phrase.
pub const MAX_SCALED_PHRASE_WEIGHT: u8 = PHRASE_WEIGHT_FACTOR * MAX_WEIGHT;

/// Returns the highest sum of the scaled weights of kinds, in a query of `words` words: twice the highest weight for the thing that the
/// query names, and once for the word before it.
fn max_scaled_kind_weights(words: u32) -> u32 {
    let factors = if words > 1 { 3 } else { 2 };
    factors * u32::from(MAX_WEIGHT)
}

/// Returns true if the weights of the word at this index in a query count, and those of the phrase that it ends.
pub fn is_weighted(place: usize) -> bool {
    place < WEIGHTED_WORDS
}

/// Returns the steps of a product that has the word at this index as typed, in a query of `words` words: 1, or 0 if there is no room
/// for more below one unit of weight.
pub fn typed_form_steps(place: usize, words: usize) -> u32 {
    u32::from((place as u32) + 1 < steps_per_scaled_weight(words))
}

/// Returns the steps of a class.
pub fn class_steps(class: u32) -> u32 {
    class * CLASS * STEPS
}

/// The most classes of a product, so that floats hold every score.
const MAX_CLASSES: u32 = (1 << f32::MANTISSA_DIGITS) / (CLASS * STEPS) - 1;

/// Returns the steps that a product with every word gets in a query of `words` words of which some are optional: enough to
/// rank before all products that lack a word, however well they match the others. A query of more than 26 words has no room
/// for that much; then it is as much as there is.
pub fn every_word_steps(words: usize) -> u32 {
    let words = words.max(1);
    let (count, exact) = (words as u32, Tier::Exact.points(words));
    let best_of_others = (count - 1) * exact;
    let worst = count * Tier::TwoTypos.points(words);
    class_steps((best_of_others + 1).saturating_sub(worst).min(MAX_CLASSES - count * exact))
}

/// The steps of a product without boosts, so that no boost makes a score negative.
pub const UNBOOSTED_STEPS: u32 = MAX_BOOST as u32 * STEPS;

/// Returns the steps that a boost adds. The caller limits the sum of all boosts of a product to ± [`UNBOOSTED_STEPS`].
pub fn boost_steps(by: f32) -> i32 {
    let most = UNBOOSTED_STEPS as f32;
    (by * STEPS as f32).round().clamp(-most, most) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::search::MAX_QUERY_WORDS;

    #[test]
    fn weights_and_boosts_never_add_up_to_a_class_and_always_count() {
        for words in 1..=MAX_QUERY_WORDS {
            let steps = steps_per_scaled_weight(words);
            assert!(steps > 0, "{words}");
            let weighted = (0..words).filter(|place| is_weighted(*place)).count() as u32;
            let phrases = weighted - 1;
            let scaled_weights =
                weighted * u32::from(MAX_SCALED_WEIGHT) + phrases * u32::from(MAX_SCALED_PHRASE_WEIGHT);
            let forms: u32 = (0..words).map(|place| typed_form_steps(place, words)).sum();
            assert!(forms < steps, "{words}");
            let most = (scaled_weights + max_scaled_kind_weights(words as u32)) * steps + forms;
            let highest = most + UNBOOSTED_STEPS + boost_steps(MAX_BOOST) as u32;
            assert!(highest < class_steps(1), "{words}");
        }
    }

    #[test]
    fn floats_hold_every_score_and_pinned_products_are_above_all() {
        for words in 1..=MAX_QUERY_WORDS {
            let exact = class_steps(words as u32 * Tier::Exact.points(words) + 1);
            let best = exact + every_word_steps(words);
            assert!(best < 1 << f32::MANTISSA_DIGITS, "{words}");
            assert!((best as f32 * STEP) < PINNED_SCORE / 2.0, "{words}");
        }
    }

    #[test]
    fn every_word_outweighs_all_but_one() {
        for words in 2..=26 {
            let with_typos =
                class_steps(words as u32 * Tier::TwoTypos.points(words)) + every_word_steps(words);
            let lacking_one = class_steps((words as u32 - 1) * Tier::Exact.points(words) + 1);
            assert!(with_typos >= lacking_one, "{words}");
        }
    }

    #[test]
    fn one_better_match_outweighs_all_worse_ones() {
        for words in 1..=MAX_QUERY_WORDS {
            let others = words as u32 - 1;
            let [exact, prefix, one, two] =
                [Tier::Exact, Tier::Prefix, Tier::OneTypo, Tier::TwoTypos].map(|tier| tier.points(words));
            // Only the last word may match as a prefix.
            assert!(exact > prefix + one * others && prefix > words as u32 * one && one > two && two > 0);
        }
    }
}
