//! Where the words of a product stand in an index.

use crate::analysis::has_digit;

/// The dictionaries of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dictionary {
    /// Words without digits.
    Words,
    /// Words with digits. They stand apart so that typos are looked for among words only.
    Codes,
    /// Neighbours written as one word.
    Pairs,
    /// What words are without their endings, see [`crate::forms::normal_form`].
    Stems,
}

impl Dictionary {
    /// Where a word of its own stands.
    pub fn of_word(word: &str) -> Self {
        if has_digit(word) { Self::Codes } else { Self::Words }
    }
}
