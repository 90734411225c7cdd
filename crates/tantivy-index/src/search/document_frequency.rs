//! Counts the documents that match a word.

use tantivy::DocId;
use text::score::Tier;

use crate::search::expansion::{DocumentList, Expansion, ListTerms};
use crate::search::pinned_and_hidden::PinnedAndHidden;
use crate::search::postings::each_document;
use crate::search::snapshot::Snapshot;

/// Counts the documents that match a word exactly or, if there are none, in any way. Deleted documents and those that the
/// shop's rules hide do not count.
pub(crate) fn document_frequency(
    expansion: &Expansion,
    snapshot: &Snapshot,
    rules: &PinnedAndHidden<'_>,
) -> tantivy::Result<usize> {
    match count(expansion, snapshot, rules, |list| list.tier == Tier::Exact)? {
        0 => count(expansion, snapshot, rules, |_| true),
        exact => Ok(exact),
    }
}

fn count(
    expansion: &Expansion,
    snapshot: &Snapshot,
    rules: &PinnedAndHidden<'_>,
    is_counted: impl Fn(&DocumentList) -> bool,
) -> tantivy::Result<usize> {
    let mut count = 0;
    for segment in &snapshot.segments {
        let mut lists = expansion.lists(segment).iter().filter(|list| is_counted(list)).peekable();
        let Some(first) = lists.next() else { continue };
        // One term without anything to leave out: its document frequency is exact.
        if let (ListTerms::One(_, info), None) = (&first.terms, lists.peek())
            && !segment.reader.has_deletes()
            && !rules.has_hidden()
        {
            count += info.doc_freq as usize;
            continue;
        }
        let mut documents = Vec::new();
        for list in std::iter::once(first).chain(lists) {
            each_document(list, segment, |document, _| {
                documents.push(document);
                true
            })?;
        }
        documents.sort_unstable();
        documents.dedup();
        let is_shown = |document: &&DocId| {
            !segment.reader.is_deleted(**document) && !rules.is_hidden(**document, segment)
        };
        count += documents.iter().filter(is_shown).count();
    }
    Ok(count)
}
