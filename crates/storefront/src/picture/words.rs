//! Words in texts.

/// Returns where a word ends the last time that it stands in a text, without the ending of its plural. Words of letters with spaces
/// between them stand between other characters than letters.
pub(super) fn last_end(text: &str, word: &str) -> Option<usize> {
    let is_letter = |c: char| c.is_alphanumeric();
    let is_whole = |at: usize| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        let after = after.strip_prefix("es").filter(|rest| !rest.starts_with(is_letter)).unwrap_or(after);
        let after = after.strip_prefix('s').unwrap_or(after);
        !before.ends_with(is_letter) && !after.starts_with(is_letter)
    };
    let is_written_with_spaces = word.is_ascii();
    let mut places = text.rmatch_indices(word).map(|(at, _)| at);
    places.find(|at| !is_written_with_spaces || is_whole(*at)).map(|at| at + word.len())
}
