//! The terms that documents contain and that searches look up.

use text::attributes::key_prefix;
use text::dictionary::Dictionary;

/// The character before that of weight 1.
const WEIGHT_ZERO: u8 = b'@';

/// Returns a word as a term: the letter of its dictionary, then the word.
///
/// The term suggester keeps the first letter of a term (`prefix_length`). That letter is the dictionary's, so every letter
/// of the word itself may be a typo.
pub(crate) fn word_term(dictionary: Dictionary, word: &str) -> String {
    let letter = match dictionary {
        Dictionary::Words => 'w',
        Dictionary::Codes => 'c',
        Dictionary::Pairs => 'p',
        Dictionary::Stems => 's',
    };
    format!("{letter}{word}")
}

/// Returns a word, or a prefix of one, as a term of the field for prefixes: its weight as one character, then the text.
/// The words of one weight with a common prefix are therefore terms with a common prefix.
pub(crate) fn prefix_term(weight: u8, text: &str) -> String {
    format!("{}{text}", char::from(WEIGHT_ZERO + weight))
}

/// Returns a number of an attribute as a term: the key, then digits that sort as the numbers do, see
/// [`text::attributes::number_sort_key`].
pub(crate) fn number_term(key: &str, order: u64) -> String {
    format!("{}{order:016x}", key_prefix(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use text::weights::MAX_WEIGHT;

    #[test]
    fn a_weight_is_one_letter() {
        let letters: BTreeSet<String> = (1..=MAX_WEIGHT).map(|weight| prefix_term(weight, "")).collect();
        assert_eq!(letters.len(), usize::from(MAX_WEIGHT));
        assert!(letters.iter().all(|letter| letter.len() == 1 && !letter.contains(char::is_whitespace)));
    }
}
