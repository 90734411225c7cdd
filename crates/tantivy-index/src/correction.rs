//! What a misspelt query was meant to be.

use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED};
use text::dictionary::Dictionary;

use crate::expansion::expand;
use crate::matching::has_at_least;
use crate::reading::ReadWord;
use crate::snapshot::Snapshot;

/// The query with each word that nothing contains replaced by the best word it was taken for; none when there is
/// no such word.
pub(crate) fn corrected(
    query: &str,
    words: &[ReadWord],
    snapshot: &Snapshot,
) -> tantivy::Result<Option<String>> {
    let (mut corrected, mut copied) = (String::new(), 0);
    for ReadWord { word, expansion, .. } in words {
        if expansion.near.is_empty() || has_at_least(1, &*expand(word, false, snapshot)?, snapshot)? {
            continue;
        }
        for near in &expansion.near {
            if is_alive(&near.text, snapshot)? {
                corrected.push_str(&query[copied..word.at.start]);
                corrected.push_str(&near.text);
                copied = word.at.end;
                break;
            }
        }
    }
    if copied == 0 {
        return Ok(None);
    }
    corrected.push_str(&query[copied..]);
    Ok(Some(corrected))
}

/// Whether any product that is not deleted has the word.
fn is_alive(word: &str, snapshot: &Snapshot) -> tantivy::Result<bool> {
    for segment in &snapshot.segments {
        let lists = segment.lists_of(Dictionary::Words);
        let Some(info) = lists.terms().get(word)? else { continue };
        let mut postings = lists.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
        while postings.doc() != TERMINATED {
            if !segment.reader.is_deleted(postings.doc()) {
                return Ok(true);
            }
            postings.advance();
        }
    }
    Ok(false)
}
