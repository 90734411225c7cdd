//! The words of a query and the words of the index that each of them finds.
//!
//! Each word is looked up as it is, as a beginning if it is the last one, and with typos as its length allows, by
//! running an automaton over the dictionary of each segment. All of that happens once for a query.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use domain::search::SearchRequest;
use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::DocSet;
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy_fst::Automaton;
use text::dictionary::Dictionary;
use text::query::{Way, Word, typos_allowed, words_of};
use text::score::{Spelling, Tier};

use crate::snapshot::{Segment, Snapshot};

/// The most corrections of one word: those with the fewest typos, then the most frequent.
const MAX_TYPO_EXPANSIONS: usize = 50;
/// The most words that one beginning stands for: the most frequent.
const MAX_PREFIX_EXPANSIONS: usize = 1000;

/// A word of a query.
pub(crate) struct QueryWord {
    pub(crate) word: Word,
    /// The words that it finds, from the worst tier to the best.
    pub(crate) expansions: Arc<[Expansion]>,
}

/// The words that a snapshot was asked for before: shoppers ask for the same ones, and turn pages.
#[derive(Default)]
pub(crate) struct KnownWords(Mutex<Known>);

#[derive(Default)]
struct Known {
    words: HashMap<Key, Arc<[Expansion]>>,
    expansions: usize,
}

/// What decides which words a word finds: its text, whether it is the last one, and its neighbours.
type Key = (String, bool, Vec<Way>);

fn key(word: &Word) -> Key {
    (word.text.clone(), word.is_last, word.ways.clone())
}

/// The most expansions that a snapshot remembers, a few megabytes; then it begins anew.
const MAX_KNOWN_EXPANSIONS: usize = 20_000;

impl KnownWords {
    fn get(&self, word: &Word) -> Option<Arc<[Expansion]>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.words.get(&key(word)).cloned()
    }

    fn remember(&self, word: &Word, expansions: &Arc<[Expansion]>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A word that finds nothing takes room too.
        known.expansions += expansions.len() + 1;
        if known.expansions > MAX_KNOWN_EXPANSIONS {
            *known = Known { expansions: expansions.len() + 1, ..Known::default() };
        }
        known.words.insert(key(word), Arc::clone(expansions));
    }
}

/// A word of the index.
pub(crate) struct Expansion {
    pub(crate) text: String,
    pub(crate) tier: Tier,
    pub(crate) spelling: Spelling,
    pub(crate) dictionary: Dictionary,
    /// Documents with it, deleted ones included.
    documents: u64,
    /// Its lists, by segment.
    lists: Vec<(usize, TermInfo)>,
}

impl QueryWord {
    /// Whether a word of a document is one that this one finds.
    pub(crate) fn finds(&self, word: &str) -> bool {
        let is_near = |expansion: &Expansion| {
            expansion.tier < Tier::Prefix
                && expansion.dictionary != Dictionary::Pairs
                && expansion.text == word
        };
        self.word.is_begun_by(word) || self.expansions.iter().any(is_near)
    }
}

impl Expansion {
    /// The word's list in a segment.
    pub(crate) fn list(&self, segment: usize) -> Option<&TermInfo> {
        self.lists.iter().find(|(number, _)| *number == segment).map(|(_, info)| info)
    }

    /// Whether any product that is not deleted has the word.
    fn is_alive(&self, snapshot: &Snapshot) -> tantivy::Result<bool> {
        for (number, info) in &self.lists {
            let segment = &snapshot.segments[*number];
            let lists = segment.lists_of(self.dictionary);
            let mut postings = lists.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
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

/// The words of the query with all that they find.
pub(crate) fn expand(request: &SearchRequest, snapshot: &Snapshot) -> tantivy::Result<Vec<QueryWord>> {
    words_of(request).into_iter().map(|word| expand_word(word, snapshot)).collect()
}

fn expand_word(word: Word, snapshot: &Snapshot) -> tantivy::Result<QueryWord> {
    if let Some(expansions) = snapshot.known_words.get(&word) {
        return Ok(QueryWord { word, expansions });
    }
    let mut gathered = Gathered::default();
    let typos = typos_allowed(&word.text);
    let automaton = (typos > 0).then(|| TypoAutomaton(automaton_builder(typos).build_dfa(&word.text)));
    for (number, segment) in snapshot.segments.iter().enumerate() {
        for way in &word.ways {
            for term in &way.terms {
                gathered.exact(&term.text, way.spelling, term.dictionary, segment, number)?;
            }
        }
        if word.is_last {
            gathered.prefix(&word.text, segment, number)?;
        }
        if let Some(automaton) = &automaton {
            gathered.typos(automaton, segment, number)?;
        }
    }
    let mut cut = std::mem::take(&mut gathered.cut);
    cut.dedup();
    let mut expansions = gathered.best();
    Gathered::complete(&cut, &mut expansions, snapshot)?;
    let expansions = expansions.into();
    snapshot.known_words.remember(&word, &expansions);
    Ok(QueryWord { word, expansions })
}

/// What is found for one word, by text.
#[derive(Default)]
struct Gathered {
    words_and_codes: HashMap<String, Expansion>,
    pairs: HashMap<String, Expansion>,
    /// Segments with more words that begin so than were taken.
    cut: Vec<usize>,
}

impl Gathered {
    fn add(
        &mut self,
        word: &[u8],
        way: (Tier, Spelling),
        dictionary: Dictionary,
        segment: usize,
        info: &TermInfo,
    ) {
        let Ok(word) = std::str::from_utf8(word) else { return };
        let (tier, spelling) = way;
        let known = match dictionary {
            Dictionary::Words | Dictionary::Codes => &mut self.words_and_codes,
            Dictionary::Pairs => &mut self.pairs,
        };
        let known = match known.get_mut(word) {
            Some(known) => known,
            None => {
                let (text, documents, lists) = (word.to_owned(), 0, Vec::new());
                let new = Expansion { text, tier, spelling, dictionary, documents, lists };
                known.entry(word.to_owned()).or_insert(new)
            }
        };
        if tier > known.tier {
            (known.tier, known.spelling) = way;
        }
        // A word that is found in two ways has one list in the segment all the same.
        if known.lists.last().is_none_or(|(last, _)| *last != segment) {
            known.documents += u64::from(info.doc_freq);
            known.lists.push((segment, info.clone()));
        }
    }

    fn exact(
        &mut self,
        text: &str,
        spelling: Spelling,
        dictionary: Dictionary,
        segment: &Segment,
        number: usize,
    ) -> tantivy::Result<()> {
        if let Some(info) = segment.lists_of(dictionary).terms().get(text)? {
            self.add(text.as_bytes(), (Tier::Exact, spelling), dictionary, number, &info);
        }
        Ok(())
    }

    /// Takes the words that begin with `text`, or as many of the most frequent as may be kept at all: a single letter
    /// begins most product codes of a catalogue.
    fn prefix(&mut self, text: &str, segment: &Segment, number: usize) -> tantivy::Result<()> {
        // No byte of UTF-8 is as high.
        let end = [text.as_bytes(), &[0xFF]].concat();
        for dictionary in [Dictionary::Words, Dictionary::Codes] {
            let (mut taken, mut least) = (Vec::<(Vec<u8>, TermInfo)>::new(), 0);
            let terms = segment.lists_of(dictionary).terms();
            let mut stream = terms.range().gt(text).lt(&end).into_stream()?;
            while stream.advance() {
                let info = stream.value();
                if info.doc_freq <= least {
                    continue;
                }
                taken.push((stream.key().to_owned(), info.clone()));
                if taken.len() >= 2 * MAX_PREFIX_EXPANSIONS {
                    least = keep_most_frequent(&mut taken);
                    self.cut.push(number);
                }
            }
            for (word, info) in &taken {
                self.add(word, (Tier::Prefix, Spelling::Same), dictionary, number, info);
            }
        }
        Ok(())
    }

    /// Looks up words in the segments whose lists were cut, where they may stand as well.
    fn complete(cut: &[usize], expansions: &mut [Expansion], snapshot: &Snapshot) -> tantivy::Result<()> {
        for expansion in expansions.iter_mut().filter(|expansion| expansion.tier == Tier::Prefix) {
            for number in cut {
                if expansion.list(*number).is_none() {
                    let lists = snapshot.segments[*number].lists_of(expansion.dictionary);
                    if let Some(info) = lists.terms().get(&expansion.text)? {
                        expansion.documents += u64::from(info.doc_freq);
                        expansion.lists.push((*number, info));
                    }
                }
            }
        }
        Ok(())
    }

    fn typos(&mut self, automaton: &TypoAutomaton, segment: &Segment, number: usize) -> tantivy::Result<()> {
        let mut stream = segment.lists_of(Dictionary::Words).terms().search(automaton).into_stream()?;
        while stream.advance() {
            let tier = match automaton.0.eval(stream.key()) {
                Distance::Exact(0) => continue,
                Distance::Exact(1) => Tier::OneTypo,
                _ => Tier::TwoTypos,
            };
            self.add(stream.key(), (tier, Spelling::Same), Dictionary::Words, number, stream.value());
        }
        Ok(())
    }

    /// The best ones, from the worst tier to the best.
    fn best(self) -> Vec<Expansion> {
        let mut all: Vec<Expansion> =
            self.words_and_codes.into_values().chain(self.pairs.into_values()).collect();
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

/// Keeps half of the words, the most frequent ones, and answers how many documents the least frequent of them has.
fn keep_most_frequent(words: &mut Vec<(Vec<u8>, TermInfo)>) -> u32 {
    words.select_nth_unstable_by_key(MAX_PREFIX_EXPANSIONS, |(_, info)| Reverse(info.doc_freq));
    words.truncate(MAX_PREFIX_EXPANSIONS);
    words.iter().map(|(_, info)| info.doc_freq).min().unwrap_or_default()
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
            corrected.push_str(&query[copied..word.word.at.start]);
            corrected.push_str(&best.text);
            copied = word.word.at.end;
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
