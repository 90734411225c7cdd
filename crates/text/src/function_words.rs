//! English function words, which carry no meaning on their own.

/// Returns true for a folded English word that carries no meaning on its own, such as `for` and `with`.
pub fn is_function_word(word: &str) -> bool {
    FUNCTION_WORDS.contains(&word)
}

const FUNCTION_WORDS: [&str; 16] =
    ["a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "w", "with"];
