//! The words of a query and the words of the index that each of them finds.
//!
//! Each word is looked up as it is, as a beginning if it is the last one, and with typos as its length allows, by
//! running an automaton over the dictionary of each segment. All of that happens once for a query.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::DocSet;
use tantivy::index::InvertedIndexReader;
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy_fst::Automaton;
use text::analysis::has_digit;
use text::query::{Word, distinct_words, typos_allowed};

use crate::snapshot::{Segment, Snapshot};

/// The most corrections of one word: those with the fewest typos, then the most frequent.
const MAX_TYPO_EXPANSIONS: usize = 50;
/// The most words that one beginning stands for: the most frequent.
const MAX_PREFIX_EXPANSIONS: usize = 1000;

/// How well a word of the index matches one of the query, the best last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    TwoTypos = 1,
    OneTypo = 2,
    Prefix = 3,
    Exact = 4,
}

/// A word of a query.
pub(crate) struct QueryWord {
    /// The word, folded.
    pub(crate) text: String,
    /// Its place in the query.
    pub(crate) at: Range<usize>,
    /// Whether it also counts as a beginning.
    pub(crate) is_last: bool,
    /// The words that it finds, from the worst tier to the best.
    pub(crate) expansions: Arc<[Expansion]>,
}

/// The words that a snapshot was asked for before: shoppers ask for the same ones, and turn pages.
#[derive(Default)]
pub(crate) struct KnownWords(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// By text, and whether it was the last word.
    words: HashMap<(String, bool), Arc<[Expansion]>>,
    expansions: usize,
}

/// The most expansions that a snapshot remembers, a few megabytes; then it begins anew.
const MAX_KNOWN_EXPANSIONS: usize = 20_000;

impl KnownWords {
    fn get(&self, text: &str, is_last: bool) -> Option<Arc<[Expansion]>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.words.get(&(text.to_owned(), is_last)).cloned()
    }

    fn remember(&self, text: &str, is_last: bool, expansions: &Arc<[Expansion]>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A word that finds nothing takes room too.
        known.expansions += expansions.len() + 1;
        if known.expansions > MAX_KNOWN_EXPANSIONS {
            *known = Known { expansions: expansions.len() + 1, ..Known::default() };
        }
        known.words.insert((text.to_owned(), is_last), Arc::clone(expansions));
    }
}

/// A word of the index.
pub(crate) struct Expansion {
    pub(crate) text: String,
    pub(crate) tier: Tier,
    /// Documents with it, deleted ones included.
    pub(crate) documents: u64,
    /// Its lists, by segment.
    lists: Vec<List>,
}

struct List {
    segment: usize,
    has_digit: bool,
    info: TermInfo,
}

impl QueryWord {
    /// Documents that the word stands for: with the word itself if there are any, else with what it was taken for.
    pub(crate) fn documents(&self) -> u64 {
        match self.expansions.last() {
            Some(best) if best.tier == Tier::Exact => best.documents,
            _ => self.expansions.iter().map(|expansion| expansion.documents).sum(),
        }
    }

    /// Whether a word of a document is one that this one finds.
    pub(crate) fn finds(&self, word: &str) -> bool {
        (self.is_last && word.starts_with(&self.text))
            || self
                .expansions
                .iter()
                .any(|expansion| expansion.tier != Tier::Prefix && expansion.text == word)
    }
}

impl Expansion {
    /// The word's list in a segment, with its length.
    pub(crate) fn list(&self, segment: usize) -> Option<(&TermInfo, bool)> {
        let list = self.lists.iter().find(|list| list.segment == segment)?;
        Some((&list.info, list.has_digit))
    }

    /// Whether any product that is not deleted has the word.
    fn is_alive(&self, snapshot: &Snapshot) -> tantivy::Result<bool> {
        for list in &self.lists {
            let segment = &snapshot.segments[list.segment];
            let mut postings = dictionary(segment, list.has_digit)
                .read_postings_from_terminfo(&list.info, IndexRecordOption::Basic)?;
            while postings.doc() != tantivy::TERMINATED {
                if !segment.reader.is_deleted(postings.doc()) {
                    return Ok(true);
                }
                postings.advance();
            }
        }
        Ok(false)
    }
}

/// Where the words of a kind stand.
pub(crate) fn dictionary(segment: &Segment, has_digit: bool) -> &Arc<InvertedIndexReader> {
    if has_digit { &segment.codes } else { &segment.words }
}

/// The words of the query with all that they find.
pub(crate) fn expand(query: &str, snapshot: &Snapshot) -> tantivy::Result<Vec<QueryWord>> {
    distinct_words(query).into_iter().map(|word| expand_word(word, snapshot)).collect()
}

fn expand_word(word: Word, snapshot: &Snapshot) -> tantivy::Result<QueryWord> {
    let Word { text, at, is_last } = word;
    if let Some(expansions) = snapshot.known_words.get(&text, is_last) {
        return Ok(QueryWord { text, at, is_last, expansions });
    }
    let mut gathered = Gathered::default();
    let typos = typos_allowed(&text);
    let automaton = (typos > 0).then(|| TypoAutomaton(automaton_builder(typos).build_dfa(&text)));
    for (number, segment) in snapshot.segments.iter().enumerate() {
        gathered.exact(&text, segment, number)?;
        if is_last {
            gathered.prefix(&text, segment, number)?;
        }
        if let Some(automaton) = &automaton {
            gathered.typos(automaton, segment, number)?;
        }
    }
    let expansions = gathered.best().into();
    snapshot.known_words.remember(&text, is_last, &expansions);
    Ok(QueryWord { text, at, is_last, expansions })
}

/// What is found for one word, by text.
#[derive(Default)]
struct Gathered(HashMap<String, Expansion>);

impl Gathered {
    fn add(&mut self, word: &[u8], tier: Tier, segment: usize, has_digit: bool, info: &TermInfo) {
        let Ok(word) = std::str::from_utf8(word) else { return };
        let list = || List { segment, has_digit, info: info.clone() };
        match self.0.get_mut(word) {
            Some(known) => {
                known.tier = known.tier.max(tier);
                // A word that is found in two ways has one list in the segment all the same.
                if known.lists.last().is_none_or(|last| last.segment != segment) {
                    known.documents += u64::from(info.doc_freq);
                    known.lists.push(list());
                }
            }
            None => {
                let documents = u64::from(info.doc_freq);
                let new = Expansion { text: word.to_owned(), tier, documents, lists: vec![list()] };
                self.0.insert(word.to_owned(), new);
            }
        }
    }

    fn exact(&mut self, text: &str, segment: &Segment, number: usize) -> tantivy::Result<()> {
        let has_digit = has_digit(text);
        if let Some(info) = dictionary(segment, has_digit).terms().get(text)? {
            self.add(text.as_bytes(), Tier::Exact, number, has_digit, &info);
        }
        Ok(())
    }

    fn prefix(&mut self, text: &str, segment: &Segment, number: usize) -> tantivy::Result<()> {
        // No byte of UTF-8 is as high.
        let end = [text.as_bytes(), &[0xFF]].concat();
        for has_digit in [false, true] {
            let terms = dictionary(segment, has_digit).terms();
            let mut stream = terms.range().gt(text).lt(&end).into_stream()?;
            while stream.advance() {
                self.add(stream.key(), Tier::Prefix, number, has_digit, stream.value());
            }
        }
        Ok(())
    }

    fn typos(&mut self, automaton: &TypoAutomaton, segment: &Segment, number: usize) -> tantivy::Result<()> {
        let mut stream = segment.words.terms().search(automaton).into_stream()?;
        while stream.advance() {
            let tier = match automaton.0.eval(stream.key()) {
                Distance::Exact(0) => continue,
                Distance::Exact(1) => Tier::OneTypo,
                _ => Tier::TwoTypos,
            };
            self.add(stream.key(), tier, number, false, stream.value());
        }
        Ok(())
    }

    /// The best ones, from the worst tier to the best.
    fn best(self) -> Vec<Expansion> {
        let mut all: Vec<Expansion> = self.0.into_values().collect();
        all.sort_unstable_by(|a, b| {
            b.tier.cmp(&a.tier).then(b.documents.cmp(&a.documents)).then_with(|| a.text.cmp(&b.text))
        });
        let (mut typos, mut prefixes) = (0, 0);
        all.retain(|expansion| {
            let (count, limit) = match expansion.tier {
                Tier::Exact => return true,
                Tier::Prefix => (&mut prefixes, MAX_PREFIX_EXPANSIONS),
                Tier::OneTypo | Tier::TwoTypos => (&mut typos, MAX_TYPO_EXPANSIONS),
            };
            *count += 1;
            *count <= limit
        });
        all.reverse();
        all
    }
}

/// The query with each word that nothing contains replaced by the best word it was taken for; none when there is
/// no such word.
pub(crate) fn corrected(
    query: &str,
    words: &[QueryWord],
    snapshot: &Snapshot,
) -> tantivy::Result<Option<String>> {
    let mut corrected = String::new();
    let mut copied = 0;
    for word in words {
        let mut best = None;
        for expansion in word.expansions.iter().rev() {
            if expansion.is_alive(snapshot)? {
                best = Some(expansion);
                break;
            }
        }
        if let Some(best) = best.filter(|best| best.tier < Tier::Prefix) {
            corrected.push_str(&query[copied..word.at.start]);
            corrected.push_str(&best.text);
            copied = word.at.end;
        }
    }
    if copied == 0 {
        return Ok(None);
    }
    corrected.push_str(&query[copied..]);
    Ok(Some(corrected))
}

/// Making a builder takes longer than using it.
fn automaton_builder(typos: u8) -> &'static LevenshteinAutomatonBuilder {
    static ONE: LazyLock<LevenshteinAutomatonBuilder> =
        LazyLock::new(|| LevenshteinAutomatonBuilder::new(1, true));
    static TWO: LazyLock<LevenshteinAutomatonBuilder> =
        LazyLock::new(|| LevenshteinAutomatonBuilder::new(2, true));
    if typos == 1 { &ONE } else { &TWO }
}

struct TypoAutomaton(DFA);

impl Automaton for &TypoAutomaton {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_that_swap_are_one_typo() {
        let automaton = automaton_builder(1).build_dfa("mouse");
        assert_eq!(automaton.eval("muose"), Distance::Exact(1));
        assert_eq!(automaton.eval("moues"), Distance::Exact(1));
        assert!(matches!(automaton.eval("muoes"), Distance::AtLeast(_)));
    }
}
