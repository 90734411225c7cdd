//! The words of a query and what each of them finds in the index.
//!
//! Each word is looked up in the ways that `text::query` names, as a beginning if it is the last one, and, where it is
//! asked for, with typos. All of that happens once for a query.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::Language;
use domain::ports::ENOUGH_PRODUCTS;
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED};
use text::dictionary::Dictionary;
use text::forms::normal_form;
use text::query::{Alternative, Phrase, Term, Word};
use text::score::{PHRASE_WEIGHT_FACTOR, Spelling, Tier};
use text::typos::{Pattern, typos_allowed};

use crate::matching::has_at_least;
use crate::snapshot::{Segment, Snapshot};

/// The most words that are taken for a misspelt one: those with the fewest typos, then the most frequent.
const MAX_NEAR: usize = 50;
/// The most words that one beginning stands for: the most frequent.
const MAX_PREFIXED: usize = 1000;
/// The most lists that a snapshot remembers, a few megabytes; then it begins anew.
const MAX_KNOWN_LISTS: usize = 50_000;

/// What a word finds.
#[derive(Default)]
pub(crate) struct Expansion {
    /// By segment.
    lists: Vec<Vec<List>>,
    /// The words that it may have been meant to be, the nearest and most frequent first.
    pub(crate) near: Vec<Near>,
}

/// A word of the index that is near one of the query.
pub(crate) struct Near {
    pub(crate) text: String,
    typos: u8,
}

/// Documents of one segment that have a word in one way.
pub(crate) struct List {
    pub(crate) tier: Tier,
    /// What each level of the word found counts.
    pub(crate) half_weights: u8,
    pub(crate) terms: Terms,
}

/// Terms that must all be there.
pub(crate) enum Terms {
    One(Dictionary, TermInfo),
    /// The first one tells the level.
    All(Vec<(Dictionary, TermInfo)>),
    /// The pairs of a run, one behind the other.
    Phrase(TermInfo, Arc<[String]>),
}

impl List {
    fn of_term(tier: Tier, half_weights: u8, dictionary: Dictionary, info: TermInfo) -> Self {
        Self { tier, half_weights, terms: Terms::One(dictionary, info) }
    }

    /// How many documents it has at most, deleted ones included.
    pub(crate) fn documents(&self) -> u32 {
        match &self.terms {
            Terms::One(_, info) | Terms::Phrase(info, _) => info.doc_freq,
            Terms::All(infos) => infos.iter().map(|(_, info)| info.doc_freq).min().unwrap_or_default(),
        }
    }
}

impl Expansion {
    /// The lists of a segment.
    pub(crate) fn lists(&self, segment: usize) -> &[List] {
        self.lists.get(segment).map_or(&[], Vec::as_slice)
    }

    fn len(&self) -> usize {
        self.lists.iter().map(Vec::len).sum::<usize>() + self.near.len() + 1
    }
}

/// The words that a snapshot was asked for before: shoppers ask for the same ones, and turn pages.
#[derive(Default)]
pub(crate) struct KnownWords(Mutex<Known>);

#[derive(Default)]
struct Known {
    words: HashMap<Key, Arc<Expansion>>,
    lists: usize,
}

/// What is looked for besides a word itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Reach {
    /// Words that are near it.
    pub(crate) typos: bool,
    /// Words that it begins, even if it is a word itself.
    pub(crate) is_prefix_query: bool,
}

/// What decides what a word finds.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    text: String,
    is_last: bool,
    alternatives: Vec<Alternative>,
    reach: Reach,
}

impl KnownWords {
    fn get(&self, key: &Key) -> Option<Arc<Expansion>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).words.get(key).cloned()
    }

    fn remember(&self, key: Key, expansion: &Arc<Expansion>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.lists += expansion.len();
        if known.lists > MAX_KNOWN_LISTS {
            *known = Known { lists: expansion.len(), ..Known::default() };
        }
        known.words.insert(key, Arc::clone(expansion));
    }
}

/// What a word finds.
pub(crate) fn expand(word: &Word, reach: Reach, snapshot: &Snapshot) -> tantivy::Result<Arc<Expansion>> {
    let (text, alternatives) = (word.text.clone(), word.alternatives.clone());
    let key = Key { text, alternatives, is_last: word.is_prefix, reach };
    if let Some(known) = snapshot.known_words.get(&key) {
        return Ok(known);
    }
    let mut expansion = Expansion { lists: Vec::with_capacity(snapshot.segments.len()), near: Vec::new() };
    for segment in &snapshot.segments {
        let mut lists = Vec::new();
        for alternative in &word.alternatives {
            lists.extend(list_of_way(word, alternative, segment)?);
        }
        expansion.lists.push(lists);
    }
    if word.is_prefix && (reach.is_prefix_query || !has_at_least(ENOUGH_PRODUCTS, &expansion, snapshot)?) {
        add_prefixed(&mut expansion, word, snapshot)?;
    }
    if reach.typos {
        add_near(&mut expansion, word, snapshot)?;
    }
    let expansion = Arc::new(expansion);
    snapshot.known_words.remember(key, &expansion);
    Ok(expansion)
}

/// Where the words of a phrase are neighbours.
pub(crate) fn expand_phrase(phrase: &Phrase, snapshot: &Snapshot) -> tantivy::Result<Expansion> {
    let list = |segment: &Segment| -> tantivy::Result<Vec<List>> {
        let info = info_of(&phrase.term, segment)?;
        let dictionary = phrase.term.dictionary;
        Ok(info
            .map(|info| List::of_term(Tier::Exact, PHRASE_WEIGHT_FACTOR, dictionary, info))
            .into_iter()
            .collect())
    };
    let lists = snapshot.segments.iter().map(list).collect::<tantivy::Result<_>>()?;
    Ok(Expansion { lists, near: Vec::new() })
}

fn info_of(term: &Term, segment: &Segment) -> tantivy::Result<Option<TermInfo>> {
    Ok(segment.lists_of(term.dictionary).terms().get(&term.text)?)
}

/// The list of a way to find a word; none where a term of it is not in the segment.
fn list_of_way(word: &Word, alternative: &Alternative, segment: &Segment) -> tantivy::Result<Option<List>> {
    let mut infos = Vec::with_capacity(alternative.terms.len());
    for term in &alternative.terms {
        let Some(info) = info_of(term, segment)? else { return Ok(None) };
        infos.push((term.dictionary, info));
    }
    let half_weights = word.weight_factor(alternative.spelling);
    let Some((dictionary, first)) = infos.first().cloned() else { return Ok(None) };
    let terms = match infos.len() {
        1 => Terms::One(dictionary, first),
        _ if alternative.is_phrase => {
            Terms::Phrase(first, alternative.terms.iter().map(|term| term.text.clone()).collect())
        }
        _ => Terms::All(infos),
    };
    Ok(Some(List { tier: Tier::Exact, half_weights, terms }))
}

// ------------------------------------------------------------------------------------------- beginnings

/// The dictionaries in which beginnings are looked for.
const PREFIXED: [Dictionary; 2] = [Dictionary::Words, Dictionary::Codes];

/// Adds the words that begin with this one, or as many of the most frequent as may be kept at all: a single letter
/// begins most product codes of a catalogue.
fn add_prefixed(expansion: &mut Expansion, word: &Word, snapshot: &Snapshot) -> tantivy::Result<()> {
    let mut found = Vec::with_capacity(snapshot.segments.len());
    for segment in &snapshot.segments {
        found.push(segment.beginnings().of(&word.text, segment)?);
    }
    let half_weights = word.weight_factor(Spelling::Same);
    let list = |dictionary, info| List::of_term(Tier::Prefix, half_weights, dictionary, info);
    if found.iter().all(|words| !words.is_cut) {
        for (lists, words) in expansion.lists.iter_mut().zip(found) {
            lists.extend(words.taken.iter().map(|word| list(word.dictionary, word.info.clone())));
        }
        return Ok(());
    }
    // A segment may have left out what another one has often.
    let mut documents = HashMap::<(Dictionary, Vec<u8>), u64>::new();
    for word in found.iter().flat_map(|words| &words.taken) {
        *documents.entry((word.dictionary, word.text.clone())).or_default() += u64::from(word.info.doc_freq);
    }
    let mut words: Vec<_> = documents.into_iter().collect();
    words.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.1.cmp(&b.1)));
    words.truncate(MAX_PREFIXED);
    for (lists, segment) in expansion.lists.iter_mut().zip(&snapshot.segments) {
        for ((dictionary, text), _) in &words {
            let info = segment.lists_of(*dictionary).terms().get(text)?;
            lists.extend(info.map(|info| list(*dictionary, info)));
        }
    }
    Ok(())
}

/// What short beginnings stand for in a segment. They begin so many words that looking at all of them takes a while.
#[derive(Default)]
pub(crate) struct Beginnings(Mutex<HashMap<String, Arc<Prefixed>>>);

/// Longer beginnings, in bytes, are quick.
const MAX_REMEMBERED_BYTES: usize = 3;
/// So many beginnings are remembered, each with [`MAX_PREFIXED`] words at most; then it begins anew.
const MAX_REMEMBERED: usize = 128;

impl Beginnings {
    fn of(&self, text: &str, segment: &Segment) -> tantivy::Result<Arc<Prefixed>> {
        if text.len() > MAX_REMEMBERED_BYTES {
            return Ok(Arc::new(prefixed(text, segment)?));
        }
        let remembered = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = remembered().get(text) {
            return Ok(Arc::clone(known));
        }
        let found = Arc::new(prefixed(text, segment)?);
        let mut remembered = remembered();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(text.to_owned(), Arc::clone(&found));
        Ok(found)
    }
}

struct Prefixed {
    taken: Vec<PrefixedWord>,
    /// Whether there are more.
    is_cut: bool,
}

struct PrefixedWord {
    dictionary: Dictionary,
    text: Vec<u8>,
    info: TermInfo,
}

fn prefixed(text: &str, segment: &Segment) -> tantivy::Result<Prefixed> {
    let mut found = Prefixed { taken: Vec::new(), is_cut: false };
    // No byte of UTF-8 is as high.
    let end = [text.as_bytes(), &[0xFF]].concat();
    let mut least = 0;
    for dictionary in PREFIXED {
        let terms = segment.lists_of(dictionary).terms();
        let mut stream = terms.range().gt(text).lt(&end).into_stream()?;
        while stream.advance() {
            let info = stream.value();
            if info.doc_freq <= least {
                continue;
            }
            found.taken.push(PrefixedWord { dictionary, text: stream.key().to_owned(), info: info.clone() });
            if found.taken.len() >= 2 * MAX_PREFIXED {
                least = keep_most_frequent(&mut found.taken);
                found.is_cut = true;
            }
        }
    }
    Ok(found)
}

/// Keeps half of the words, the most frequent ones, and answers how many documents the least frequent of them has.
fn keep_most_frequent(words: &mut Vec<PrefixedWord>) -> u32 {
    words.select_nth_unstable_by_key(MAX_PREFIXED, |word| Reverse(word.info.doc_freq));
    words.truncate(MAX_PREFIXED);
    words.iter().map(|word| word.info.doc_freq).min().unwrap_or_default()
}

// ------------------------------------------------------------------------------------------------- typos

/// Adds the words that this one may have been meant to be, in all their forms.
fn add_near(expansion: &mut Expansion, word: &Word, snapshot: &Snapshot) -> tantivy::Result<()> {
    let text = &word.text;
    let Some(pattern) = Pattern::new(text, typos_allowed(text)).filter(|_| typos_allowed(text) > 0) else {
        return Ok(());
    };
    let mut found = HashMap::<&str, (u8, u64)>::new();
    for segment in &snapshot.segments {
        segment.vocabulary()?.near(&pattern, |near| {
            let (_, documents) = found.entry(near.text).or_insert((near.typos, 0));
            *documents += u64::from(near.documents);
        });
    }
    let near = found.into_iter().map(|(text, (typos, documents))| (typos, Reverse(documents), text));
    let mut near: Vec<_> = near.collect();
    near.sort_unstable();
    near.truncate(MAX_NEAR);
    for (typos, _, text) in near {
        if !is_alive(text, snapshot)? {
            continue;
        }
        expansion.near.push(Near { text: text.to_owned(), typos });
    }
    for (lists, segment) in expansion.lists.iter_mut().zip(&snapshot.segments) {
        add_lists_of_near(word, lists, &expansion.near, segment, snapshot.language)?;
    }
    Ok(())
}

/// Whether any product that is not deleted has the word.
fn is_alive(word: &str, snapshot: &Snapshot) -> tantivy::Result<bool> {
    for segment in &snapshot.segments {
        let lists = segment.lists_of(Dictionary::Words);
        let Some(info) = lists.terms().get(word)? else { continue };
        let mut postings = lists.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
        while postings.doc() != TERMINATED {
            if !segment.reader.is_deleted(postings.doc()) {
                return Ok(true);
            }
            postings.advance();
        }
    }
    Ok(false)
}

fn add_lists_of_near(
    word: &Word,
    lists: &mut Vec<List>,
    near: &[Near],
    segment: &Segment,
    language: Language,
) -> tantivy::Result<()> {
    let half_weights = word.weight_factor(Spelling::Same);
    for Near { text, typos, .. } in near {
        let tier = if *typos == 1 { Tier::OneTypo } else { Tier::TwoTypos };
        let (dictionary, base) = normal_form(text, language);
        for (dictionary, text) in [(dictionary, &*base), (Dictionary::Words, text)] {
            if let Some(info) = segment.lists_of(dictionary).terms().get(text)? {
                lists.push(List::of_term(tier, half_weights, dictionary, info));
                break;
            }
        }
    }
    Ok(())
}
