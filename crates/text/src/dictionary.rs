//! The dictionaries of an index.

use crate::analysis::has_digit;

/// One of the sets of terms into which an index sorts the words of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dictionary {
    /// Words without digits.
    Words,
    /// Words with digits, such as model numbers and sizes, and words that only a sku has. Kept apart because they are never candidates
    /// for typos.
    Codes,
    /// Two adjacent words written as one. Also terms that begin with a mark: kinds, brands, endings of compounds, forms of names.
    Pairs,
    /// Stems, see [`crate::forms::normal_form`]. Kept apart because a stem need not be a word.
    Stems,
}

impl Dictionary {
    /// Returns the dictionary of a word that is neither a pair nor a stem.
    pub fn of_word(word: &str) -> Self {
        if has_digit(word) { Self::Codes } else { Self::Words }
    }
}

/// A term of an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// Its dictionary.
    pub dictionary: Dictionary,
    /// The folded word.
    pub text: String,
}
