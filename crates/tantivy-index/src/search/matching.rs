//! Finds the documents of a segment that match the words of a query, and scores them.

use std::cell::RefCell;

use tantivy::postings::Postings;
use tantivy::{DocId, DocSet, TERMINATED};
use text::score::UNBOOSTED_STEPS;

use crate::search::expansion::{DocumentList, ListTerms};
use crate::search::postings::{each_document, max_entries, postings, seek};
use crate::search::ranking::{Match, Quality, Ranking, ScoredMarker, ScoredTerm, quality};
use crate::search::segment::Segment;

/// Returns the documents that match every required word and at least one word, ascending, without deleted ones. Ignores
/// phrases.
pub(crate) fn find_matches(
    terms: &[ScoredTerm],
    ranking: &Ranking,
    segment: &Segment,
) -> tantivy::Result<Vec<Match>> {
    let words = || terms.iter().filter(|term| term.is_word);
    let mut required: Vec<&ScoredTerm> = words().filter(|word| word.is_required).collect();
    // The rarest word comes first: the others are then looked up for its documents only.
    required.sort_by_key(|word| max_entries(word.expansion.lists(segment)));
    let mut matches = match required.first() {
        Some(first) => match_word(first, ranking, segment)?,
        None => match_any(&words().collect::<Vec<_>>(), ranking, segment)?,
    };
    for word in required.iter().skip(1) {
        if matches.is_empty() {
            return Ok(matches);
        }
        retain_matches(&mut matches, word, ranking, segment)?;
    }
    matches.retain(|found| !segment.reader.is_deleted(found.document));
    if !required.is_empty() {
        for word in words().filter(|word| !word.is_required) {
            add_score(&mut matches, word, ranking, segment)?;
        }
    }
    Ok(matches)
}

/// Adds the scores of phrases to the matches that have them.
pub(crate) fn add_phrases(
    matches: &mut [Match],
    terms: &[ScoredTerm],
    ranking: &Ranking,
    segment: &Segment,
) -> tantivy::Result<()> {
    terms
        .iter()
        .filter(|term| !term.is_word)
        .try_for_each(|phrase| add_score(matches, phrase, ranking, segment))
}

/// Changes the scores of the matches that have a marker.
pub(crate) fn add_markers(
    matches: &mut [Match],
    markers: &[ScoredMarker],
    segment: &Segment,
) -> tantivy::Result<()> {
    for marker in markers {
        let lists = marker.expansion.lists(segment);
        if lists.is_empty() {
            continue;
        }
        let qualities = qualities_of(matches, lists, segment)?;
        for (found, _) in matches.iter_mut().zip(qualities).filter(|(_, quality)| *quality != 0) {
            found.steps = found.steps.saturating_add_signed(marker.steps);
        }
    }
    Ok(())
}

/// Adds the score of a term to the matches that have it.
fn add_score(
    matches: &mut [Match],
    term: &ScoredTerm,
    ranking: &Ranking,
    segment: &Segment,
) -> tantivy::Result<()> {
    let qualities = qualities_of(matches, term.expansion.lists(segment), segment)?;
    for (found, quality) in matches.iter_mut().zip(qualities).filter(|(_, quality)| *quality != 0) {
        found.steps += ranking.steps(quality, term);
    }
    Ok(())
}

/// Returns the documents that match a word.
fn match_word(word: &ScoredTerm, ranking: &Ranking, segment: &Segment) -> tantivy::Result<Vec<Match>> {
    let lists = word.expansion.lists(segment);
    let steps = |quality| UNBOOSTED_STEPS + ranking.steps(quality, word);
    let mut matches = Vec::with_capacity(max_entries(lists) as usize);
    if let [list] = lists {
        each_document(list, segment, |document, weight| {
            matches.push(Match { document, steps: steps(quality(list, weight)) });
            true
        })?;
        return Ok(matches);
    }
    let best = best_qualities(segment, lists)?.into_iter();
    matches.extend(best.map(|(document, quality)| Match { document, steps: steps(quality) }));
    Ok(matches)
}

/// Returns the documents that match at least one of the words.
fn match_any(words: &[&ScoredTerm], ranking: &Ranking, segment: &Segment) -> tantivy::Result<Vec<Match>> {
    let mut matches = Vec::<Match>::new();
    for word in words {
        let best = best_qualities(segment, word.expansion.lists(segment))?.into_iter();
        let steps = |quality| ranking.steps(quality, word);
        matches.extend(best.map(|(document, quality)| Match { document, steps: steps(quality) }));
    }
    matches.sort_unstable_by_key(|found| found.document);
    matches.dedup_by(|next, found| {
        let is_same = next.document == found.document;
        if is_same {
            found.steps += next.steps;
        }
        is_same
    });
    matches.iter_mut().for_each(|found| found.steps += UNBOOSTED_STEPS);
    Ok(matches)
}

/// Keeps the matches that also match this word.
fn retain_matches(
    matches: &mut Vec<Match>,
    word: &ScoredTerm,
    ranking: &Ranking,
    segment: &Segment,
) -> tantivy::Result<()> {
    let mut qualities = qualities_of(matches, word.expansion.lists(segment), segment)?.into_iter();
    matches.retain_mut(|found| match qualities.next() {
        None | Some(0) => false,
        Some(quality) => {
            found.steps += ranking.steps(quality, word);
            true
        }
    });
    Ok(())
}

/// Returns every document of some lists with its best quality, ascending.
fn best_qualities(segment: &Segment, lists: &[DocumentList]) -> tantivy::Result<Vec<(DocId, Quality)>> {
    with_qualities(segment, lists, |qualities, documents| {
        documents.sort_unstable();
        documents.iter().map(|document| (*document, qualities[*document as usize])).collect()
    })
}

/// Calls `read` with the best quality of each document of the segment in some lists, by document, and with the documents of
/// the lists in no order.
fn with_qualities<T>(
    segment: &Segment,
    lists: &[DocumentList],
    read: impl FnOnce(&[Quality], &mut [DocId]) -> T,
) -> tantivy::Result<T> {
    thread_local! {
        // Reused per thread: allocating and zeroing this buffer per word is expensive. It is all zero between calls.
        static QUALITIES: RefCell<Vec<Quality>> = const { RefCell::new(Vec::new()) };
    }
    QUALITIES.with_borrow_mut(|qualities| {
        let size = qualities.len().max(segment.reader.max_doc() as usize);
        qualities.resize(size, 0);
        let mut documents = Vec::with_capacity(max_entries(lists) as usize);
        let gathered = lists.iter().try_for_each(|list| {
            each_document(list, segment, |document, weight| {
                let best = &mut qualities[document as usize];
                if *best == 0 {
                    documents.push(document);
                }
                *best = quality(list, weight).max(*best);
                true
            })
            .map(drop)
        });
        let result = read(qualities, &mut documents);
        // Also after an error, so that the buffer is all zero again.
        documents.iter().for_each(|document| qualities[*document as usize] = 0);
        gathered.map(|()| result)
    })
}

/// The ratio of matches to list entries up to which the list is searched for each match. Above it, the list is the shorter
/// side: it is read whole, and the matches are searched for its entries.
const MATCHES_PER_ENTRY: usize = 4;
/// The number of lists from which they are merged before the matches are looked up.
const MANY_LISTS: usize = 24;

/// Returns the best quality of each match in some lists, in the order of the matches.
fn qualities_of(
    matches: &[Match],
    lists: &[DocumentList],
    segment: &Segment,
) -> tantivy::Result<Vec<Quality>> {
    let mut qualities = vec![0; matches.len()];
    if lists.len() > MANY_LISTS && max_entries(lists) as usize > matches.len() {
        with_qualities(segment, lists, |all, _| {
            let each = qualities.iter_mut().zip(matches);
            each.for_each(|(quality, found)| *quality = all[found.document as usize]);
        })?;
        return Ok(qualities);
    }
    for list in lists {
        let mut improve = |at: usize, weight: u32| qualities[at] = quality(list, weight).max(qualities[at]);
        match &list.terms {
            ListTerms::One(dictionary, info)
                if list.max_documents() as usize * MATCHES_PER_ENTRY > matches.len() =>
            {
                let mut postings = postings(*dictionary, info, segment)?;
                for (at, found) in matches.iter().enumerate() {
                    if seek(&mut postings, found.document) {
                        improve(at, postings.term_freq());
                    }
                    if postings.doc() == TERMINATED {
                        break;
                    }
                }
            }
            _ => {
                let mut rest = 0;
                each_document(list, segment, |document, weight| {
                    rest += matches[rest..].partition_point(|found| found.document < document);
                    if matches.get(rest).is_some_and(|found| found.document == document) {
                        improve(rest, weight);
                    }
                    rest < matches.len()
                })?;
            }
        }
    }
    Ok(qualities)
}
