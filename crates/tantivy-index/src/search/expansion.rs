//! The expansion of a query word: the lists of documents that match it, per segment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tantivy::postings::TermInfo;
use text::dictionary::Dictionary;
use text::query::{Alternative, Kind, Word};
use text::score::Tier;

use crate::search::segment::Segment;

/// The most lists that a snapshot caches, which take a few megabytes. A full cache is cleared.
const MAX_CACHED_LISTS: usize = 50_000;

/// The documents that match a query word in a snapshot.
#[derive(Default)]
pub(crate) struct Expansion {
    /// The lists by segment number.
    pub(crate) lists: Vec<Vec<DocumentList>>,
    /// The words of the index that the query word may be a misspelling of: the fewest typos first, then the most frequent.
    pub(crate) corrections: Vec<Correction>,
    /// The numbers of its documents once they were counted, see [`TierCounts`]. It does not count products that rules hide, so it is
    /// set only without such rules.
    pub(crate) tier_counts: OnceLock<TierCounts>,
}

/// The number of tiers.
pub(crate) const TIERS: usize = Tier::Exact as usize + 1;

/// The numbers of documents by the best tier of each, without deleted documents.
pub(crate) type TierCounts = [u64; TIERS];

/// A word of the index that a query word may be a misspelling of.
pub(crate) struct Correction {
    pub(crate) text: String,
    pub(crate) typos: u8,
}

/// The documents of a segment that match a word in one way.
pub(crate) struct DocumentList {
    pub(crate) tier: Tier,
    /// The factor that scales the weights of terms.
    pub(crate) weight_factor: u8,
    pub(crate) terms: ListTerms,
}

/// The terms that a document of a list has.
pub(crate) enum ListTerms {
    One(Dictionary, TermInfo),
    /// All of these terms. The first one determines the weight.
    All(Vec<(Dictionary, TermInfo)>),
    /// The bigrams of a run of characters, one after the other. The first one determines the weight.
    Phrase(TermInfo, Arc<[String]>),
}

impl DocumentList {
    /// Creates the list of the documents that have a term.
    pub(crate) fn of_term(tier: Tier, weight_factor: u8, dictionary: Dictionary, info: TermInfo) -> Self {
        Self { tier, weight_factor, terms: ListTerms::One(dictionary, info) }
    }

    /// Returns an upper bound of the number of documents, including deleted ones.
    pub(crate) fn max_documents(&self) -> u32 {
        match &self.terms {
            ListTerms::One(_, info) | ListTerms::Phrase(info, _) => info.doc_freq,
            ListTerms::All(infos) => infos.iter().map(|(_, info)| info.doc_freq).min().unwrap_or_default(),
        }
    }
}

impl Expansion {
    /// Returns the lists of a segment.
    pub(crate) fn lists(&self, segment: &Segment) -> &[DocumentList] {
        self.lists.get(segment.number as usize).map_or(&[], Vec::as_slice)
    }

    /// Returns the size as [`MAX_CACHED_LISTS`] counts it.
    fn size(&self) -> usize {
        self.lists.iter().map(Vec::len).sum::<usize>() + self.corrections.len() + 1
    }
}

/// The words that an expansion includes besides the alternatives of the query word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ExpandOptions {
    /// Words that differ by a few typos.
    pub(crate) typos: bool,
    /// Words that begin with the last query word, however many documents have the word itself.
    pub(crate) is_prefix_query: bool,
}

/// The expansions of a snapshot by word, and the counts of words that may name a kind. Shoppers search for the same words, and turn
/// pages.
#[derive(Default)]
pub(crate) struct ExpansionCache(Mutex<CachedExpansions>);

#[derive(Default)]
struct CachedExpansions {
    by_key: HashMap<ExpansionKey, Arc<Expansion>>,
    kind_frequencies: HashMap<String, [u64; Kind::COUNTED_TERMS]>,
    lists: usize,
}

/// Everything that determines an expansion in a snapshot.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct ExpansionKey {
    text: String,
    is_prefix: bool,
    alternatives: Vec<Alternative>,
    options: ExpandOptions,
    /// The other words that no correction leads to; empty if the expansion has no corrections.
    other_forms: Arc<[String]>,
}

impl ExpansionKey {
    pub(crate) fn new(word: &Word, options: ExpandOptions) -> Self {
        let (text, alternatives) = (word.text.clone(), word.alternatives.clone());
        let other_forms = if options.typos { Arc::clone(&word.other_forms) } else { Arc::default() };
        Self { text, alternatives, is_prefix: word.is_prefix, options, other_forms }
    }
}

impl ExpansionCache {
    pub(crate) fn get(&self, key: &ExpansionKey) -> Option<Arc<Expansion>> {
        self.lock().by_key.get(key).cloned()
    }

    pub(crate) fn insert(&self, key: ExpansionKey, expansion: &Arc<Expansion>) {
        let mut cached = self.lock();
        cached.make_room(expansion.size());
        cached.by_key.insert(key, Arc::clone(expansion));
    }

    /// Returns the counts of a word that were inserted.
    pub(crate) fn kind_frequencies(&self, word: &str) -> Option<[u64; Kind::COUNTED_TERMS]> {
        self.lock().kind_frequencies.get(word).copied()
    }

    pub(crate) fn insert_kind_frequencies(&self, word: &str, frequencies: [u64; Kind::COUNTED_TERMS]) {
        let mut cached = self.lock();
        cached.make_room(1);
        cached.kind_frequencies.insert(word.to_owned(), frequencies);
    }

    fn lock(&self) -> MutexGuard<'_, CachedExpansions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CachedExpansions {
    /// Makes room for an entry of this size, by dropping all others if necessary.
    fn make_room(&mut self, size: usize) {
        self.lists += size;
        if self.lists > MAX_CACHED_LISTS {
            *self = Self { lists: size, ..Self::default() };
        }
    }
}
