//! Counts the documents that match a word.

use tantivy::DocId;
use text::query::{Kind, Word};
use text::relaxing::WordFrequencies;
use text::score::Tier;

use crate::search::expand::expand_optional;
use crate::search::expansion::{DocumentList, Expansion, ListTerms};
use crate::search::pinned_and_hidden::PinnedAndHidden;
use crate::search::postings::each_document;
use crate::search::snapshot::Snapshot;

/// Counts the documents that match a word of a query in each way. Deleted documents and those that the shop's rules hide do not
/// count.
pub(crate) fn word_frequencies(
    word: &Word,
    expansion: &Expansion,
    snapshot: &Snapshot,
    rules: &PinnedAndHidden<'_>,
) -> tantivy::Result<WordFrequencies> {
    let count = |is_counted: fn(&DocumentList) -> bool| -> tantivy::Result<u64> {
        Ok(count(expansion, snapshot, rules, is_counted)? as u64)
    };
    let [as_kind, as_brand, _] = kind_frequencies(&word.text, snapshot, rules)?;
    Ok(WordFrequencies {
        exactly: count(|list| list.tier == Tier::Exact)?,
        as_typed: count(|list| list.tier >= Tier::Prefix)?,
        any_way: count(|_| true)?,
        as_kind,
        as_brand,
    })
}

/// Counts the documents that have each term of [`Kind::counted_terms`], as [`word_frequencies`] does.
pub(crate) fn kind_frequencies(
    word: &str,
    snapshot: &Snapshot,
    rules: &PinnedAndHidden<'_>,
) -> tantivy::Result<[u64; 3]> {
    let mut frequencies = [0; 3];
    for (frequency, term) in frequencies.iter_mut().zip(Kind::counted_terms(word, snapshot.language)) {
        let expansion = expand_optional(&term, 1, snapshot)?;
        *frequency = count(&expansion, snapshot, rules, |_| true)? as u64;
    }
    Ok(frequencies)
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
