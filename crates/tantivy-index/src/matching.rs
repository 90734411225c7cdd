//! Which documents of a segment have every word of a query, and how well.

use tantivy::postings::Postings;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, TERMINATED};
use text::product::Part;

use crate::document::{MASKS, mask_of};
use crate::expansion::{Expansion, QueryWord, Tier, dictionary};
use crate::snapshot::{Segment, Snapshot};

/// A document that has every word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    pub(crate) document: DocId,
    /// How many words it has in each tier.
    tiers: Tiers,
    /// The sum over all words of what finding the word in these parts of the product is worth, in whole units, so
    /// that the order of adding does not matter.
    worth: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tiers {
    exact: u8,
    prefix: u8,
    one_typo: u8,
}

/// Ranks matches of one query. It depends on the whole index, not on a segment.
pub(crate) struct Ranking {
    /// For each word of the query, what each mask is worth.
    worth: Vec<[u32; MASKS]>,
    /// The sum of the most that each word can be worth.
    best_worth: f32,
    words: u32,
}

/// What a part of a product is worth to a word found in it. Worth grows ever more slowly with the sum, so that one
/// more part adds less than the first.
const PART_WEIGHTS: [(Part, f32); 5] = [
    (Part::Name, 8.0),
    (Part::Brand, 5.0),
    (Part::Labels, 3.0),
    (Part::Attributes, 1.5),
    (Part::Description, 1.0),
];
/// The sum of weights that is worth half of the most.
const HALF_WORTH: f32 = 4.0;
/// Units in the worth of a word of weight one.
const UNITS: f32 = 65_536.0;

impl Ranking {
    pub(crate) fn new(words: &[QueryWord], snapshot: &Snapshot) -> Self {
        let rarity = |word: &QueryWord| rarity(word.documents(), snapshot.searcher.num_docs());
        let worth = words.iter().map(|word| worths(rarity(word))).collect();
        let best_worth = words.iter().map(|word| rarity(word) * UNITS).sum();
        Self { worth, best_worth, words: words.len() as u32 }
    }

    /// The score: a whole number that puts more words found exactly first, then those found as beginnings, then
    /// those with one typo, and a fraction below one for everything else.
    pub(crate) fn score(&self, found: &Match, segment: &Segment) -> f32 {
        let Tiers { exact, prefix, one_typo } = found.tiers;
        let class = (u32::from(exact) * 2 + u32::from(prefix)) * (self.words + 1) + u32::from(one_typo);
        let name_words =
            segment.name_words.as_ref().and_then(|words| words.first(found.document)).unwrap_or(0);
        // Of two names with the word, the one with less beside it is more about it.
        let brevity = 1.0 / (1.0 + 0.02 * name_words.min(50) as f32);
        class as f32 + 0.99 * brevity * found.worth as f32 / self.best_worth
    }
}

/// The weight of a word among the others of its query: a step for each time that it is twice as rare. Whole steps
/// do not change with every write, so that the cursor of a list sorted by score keeps its place.
fn rarity(documents: u64, all: u64) -> f32 {
    let share = (all.max(documents) + 1) / (documents + 1);
    1.0 + share.ilog2() as f32
}

fn worths(rarity: f32) -> [u32; MASKS] {
    std::array::from_fn(|mask| {
        let parts = PART_WEIGHTS.iter().filter(|(part, _)| mask & *part as usize != 0);
        let weight: f32 = parts.map(|(_, weight)| weight).sum();
        (UNITS * rarity * weight / (weight + HALF_WORTH)) as u32
    })
}

/// The documents of a segment that have every word, ascending.
pub(crate) fn matches(
    words: &[QueryWord],
    ranking: &Ranking,
    segment: &Segment,
    number: usize,
) -> tantivy::Result<Vec<Match>> {
    // The rarest word first: the others are then looked up for its documents only.
    let mut by_cost: Vec<(u64, usize)> =
        words.iter().enumerate().map(|(index, word)| (cost(word, number), index)).collect();
    by_cost.sort_unstable();
    let mut matches: Option<Vec<Match>> = None;
    for (cost, index) in by_cost {
        if cost == 0 || matches.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let (word, worth) = (&words[index], &ranking.worth[index]);
        matches = Some(match matches {
            None => first_matches(word, worth, segment, number)?,
            Some(found) => narrowed(found, cost, word, worth, segment, number)?,
        });
    }
    let mut matches = matches.unwrap_or_default();
    matches.retain(|found| !segment.reader.is_deleted(found.document));
    Ok(matches)
}

/// Entries in all lists of the word in the segment.
fn cost(word: &QueryWord, segment: usize) -> u64 {
    let length =
        |expansion: &Expansion| expansion.list(segment).map_or(0, |(info, _)| u64::from(info.doc_freq));
    word.expansions.iter().map(length).sum()
}

/// How a word was found in a document: the tier and, below it, the mask; 0 when it was not.
type Code = u8;
const MASK_BITS: u32 = MASKS.ilog2();

/// Adds a find; the best tier counts, and within it all parts together. Tiers come from the worst to the best.
fn add(code: &mut Code, tier: Tier, mask: u8) {
    let found = (tier as u8) << MASK_BITS | mask;
    *code = if *code >> MASK_BITS == tier as u8 { *code | found } else { found };
}

impl Match {
    fn add(&mut self, code: Code, worth: &[u32; MASKS]) {
        let tier = code >> MASK_BITS;
        self.tiers.exact += u8::from(tier == Tier::Exact as u8);
        self.tiers.prefix += u8::from(tier == Tier::Prefix as u8);
        self.tiers.one_typo += u8::from(tier == Tier::OneTypo as u8);
        self.worth += worth[usize::from(code) % MASKS];
    }

    fn of(document: DocId, code: Code, worth: &[u32; MASKS]) -> Self {
        let mut found = Self { document, tiers: Tiers::default(), worth: 0 };
        found.add(code, worth);
        found
    }
}

fn first_matches(
    word: &QueryWord,
    worth: &[u32; MASKS],
    segment: &Segment,
    number: usize,
) -> tantivy::Result<Vec<Match>> {
    let mut lists = word.expansions.iter().filter(|expansion| expansion.list(number).is_some());
    if let (Some(only), None) = (lists.next(), lists.next()) {
        let mut found = Vec::new();
        each_entry(only, segment, number, |document, mask| {
            let mut code = 0;
            add(&mut code, only.tier, mask);
            found.push(Match::of(document, code, worth));
        })?;
        return Ok(found);
    }
    let codes = codes_of_all(word, segment, number)?;
    let found = codes.iter().zip(0..).filter(|(code, _)| **code != 0);
    Ok(found.map(|(code, document)| Match::of(document, *code, worth)).collect())
}

/// A list is read from its start when it is shorter than this many times the documents looked for; else it is
/// searched for each of them.
const READ_THROUGH: u64 = 16;

fn narrowed(
    mut found: Vec<Match>,
    cost: u64,
    word: &QueryWord,
    worth: &[u32; MASKS],
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
            found.add(code, worth);
            true
        }
    });
    Ok(found)
}

/// For every document of the segment how the word is found there.
fn codes_of_all(word: &QueryWord, segment: &Segment, number: usize) -> tantivy::Result<Vec<Code>> {
    let mut codes = vec![0; segment.reader.max_doc() as usize];
    for expansion in word.expansions.iter() {
        each_entry(expansion, segment, number, |document, mask| {
            add(&mut codes[document as usize], expansion.tier, mask);
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
        let Some((info, has_digit)) = expansion.list(number) else { continue };
        let list = dictionary(segment, has_digit);
        let mut postings = list.read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
        for (code, found) in codes.iter_mut().zip(found) {
            let at = postings.doc();
            if at == TERMINATED {
                break;
            }
            let at = if at < found.document { postings.seek(found.document) } else { at };
            if at == found.document {
                add(code, expansion.tier, mask_of(postings.term_freq()));
            }
        }
    }
    Ok(codes)
}

fn each_entry(
    expansion: &Expansion,
    segment: &Segment,
    number: usize,
    mut each: impl FnMut(DocId, u8),
) -> tantivy::Result<()> {
    let Some((info, has_digit)) = expansion.list(number) else { return Ok(()) };
    let list = dictionary(segment, has_digit);
    let mut block = list.read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
    while !block.docs().is_empty() {
        for (document, frequency) in block.docs().iter().zip(block.freqs()) {
            each(*document, mask_of(*frequency));
        }
        block.advance();
    }
    Ok(())
}
