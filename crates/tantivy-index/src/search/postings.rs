//! Iterates over document lists.

use tantivy::postings::{Postings, SegmentPostings, TermInfo};
use tantivy::query::{EnableScoring, PhraseQuery, Query as _};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocId, DocSet, TERMINATED, Term};
use text::dictionary::Dictionary;

use crate::search::expansion::{DocumentList, Expansion, ListTerms};
use crate::search::inside::Inside;
use crate::search::segment::Segment;
use crate::search::snapshot::Snapshot;

/// Calls `each` with every (document, weight) of the list, in ascending order and including deleted documents, until it returns
/// false. Returns true if it ran to the end.
pub(crate) fn each_document(
    list: &DocumentList,
    segment: &Segment,
    mut each: impl FnMut(DocId, u32) -> bool,
) -> tantivy::Result<bool> {
    match &list.terms {
        ListTerms::One(dictionary, info) => {
            let index = segment.inverted_index(*dictionary);
            let mut block = index.read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
            while !block.docs().is_empty() {
                for (document, weight) in block.docs().iter().zip(block.freqs()) {
                    if !each(*document, *weight) {
                        return Ok(false);
                    }
                }
                block.advance();
            }
        }
        ListTerms::All(infos) => {
            let mut terms = Vec::with_capacity(infos.len());
            for (dictionary, info) in infos {
                terms.push(postings(*dictionary, info, segment)?);
            }
            let Some((first, others)) = terms.split_first_mut() else { return Ok(true) };
            while first.doc() != TERMINATED {
                let document = first.doc();
                let has_all = others.iter_mut().all(|other| seek(other, document));
                if has_all && !each(document, first.term_freq()) {
                    return Ok(false);
                }
                first.advance();
            }
        }
        ListTerms::Phrase(first, bigrams) => {
            let mut first = postings(Dictionary::of_word(&bigrams[0]), first, segment)?;
            let terms = bigrams.iter().map(|bigram| Term::from_field_text(segment.runs, bigram)).collect();
            let weight = PhraseQuery::new(terms)
                .weight(EnableScoring::disabled_from_schema(segment.reader.schema()))?;
            let mut phrases = weight.scorer(&segment.reader, 1.0)?;
            while phrases.doc() != TERMINATED {
                let document = phrases.doc();
                if seek(&mut first, document) && !each(document, first.term_freq()) {
                    return Ok(false);
                }
                phrases.advance();
            }
        }
    }
    Ok(true)
}

/// Moves to the document or, if the list lacks it, to the next one. Returns true if the list has the document.
pub(crate) fn seek(postings: &mut SegmentPostings, document: DocId) -> bool {
    let at = postings.doc();
    (if at < document { postings.seek(document) } else { at }) == document
}

/// Opens the posting list of a term. The term frequencies in it are weights.
pub(crate) fn postings(
    dictionary: Dictionary,
    info: &TermInfo,
    segment: &Segment,
) -> tantivy::Result<SegmentPostings> {
    let index = segment.inverted_index(dictionary);
    Ok(index.read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?)
}

/// Returns an upper bound of the number of entries in all lists.
pub(crate) fn max_entries(lists: &[DocumentList]) -> u64 {
    lists.iter().map(|list| u64::from(list.max_documents())).sum()
}

/// Returns true if at least `count` documents that are not deleted, and inside the restriction, match the word.
pub(crate) fn has_at_least(
    count: usize,
    expansion: &Expansion,
    snapshot: &Snapshot,
    inside: &Inside<'_>,
) -> tantivy::Result<bool> {
    Ok(count_up_to(count, expansion, snapshot, inside)? >= count)
}

/// Counts the documents that are not deleted, are inside the restriction and match the word, up to `count`.
pub(crate) fn count_up_to(
    count: usize,
    expansion: &Expansion,
    snapshot: &Snapshot,
    inside: &Inside<'_>,
) -> tantivy::Result<usize> {
    let mut known = Vec::<DocAddress>::new();
    for segment in &snapshot.segments {
        for list in expansion.lists(segment) {
            // The documents of one list are distinct, so `count` of them are enough.
            let before = known.len();
            let ran_to_end = each_document(list, segment, |document, _| {
                if !segment.reader.is_deleted(document) && inside.has(document, segment) {
                    known.push(segment.address(document));
                }
                known.len() < before + count
            })?;
            if !ran_to_end {
                return Ok(count);
            }
        }
    }
    known.sort_unstable();
    known.dedup();
    Ok(known.len().min(count))
}
