//! What a misspelt query was meant to be.

use domain::search::SearchRequest;

use crate::expansion::{Reach, expand};
use crate::matching::has_at_least;
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
    let as_typed = Reach { typos: false, typing: request.typing };
    let (mut corrected, mut copied) = (String::new(), 0);
    for ReadWord { word, expansion, .. } in words {
        if expansion.near.is_empty() || has_at_least(1, &*expand(word, as_typed, snapshot)?, snapshot)? {
            continue;
        }
        if let Some(near) = expansion.near.first() {
            corrected.push_str(&query[copied..word.at.start]);
            corrected.push_str(&near.text);
            copied = word.at.end;
        }
    }
    if copied == 0 {
        return Ok(None);
    }
    corrected.push_str(&query[copied..]);
    Ok(Some(corrected))
}
