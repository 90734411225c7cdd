//! The corrected form of a misspelt query.

use domain::search::SearchRequest;

use crate::search::inside::Inside;
use crate::search::interpretation::InterpretedWord;
use crate::search::snapshot::Snapshot;

/// Returns the query with corrections in place of the words that no product has; `None` if no such word has a correction.
pub(crate) fn corrected_query(
    request: &SearchRequest,
    words: &[InterpretedWord],
    snapshot: &Snapshot,
    inside: &Inside<'_>,
) -> tantivy::Result<Option<String>> {
    let query = &request.words;
    let (mut corrected, mut copied) = (String::new(), 0);
    for word in words {
        if let Some(correction) = word.correction(request.is_prefix_query, snapshot, inside)? {
            corrected.push_str(&query[copied..word.word.span.start]);
            corrected.push_str(correction);
            copied = word.word.span.end;
        }
    }
    if copied == 0 {
        return Ok(None);
    }
    corrected.push_str(&query[copied..]);
    Ok(Some(corrected))
}
