//! Which documents of a segment have every word of a query, and how well.

use std::borrow::Borrow;

use tantivy::postings::Postings;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, TERMINATED};
use text::score::{MAX_HALF_LEVELS, STEP, Tier, steps_of_half_level};

use crate::expansion::{Expansion, QueryWord};
use crate::snapshot::Segment;

/// A document that has every word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    pub(crate) document: DocId,
    /// See [`text::score`].
    class: u32,
    /// The sum of the half levels of the words found.
    half_levels: u32,
}

/// Ranks matches of one query.
pub(crate) struct Ranking {
    words: usize,
    /// By the numbers of tiers.
    points: [u32; 4],
    steps_of_half_level: u32,
}

impl Ranking {
    pub(crate) fn new(words: usize) -> Self {
        let mut points = [0; 4];
        for tier in [Tier::TwoTypos, Tier::OneTypo, Tier::Prefix, Tier::Exact] {
            points[tier as usize] = tier.points(words);
        }
        Self { words, points, steps_of_half_level: steps_of_half_level(words) }
    }

    /// The score, see [`text::score`].
    pub(crate) fn score(&self, found: &Match) -> f32 {
        found.class as f32 + (found.half_levels * self.steps_of_half_level) as f32 * STEP
    }

    /// Whether a match of a single word is an exact one.
    pub(crate) fn is_exact(&self, found: &Match) -> bool {
        found.class == Tier::Exact.points(self.words)
    }
}

/// The documents of a segment that have every word, ascending.
pub(crate) fn matches<W: Borrow<QueryWord>>(
    words: &[W],
    ranking: &Ranking,
    segment: &Segment,
    number: usize,
) -> tantivy::Result<Vec<Match>> {
    // The rarest word first: the others are then looked up for its documents only.
    let mut by_cost: Vec<(u64, usize)> =
        words.iter().enumerate().map(|(index, word)| (cost(word.borrow(), number), index)).collect();
    by_cost.sort_unstable();
    let mut matches: Option<Vec<Match>> = None;
    for (cost, index) in by_cost {
        if cost == 0 || matches.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let word = words[index].borrow();
        matches = Some(match matches {
            None => first_matches(word, ranking, segment, number)?,
            Some(found) => narrowed(found, cost, word, ranking, segment, number)?,
        });
    }
    let mut matches = matches.unwrap_or_default();
    matches.retain(|found| !segment.reader.is_deleted(found.document));
    Ok(matches)
}

/// Entries in all lists of the word in the segment.
fn cost(word: &QueryWord, segment: usize) -> u64 {
    let length = |expansion: &Expansion| expansion.list(segment).map_or(0, |info| u64::from(info.doc_freq));
    word.expansions.iter().map(length).sum()
}

/// How a word was found in a document: the tier and, below it, the half levels, of which there is at least one; 0 when
/// it was not found.
type Code = u8;
const HALF_LEVEL_BITS: u32 = 6;
const _: () = assert!(MAX_HALF_LEVELS < 1 << HALF_LEVEL_BITS);

fn code(expansion: &Expansion, level: u32) -> Code {
    let half_levels = level * u32::from(expansion.spelling.half_levels());
    (expansion.tier as u8) << HALF_LEVEL_BITS | half_levels.min(u32::from(MAX_HALF_LEVELS)) as u8
}

impl Match {
    fn of(document: DocId, code: Code, ranking: &Ranking) -> Self {
        let mut found = Self { document, class: 0, half_levels: 0 };
        found.add(code, ranking);
        found
    }

    fn add(&mut self, code: Code, ranking: &Ranking) {
        self.class += ranking.points[usize::from(code >> HALF_LEVEL_BITS)];
        self.half_levels += u32::from(code) % (1 << HALF_LEVEL_BITS);
    }
}

fn first_matches(
    word: &QueryWord,
    ranking: &Ranking,
    segment: &Segment,
    number: usize,
) -> tantivy::Result<Vec<Match>> {
    let mut lists = word.expansions.iter().filter(|expansion| expansion.list(number).is_some());
    if let (Some(only), None) = (lists.next(), lists.next()) {
        let mut found = Vec::new();
        each_entry(only, segment, number, |document, code| found.push(Match::of(document, code, ranking)))?;
        return Ok(found);
    }
    let codes = codes_of_all(word, segment, number)?;
    let found = codes.iter().zip(0..).filter(|(code, _)| **code != 0);
    Ok(found.map(|(code, document)| Match::of(document, *code, ranking)).collect())
}

/// A list is read from its start when it is shorter than this many times the documents looked for; else it is
/// searched for each of them.
const READ_THROUGH: u64 = 16;

fn narrowed(
    mut found: Vec<Match>,
    cost: u64,
    word: &QueryWord,
    ranking: &Ranking,
    segment: &Segment,
    number: usize,
) -> tantivy::Result<Vec<Match>> {
    let codes = if cost < READ_THROUGH * found.len() as u64 {
        let all = codes_of_all(word, segment, number)?;
        found.iter().map(|found| all[found.document as usize]).collect()
    } else {
        codes_of_some(&found, word, segment, number)?
    };
    let mut codes = codes.into_iter();
    found.retain_mut(|found| match codes.next() {
        None | Some(0) => false,
        Some(code) => {
            found.add(code, ranking);
            true
        }
    });
    Ok(found)
}

/// For every document of the segment how the word is found there.
fn codes_of_all(word: &QueryWord, segment: &Segment, number: usize) -> tantivy::Result<Vec<Code>> {
    let mut codes = vec![0; segment.reader.max_doc() as usize];
    for expansion in word.expansions.iter() {
        each_entry(expansion, segment, number, |document, code| {
            let best = &mut codes[document as usize];
            *best = code.max(*best);
        })?;
    }
    Ok(codes)
}

/// The same for some documents only, in their order.
fn codes_of_some(
    found: &[Match],
    word: &QueryWord,
    segment: &Segment,
    number: usize,
) -> tantivy::Result<Vec<Code>> {
    let mut codes = vec![0; found.len()];
    for expansion in word.expansions.iter() {
        let Some(info) = expansion.list(number) else { continue };
        let lists = segment.lists_of(expansion.dictionary);
        let mut postings = lists.read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
        for (best, found) in codes.iter_mut().zip(found) {
            let at = postings.doc();
            if at == TERMINATED {
                break;
            }
            let at = if at < found.document { postings.seek(found.document) } else { at };
            if at == found.document {
                *best = code(expansion, postings.term_freq()).max(*best);
            }
        }
    }
    Ok(codes)
}

fn each_entry(
    expansion: &Expansion,
    segment: &Segment,
    number: usize,
    mut each: impl FnMut(DocId, Code),
) -> tantivy::Result<()> {
    let Some(info) = expansion.list(number) else { return Ok(()) };
    let lists = segment.lists_of(expansion.dictionary);
    let mut block = lists.read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
    while !block.docs().is_empty() {
        for (document, frequency) in block.docs().iter().zip(block.freqs()) {
            each(*document, code(expansion, *frequency));
        }
        block.advance();
    }
    Ok(())
}
