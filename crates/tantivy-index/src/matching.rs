//! Which documents of a segment have the words of a query, and how well.

use std::cell::RefCell;
use std::sync::Arc;

use tantivy::postings::{Postings, SegmentPostings, TermInfo};
use tantivy::query::{EnableScoring, PhraseQuery, Query as _};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, TERMINATED, Term};
use text::dictionary::Dictionary;
use text::score::{
    MAX_SCALED_PHRASE_WEIGHT, MAX_SCALED_WEIGHT, STEP, Tier, UNBOOSTED_STEPS, class_steps, is_weighted,
    steps_per_scaled_weight,
};

use crate::expansion::{Expansion, List, Terms};
use crate::snapshot::{Segment, Snapshot};
use crate::tuning::Tuned;

/// A word or a phrase that is looked for.
pub(crate) struct Sought {
    pub(crate) expansion: Arc<Expansion>,
    /// Whether a document without it is no match.
    pub(crate) is_required: bool,
    /// Whether it counts as a word; a phrase only adds to the score.
    pub(crate) is_word: bool,
    /// Whether its levels count.
    pub(crate) counts_by_weight: bool,
}

/// A document that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) document: DocId,
    /// Its score in steps, see [`text::score`].
    pub(crate) steps: u32,
}

/// Ranks matches of one query.
pub(crate) struct Ranking {
    /// By the numbers of tiers.
    class: [u32; 4],
    half_weight: u32,
}

impl Ranking {
    /// For a query of so many words.
    pub(crate) fn new(words: usize) -> Self {
        let mut class = [0; 4];
        for tier in [Tier::TwoTypos, Tier::OneTypo, Tier::Prefix, Tier::Exact] {
            class[tier as usize] = class_steps(tier.points(words));
        }
        Self { class, half_weight: steps_per_scaled_weight(words) }
    }

    /// Adds what phrases count where documents have them.
    pub(crate) fn add_phrases(
        &self,
        found: &mut [Match],
        sought: &[Sought],
        segment: &Segment,
        number: usize,
    ) -> tantivy::Result<()> {
        for phrase in sought.iter().filter(|sought| !sought.is_word) {
            self.add(found, phrase, segment, number)?;
        }
        Ok(())
    }

    fn add(
        &self,
        found: &mut [Match],
        sought: &Sought,
        segment: &Segment,
        number: usize,
    ) -> tantivy::Result<()> {
        let codes = codes_of_some(found, sought, segment, number)?;
        for (found, code) in found.iter_mut().zip(codes).filter(|(_, code)| *code != 0) {
            found.steps += self.steps(code, sought);
        }
        Ok(())
    }

    fn steps(&self, code: Code, sought: &Sought) -> u32 {
        let class = if sought.is_word { self.class[usize::from(code >> HALF_WEIGHT_BITS)] } else { 0 };
        let half_weights =
            if sought.counts_by_weight { u32::from(code) % (1 << HALF_WEIGHT_BITS) } else { 0 };
        class + half_weights * self.half_weight
    }
}

/// The score of so many steps.
pub(crate) fn score(steps: u32) -> f32 {
    steps as f32 * STEP
}

/// How a word was found in a document: the tier and, below it, the half levels, of which there is at least one; 0 when
/// it was not found.
type Code = u16;
const HALF_WEIGHT_BITS: u32 = 8;

fn code(list: &List, weight: u32) -> Code {
    let half_weights = weight * u32::from(list.half_weights);
    let half_weights =
        half_weights.clamp(1, u32::from(MAX_SCALED_WEIGHT.max(MAX_SCALED_PHRASE_WEIGHT))) as Code;
    (list.tier as Code) << HALF_WEIGHT_BITS | half_weights
}

/// The documents of a segment that have every required word and at least one of all, ascending, without those that
/// were deleted. Phrases are not looked for.
pub(crate) fn matches(
    sought: &[Sought],
    ranking: &Ranking,
    segment: &Segment,
    number: usize,
) -> tantivy::Result<Vec<Match>> {
    let lists = |sought: &Sought| entries(sought.expansion.lists(number));
    let words = || sought.iter().filter(|sought| sought.is_word);
    let mut required: Vec<&Sought> = words().filter(|sought| sought.is_required).collect();
    // The rarest word first: the others are then looked up for its documents only.
    required.sort_by_key(|sought| lists(sought));
    let mut found = match required.first() {
        Some(first) => documents_of(first, ranking, segment, number)?,
        None => documents_of_any(&words().collect::<Vec<_>>(), ranking, segment, number)?,
    };
    for word in required.iter().skip(1) {
        if found.is_empty() {
            return Ok(found);
        }
        narrow(&mut found, word, ranking, segment, number)?;
    }
    found.retain(|found| !segment.reader.is_deleted(found.document));
    if !required.is_empty() {
        for word in words().filter(|sought| !sought.is_required) {
            ranking.add(&mut found, word, segment, number)?;
        }
    }
    Ok(found)
}

/// Whether at least so many documents that are not deleted have the word.
pub(crate) fn has_at_least(
    count: usize,
    expansion: &Expansion,
    snapshot: &Snapshot,
) -> tantivy::Result<bool> {
    let mut known = Vec::<(usize, DocId)>::new();
    for (number, segment) in snapshot.segments.iter().enumerate() {
        for list in expansion.lists(number) {
            // The documents of one list are all different.
            let before = known.len();
            let is_open = each_entry(list, segment, |document, _| {
                if !segment.reader.is_deleted(document) {
                    known.push((number, document));
                }
                known.len() < before + count
            })?;
            if !is_open {
                return Ok(true);
            }
        }
    }
    known.sort_unstable();
    known.dedup();
    Ok(known.len() >= count)
}

/// Entries in all lists.
fn entries(lists: &[List]) -> u64 {
    lists.iter().map(|list| u64::from(list.documents())).sum()
}

fn documents_of(
    sought: &Sought,
    ranking: &Ranking,
    segment: &Segment,
    number: usize,
) -> tantivy::Result<Vec<Match>> {
    let lists = sought.expansion.lists(number);
    let start = |code| UNBOOSTED_STEPS + ranking.steps(code, sought);
    let mut found = Vec::with_capacity(entries(lists) as usize);
    if let [list] = lists {
        each_entry(list, segment, |document, weight| {
            found.push(Match { document, steps: start(code(list, weight)) });
            true
        })?;
        return Ok(found);
    }
    let coded = best_codes(segment, lists)?.into_iter();
    found.extend(coded.map(|(document, code)| Match { document, steps: start(code) }));
    Ok(found)
}

/// Documents with at least one of the words.
fn documents_of_any(
    words: &[&Sought],
    ranking: &Ranking,
    segment: &Segment,
    number: usize,
) -> tantivy::Result<Vec<Match>> {
    let mut all = Vec::<Match>::new();
    for sought in words {
        let coded = best_codes(segment, sought.expansion.lists(number))?.into_iter();
        all.extend(coded.map(|(document, code)| Match { document, steps: ranking.steps(code, sought) }));
    }
    all.sort_unstable_by_key(|found| found.document);
    all.dedup_by(|next, found| {
        let is_same = next.document == found.document;
        if is_same {
            found.steps += next.steps;
        }
        is_same
    });
    all.iter_mut().for_each(|found| found.steps += UNBOOSTED_STEPS);
    Ok(all)
}

/// Keeps what has the word too.
fn narrow(
    found: &mut Vec<Match>,
    sought: &Sought,
    ranking: &Ranking,
    segment: &Segment,
    number: usize,
) -> tantivy::Result<()> {
    let mut codes = codes_of_some(found, sought, segment, number)?.into_iter();
    found.retain_mut(|found| match codes.next() {
        None | Some(0) => false,
        Some(code) => {
            found.steps += ranking.steps(code, sought);
            true
        }
    });
    Ok(())
}

/// How documents are found by the best of some lists, ascending.
fn best_codes(segment: &Segment, lists: &[List]) -> tantivy::Result<Vec<(DocId, Code)>> {
    with_codes(segment, lists, |codes, documents| {
        documents.sort_unstable();
        documents.iter().map(|document| (*document, codes[*document as usize])).collect()
    })
}

/// Hands to `read` how each document of the segment is found by the best of the lists, and which ones are.
fn with_codes<T>(
    segment: &Segment,
    lists: &[List],
    read: impl FnOnce(&[Code], &mut [DocId]) -> T,
) -> tantivy::Result<T> {
    thread_local! {
        // Memory of this size is dear to get, and to fill with zeros, anew for each word.
        static CODES: RefCell<Vec<Code>> = const { RefCell::new(Vec::new()) };
    }
    CODES.with_borrow_mut(|codes| {
        let size = codes.len().max(segment.reader.max_doc() as usize);
        codes.resize(size, 0);
        let mut documents = Vec::with_capacity(entries(lists) as usize);
        let gathered = lists.iter().try_for_each(|list| {
            each_entry(list, segment, |document, weight| {
                let best = &mut codes[document as usize];
                if *best == 0 {
                    documents.push(document);
                }
                *best = code(list, weight).max(*best);
                true
            })
            .map(drop)
        });
        let answer = read(codes, &mut documents);
        // All zero again, also after a failure.
        documents.iter().for_each(|document| codes[*document as usize] = 0);
        gathered.map(|()| answer)
    })
}

/// How many documents have the word, those that are not shown left out: exactly or, where none has it so, in any way.
pub(crate) fn document_frequency(
    expansion: &Expansion,
    snapshot: &Snapshot,
    tuned: &Tuned,
) -> tantivy::Result<usize> {
    let count = |is_counted: &dyn Fn(&List) -> bool| -> tantivy::Result<usize> {
        let mut count = 0;
        for (number, segment) in snapshot.segments.iter().enumerate() {
            let mut lists = expansion.lists(number).iter().filter(|list| is_counted(list)).peekable();
            let Some(first) = lists.next() else { continue };
            if let (Terms::One(_, info), None) = (&first.terms, lists.peek())
                && !segment.reader.has_deletes()
                && !tuned.hides()
            {
                count += info.doc_freq as usize;
                continue;
            }
            let mut documents = Vec::new();
            for list in std::iter::once(first).chain(lists) {
                each_entry(list, segment, |document, _| {
                    documents.push(document);
                    true
                })?;
            }
            documents.sort_unstable();
            documents.dedup();
            let is_shown = |document: &&DocId| {
                !segment.reader.is_deleted(**document) && !tuned.is_hidden(**document, number)
            };
            count += documents.iter().filter(is_shown).count();
        }
        Ok(count)
    };
    match count(&|list| list.tier == Tier::Exact)? {
        0 => count(&|_| true),
        itself => Ok(itself),
    }
}

/// A list with fewer entries than this share of the documents looked for is read whole, and they are searched for its
/// entries; else it is searched for them.
const FEWER: usize = 4;
/// So many lists are put together before they are looked at.
const MANY_LISTS: usize = 24;

/// How each of some documents is found by the best of the lists, in their order.
fn codes_of_some(
    found: &[Match],
    sought: &Sought,
    segment: &Segment,
    number: usize,
) -> tantivy::Result<Vec<Code>> {
    let lists = sought.expansion.lists(number);
    let mut codes = vec![0; found.len()];
    if lists.len() > MANY_LISTS && entries(lists) as usize > found.len() {
        with_codes(segment, lists, |all, _| {
            codes.iter_mut().zip(found).for_each(|(code, found)| *code = all[found.document as usize]);
        })?;
        return Ok(codes);
    }
    for list in lists {
        let mut better = |at: usize, weight: u32| codes[at] = code(list, weight).max(codes[at]);
        match &list.terms {
            Terms::One(dictionary, info) if list.documents() as usize * FEWER > found.len() => {
                let mut postings = postings(*dictionary, info, segment)?;
                for (at, found) in found.iter().enumerate() {
                    if weight_at(&mut postings, found.document) {
                        better(at, postings.term_freq());
                    }
                    if postings.doc() == TERMINATED {
                        break;
                    }
                }
            }
            _ => {
                let mut rest = 0;
                each_entry(list, segment, |document, weight| {
                    rest += found[rest..].partition_point(|found| found.document < document);
                    if found.get(rest).is_some_and(|found| found.document == document) {
                        better(rest, weight);
                    }
                    rest < found.len()
                })?;
            }
        }
    }
    Ok(codes)
}

/// Goes to the document, or to the first one behind it, and says whether it is there.
fn weight_at(postings: &mut SegmentPostings, document: DocId) -> bool {
    let at = postings.doc();
    (if at < document { postings.seek(document) } else { at }) == document
}

fn postings(dictionary: Dictionary, info: &TermInfo, segment: &Segment) -> tantivy::Result<SegmentPostings> {
    let lists = segment.lists_of(dictionary);
    Ok(lists.read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?)
}

/// Hands each document of the list, with the level of its word, to `each`, until that answers false; answers whether it
/// never did.
fn each_entry(
    list: &List,
    segment: &Segment,
    mut each: impl FnMut(DocId, u32) -> bool,
) -> tantivy::Result<bool> {
    match &list.terms {
        Terms::One(dictionary, info) => {
            let lists = segment.lists_of(*dictionary);
            let mut block = lists.read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
            while !block.docs().is_empty() {
                for (document, weight) in block.docs().iter().zip(block.freqs()) {
                    if !each(*document, *weight) {
                        return Ok(false);
                    }
                }
                block.advance();
            }
        }
        Terms::All(infos) => {
            let mut terms = Vec::with_capacity(infos.len());
            for (dictionary, info) in infos {
                terms.push(postings(*dictionary, info, segment)?);
            }
            let Some((first, others)) = terms.split_first_mut() else { return Ok(true) };
            while first.doc() != TERMINATED {
                let document = first.doc();
                let has_all = others.iter_mut().all(|other| weight_at(other, document));
                if has_all && !each(document, first.term_freq()) {
                    return Ok(false);
                }
                first.advance();
            }
        }
        Terms::Phrase(first, pairs) => {
            let mut first = postings(Dictionary::of_word(&pairs[0]), first, segment)?;
            let terms = pairs.iter().map(|pair| Term::from_field_text(segment.runs, pair)).collect();
            let weight = PhraseQuery::new(terms)
                .weight(EnableScoring::disabled_from_schema(segment.reader.schema()))?;
            let mut together = weight.scorer(&segment.reader, 1.0)?;
            while together.doc() != TERMINATED {
                let document = together.doc();
                if weight_at(&mut first, document) && !each(document, first.term_freq()) {
                    return Ok(false);
                }
                together.advance();
            }
        }
    }
    Ok(true)
}

/// What is looked for, word after word, in the order of the query; `required` says of each whether it must be there.
pub(crate) fn sought(words: Vec<(Arc<Expansion>, bool)>, phrases: Vec<(Expansion, usize)>) -> Vec<Sought> {
    let word = |(place, (expansion, is_required)): (usize, (Arc<Expansion>, bool))| Sought {
        expansion,
        is_required,
        is_word: true,
        counts_by_weight: is_weighted(place),
    };
    let phrase = |(expansion, ends_with): (Expansion, usize)| Sought {
        expansion: Arc::new(expansion),
        is_required: false,
        is_word: false,
        counts_by_weight: is_weighted(ends_with),
    };
    words.into_iter().enumerate().map(word).chain(phrases.into_iter().map(phrase)).collect()
}
