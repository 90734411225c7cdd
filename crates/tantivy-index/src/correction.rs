//! What a misspelt query was meant to be.

use domain::search::SearchRequest;

use crate::reading::ReadWord;
use crate::snapshot::Snapshot;

/// The query with each word that nothing contains replaced by the best word it was taken for; none when there is
/// no such word.
pub(crate) fn corrected(
    request: &SearchRequest,
    words: &[ReadWord],
    snapshot: &Snapshot,
) -> tantivy::Result<Option<String>> {
    let query = &request.words;
    let (mut corrected, mut copied) = (String::new(), 0);
    for read in words {
        if let Some(meant) = read.meant(request.is_prefix_query, snapshot)? {
            corrected.push_str(&query[copied..read.word.span.start]);
            corrected.push_str(meant);
            copied = read.word.span.end;
        }
    }
    if copied == 0 {
        return Ok(None);
    }
    corrected.push_str(&query[copied..]);
    Ok(Some(corrected))
}
