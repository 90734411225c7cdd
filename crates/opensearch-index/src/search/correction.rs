//! The corrected query of a misspelt one.

use crate::search::words::QueryWord;

/// Returns the query with each misspelt word replaced by its correction; `None` if no word has one.
pub(super) fn corrected(query: &str, words: &[QueryWord]) -> Option<String> {
    let (mut corrected, mut copied) = (String::new(), 0);
    for (word, correction) in words.iter().filter_map(|word| Some((&word.word, word.correction()?))) {
        corrected.push_str(&query[copied..word.span.start]);
        corrected.push_str(correction);
        copied = word.span.end;
    }
    (copied > 0).then(|| corrected + &query[copied..])
}
