//! Finds the documents of a segment that match the words of a query, and scores them.

use std::cell::RefCell;

use tantivy::postings::Postings;
use tantivy::{DocId, DocSet, TERMINATED};
use text::score::UNBOOSTED_STEPS;

use crate::search::expansion::{DocumentList, ListTerms};
use crate::search::postings::{each_document, max_entries, postings, seek};
use crate::search::ranking::{Match, Quality, Ranking, ScoredMarker, ScoredTerm, quality};
use crate::search::segment::Segment;

/// Returns the documents that match every required word and at least one word, ascending, without deleted ones. Their scores do not
/// include phrases or, if a word is required, optional words, see [`add_optional_words`].
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
    if segment.reader.has_deletes() {
        matches.retain(|found| !segment.reader.is_deleted(found.document));
    }
    Ok(matches)
}

/// Adds the scores of optional words to the matches of [`find_matches`], which has added them already if no word is required.
pub(crate) fn add_optional_words(
    matches: &mut [Match],
    terms: &[ScoredTerm],
    ranking: &Ranking,
    segment: &Segment,
) -> tantivy::Result<()> {
    let words = || terms.iter().filter(|term| term.is_word);
    if words().all(|word| !word.is_required) {
        return Ok(());
    }
    words().filter(|word| !word.is_required).try_for_each(|word| add_score(matches, word, ranking, segment))
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
        each_quality(matches, lists, segment, |found, _| {
            found.steps = found.steps.saturating_add_signed(marker.steps);
        })?;
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
    let add = |found: &mut Match, quality| found.steps += ranking.steps(quality, term);
    each_quality(matches, term.expansion.lists(segment), segment, add)
}

/// Calls `each` with every match that is in one of the lists, and its best quality.
fn each_quality(
    matches: &mut [Match],
    lists: &[DocumentList],
    segment: &Segment,
    mut each: impl FnMut(&mut Match, Quality),
) -> tantivy::Result<()> {
    if let [list] = lists {
        return each_match_in(list, matches, segment, |_, found, weight| each(found, quality(list, weight)));
    }
    let qualities = qualities_of(matches, lists, segment)?;
    let found = matches.iter_mut().zip(qualities).filter(|(_, quality)| *quality != 0);
    found.for_each(|(found, quality)| each(found, quality));
    Ok(())
}

/// Returns the documents that match a word.
fn match_word(word: &ScoredTerm, ranking: &Ranking, segment: &Segment) -> tantivy::Result<Vec<Match>> {
    let lists = word.expansion.lists(segment);
    let steps = |quality| UNBOOSTED_STEPS + ranking.steps(quality, word);
    if let [list] = lists {
        let mut matches = Vec::with_capacity(max_entries(lists) as usize);
        each_document(list, segment, |document, weight| {
            matches.push(Match { document, steps: steps(quality(list, weight)) });
            true
        })?;
        return Ok(matches);
    }
    best_matches(segment, lists, steps)
}

/// Returns the documents that match at least one of the words.
fn match_any(words: &[&ScoredTerm], ranking: &Ranking, segment: &Segment) -> tantivy::Result<Vec<Match>> {
    let mut matches = Vec::<Match>::new();
    for word in words {
        let steps = |quality| ranking.steps(quality, word);
        matches.append(&mut best_matches(segment, word.expansion.lists(segment), steps)?);
    }
    // The matches of each word are ascending already, and a stable sort merges such runs.
    matches.sort_by_key(|found| found.document);
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

/// Returns every document of the lists, ascending, with the steps of its best quality.
fn best_matches(
    segment: &Segment,
    lists: &[DocumentList],
    steps: impl Fn(Quality) -> u32,
) -> tantivy::Result<Vec<Match>> {
    with_qualities(segment, lists, |qualities, documents| {
        // Each list is ascending already, and a stable sort merges such runs.
        documents.sort();
        let found =
            |document: &DocId| Match { document: *document, steps: steps(qualities[*document as usize]) };
        documents.iter().map(found).collect()
    })
}

/// The buffers of [`with_qualities`].
#[derive(Default)]
struct Buffers {
    /// By document; all zero between calls.
    qualities: Vec<Quality>,
    /// Empty between calls.
    documents: Vec<DocId>,
}

/// Calls `read` with two buffers: the best quality of each document of the segment, indexed by document and 0 if no list has it;
/// and the documents of the lists, each once. The documents that a list adds to those of the lists before are ascending.
pub(crate) fn with_qualities<T>(
    segment: &Segment,
    lists: &[DocumentList],
    read: impl FnOnce(&[Quality], &mut [DocId]) -> T,
) -> tantivy::Result<T> {
    thread_local! {
        // Reused per thread: allocating and zeroing these buffers per word is expensive.
        static BUFFERS: RefCell<Buffers> = RefCell::default();
    }
    BUFFERS.with_borrow_mut(|Buffers { qualities, documents }| {
        let size = qualities.len().max(segment.reader.max_doc() as usize);
        qualities.resize(size, 0);
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
        let result = read(qualities, documents);
        // Also after an error, so that the buffers are as before.
        documents.drain(..).for_each(|document| qualities[document as usize] = 0);
        gathered.map(|()| result)
    })
}

/// The ratio of list entries to matches above which each match is looked up in the list. Otherwise the whole list is merged with the
/// matches.
const ENTRIES_PER_MATCH: usize = 8;
/// The number of lists above which they may be merged into one before the matches are looked up.
const MANY_LISTS: usize = 24;

/// Returns the best quality of each match in the lists, in the order of the matches; 0 for a match in none.
fn qualities_of(
    matches: &mut [Match],
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
        let improve = |at: usize, _: &mut Match, weight| {
            qualities[at] = quality(list, weight).max(qualities[at]);
        };
        each_match_in(list, matches, segment, improve)?;
    }
    Ok(qualities)
}

/// Calls `each` with every match that is in a list: its position, itself and its weight.
fn each_match_in(
    list: &DocumentList,
    matches: &mut [Match],
    segment: &Segment,
    mut each: impl FnMut(usize, &mut Match, u32),
) -> tantivy::Result<()> {
    if let ListTerms::One(dictionary, info) = &list.terms
        && list.max_documents() as usize > matches.len() * ENTRIES_PER_MATCH
    {
        let mut postings = postings(*dictionary, info, segment)?;
        for (at, found) in matches.iter_mut().enumerate() {
            if seek(&mut postings, found.document) {
                each(at, found, postings.term_freq());
            }
            if postings.doc() == TERMINATED {
                break;
            }
        }
        return Ok(());
    }
    let mut rest = 0;
    each_document(list, segment, |document, weight| {
        rest += matches[rest..].iter().take_while(|found| found.document < document).count();
        if let Some(found) = matches.get_mut(rest)
            && found.document == document
        {
            each(rest, found, weight);
        }
        rest < matches.len()
    })
    .map(drop)
}
