//! Words in texts.

/// The first character of scripts without spaces between words.
const FIRST_WITHOUT_SPACES: char = '\u{2e80}';

/// Returns the byte offset after the last occurrence of `word` in a text, not counting a plural ending. Words of languages with spaces
/// match whole words only; Japanese words match anywhere.
pub(super) fn last_end(text: &str, word: &str) -> Option<usize> {
    let is_letter = |c: char| c.is_alphanumeric();
    let is_whole = |at: usize| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        let after = after.strip_prefix("es").filter(|rest| !rest.starts_with(is_letter)).unwrap_or(after);
        let after = after.strip_prefix('s').unwrap_or(after);
        !before.ends_with(is_letter) && !after.starts_with(is_letter)
    };
    let is_written_with_spaces = word.chars().all(|c| c < FIRST_WITHOUT_SPACES);
    let mut places = text.rmatch_indices(word).map(|(at, _)| at);
    places.find(|at| !is_written_with_spaces || is_whole(*at)).map(|at| at + word.len())
}
