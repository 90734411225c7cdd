//! How well a product matches, the same in every index.
//!
//! A score is a whole number, the *class*, that puts more words found exactly first, then those found as beginnings,
//! then those with one typo; and a fraction below one for where they were found. All of it are multiples of 1/4096
//! below 4096, which 32-bit floats hold exactly: whatever the order of adding, a product's score is the same, so a
//! cursor keeps its place.

use crate::weights::MAX_LEVEL;

/// One step of a score.
pub const STEP: f32 = 1.0 / 4096.0;

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
    /// found worse.
    pub fn points(self, words: usize) -> u32 {
        let step = words as u32 + 1;
        match self {
            Self::Exact => 2 * step,
            Self::Prefix => step,
            Self::OneTypo => 1,
            Self::TwoTypos => 0,
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
pub const MAX_HALF_LEVELS: u8 = 2 * MAX_LEVEL;

impl Spelling {
    /// How many half levels each level counts: another spelling is worth half.
    pub fn half_levels(self) -> u8 {
        match self {
            Self::Same => 2,
            Self::Joined | Self::Synonym => 1,
        }
    }
}

/// Steps that each half level of each word adds, in a query of `words` words.
pub fn steps_of_half_level(words: usize) -> u32 {
    let highest = words.max(1) as u32 * u32::from(MAX_HALF_LEVELS);
    ((1.0 / STEP) as u32 - 1) / highest
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::search::MAX_QUERY_WORDS;

    #[test]
    fn levels_never_add_up_to_a_point_and_always_count() {
        for words in 1..=MAX_QUERY_WORDS {
            let steps = steps_of_half_level(words);
            assert!(steps > 0, "{words}");
            assert!((words as u32 * u32::from(MAX_HALF_LEVELS) * steps) as f32 * STEP < 1.0, "{words}");
            assert!(words as u32 * Tier::Exact.points(words) < 4096, "{words}");
        }
    }

    #[test]
    fn one_word_found_better_outweighs_all_found_worse() {
        for words in 1..=MAX_QUERY_WORDS {
            let others = words as u32 - 1;
            let [exact, prefix, one, two] =
                [Tier::Exact, Tier::Prefix, Tier::OneTypo, Tier::TwoTypos].map(|tier| tier.points(words));
            // Only the last word may be a beginning.
            assert!(exact > prefix + others && prefix > words as u32 * one && one > two);
        }
    }
}
