//! What a misspelt query was meant to be.

use crate::reading::ReadWord;

/// The query with each word that nothing contains replaced by the best word it was taken for; none when there is
/// no such word.
pub(crate) fn corrected(query: &str, words: &[ReadWord]) -> Option<String> {
    let (mut corrected, mut copied) = (String::new(), 0);
    for (word, meant) in words.iter().filter_map(|word| Some((&word.word, word.meant()?))) {
        corrected.push_str(&query[copied..word.span.start]);
        corrected.push_str(meant);
        copied = word.span.end;
    }
    (copied > 0).then(|| corrected + &query[copied..])
}
