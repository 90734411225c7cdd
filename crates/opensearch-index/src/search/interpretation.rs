//! Interpretation of the words of a query: as typed; with typos, if few products have them as typed; and with some
//! words optional, if few products have them all.

use domain::ports::{ENOUGH_PRODUCTS, FEW_PRODUCTS, PortError};
use domain::search::{MatchMode, QueryInterpretation, SearchRequest, Sort};
use serde_json::{Value, json};
use text::query::{Kind, Word};
use text::relaxing::{MAX_RELAXED_WORDS, RelaxingOrder, WordFrequencies, relaxing_order};

use crate::search::filters::inside;
use crate::search::matching::{has_exact_word, has_kind_terms, has_word};
use crate::search::query_dsl::all_of;
use crate::search::snapshot::{Counts, Snapshot};
use crate::search::spelling::{SpellingCandidate, best_candidates, retain_words_in_use, suggester};
use crate::search::tuning::hidden;
use crate::search::words::QueryWords;

const FEW: u64 = FEW_PRODUCTS as u64;
const ENOUGH: u64 = ENOUGH_PRODUCTS as u64;

/// An interpreter of the words of one request.
pub(super) struct Interpreter<'a> {
    snapshot: &'a Snapshot<'a>,
    request: &'a SearchRequest,
    hidden: Option<Value>,
    /// The filters that only products inside the restriction pass.
    inside: Vec<Value>,
}

/// Document frequencies of the words of a query, counted over visible products inside the restriction, regardless of filters.
struct WordCounts {
    /// Products with every required word.
    all: u64,
    /// Products with each word in any way.
    any_way: Vec<u64>,
    /// Products with each word exactly.
    exactly: Vec<u64>,
    /// The counts of [`Kind::counted_terms`] for each word in turn.
    kinds: Vec<u64>,
}

/// The words that may have typos, and what is known about them, in the same order.
struct TypoWords {
    /// Their positions in the query.
    positions: Vec<u8>,
    /// Document frequencies as typed, and suggestions.
    counts: Counts,
}

impl<'a> Interpreter<'a> {
    /// Creates an interpreter. `left_out` has the queries for products that the operators exclude.
    pub(super) fn new(snapshot: &'a Snapshot<'a>, request: &'a SearchRequest, left_out: &[Value]) -> Self {
        Self { snapshot, request, hidden: hidden(request, left_out), inside: inside(&request.restriction) }
    }

    /// Interprets the words as on the earlier pages of the same list.
    pub(super) async fn reapply(
        &self,
        query: &mut QueryWords,
        earlier: &QueryInterpretation,
    ) -> Result<(), PortError> {
        self.decide_prefix(query).await?;
        let words = (0..).zip(&query.words).filter(|(at, _)| earlier.typos.contains(at));
        let positions: Vec<u8> = words.filter(|(_, word)| word.may_have_typos()).map(|(at, _)| at).collect();
        let misspelt = || positions.iter().map(|at| &query.words[usize::from(*at)]);
        let filters: Vec<Value> = misspelt().map(has_word).collect();
        let suggesters = misspelt().map(|word| suggester(&word.word)).collect();
        let counts = self.count(&filters, suggesters).await?;
        self.allow_typos(query, TypoWords { positions, counts }).await?;
        query.adopt_kinds(&earlier.kinds);
        for (at, word) in (0..).zip(&mut query.words) {
            if earlier.optional.contains(&at) {
                word.is_required = false;
                query.interpretation.optional.push(at);
            }
        }
        Ok(())
    }

    /// Interprets the words of a new search.
    pub(super) async fn interpret(&self, query: &mut QueryWords) -> Result<(), PortError> {
        self.decide_prefix(query).await?;
        self.decide_typos_and_optional(query, 0).await?;
        Ok(())
    }

    async fn decide_prefix(&self, query: &mut QueryWords) -> Result<(), PortError> {
        let Some(word) = query.undecided_prefix() else { return Ok(()) };
        let counted = self.count(&[has_exact_word(word)], Vec::new()).await?;
        query.decide_prefix(counted.counts[0]);
        Ok(())
    }

    /// Decides which words may have typos and which are optional, and returns true if that changes the matches. `matches` is
    /// a lower bound of the number of products that have all words as typed.
    pub(super) async fn decide_typos_and_optional(
        &self,
        query: &mut QueryWords,
        matches: u64,
    ) -> Result<bool, PortError> {
        let enough = self.enough_matches(query);
        if query.words.is_empty() || self.request.match_mode == MatchMode::Any || matches >= enough.max(FEW) {
            return Ok(false);
        }
        let words = (0..).zip(&query.words).filter(|(_, word)| matches < FEW && word.may_have_typos());
        let (positions, suggesters): (Vec<u8>, Vec<Value>) =
            words.map(|(at, word)| (at, suggester(&word.word))).unzip();
        let mut filters = self.word_count_filters(query);
        let word_count_filters = filters.len();
        filters.extend(query.words.iter().map(has_word));
        let Counts { mut counts, suggested } = self.count(&filters, suggesters).await?;
        let as_typed = counts.split_off(word_count_filters);
        let mut word_counts = WordCounts::from_counts(counts);
        let visible_as_typed = word_counts.any_way.clone();
        if word_counts.all < FEW {
            let counts = positions.iter().map(|at| as_typed[usize::from(*at)]).collect();
            let rare = TypoWords { positions, counts: Counts { counts, suggested } }.retain_rare();
            self.allow_typos(query, rare).await?;
            if enough > 0 && !query.match_as_typed() {
                let filters = self.word_count_filters(query);
                word_counts = WordCounts::from_counts(self.count(&filters, Vec::new()).await?.counts);
            }
        }
        if word_counts.all < enough {
            self.make_words_optional(query, &word_counts.frequencies(&visible_as_typed), enough).await?;
        }
        Ok(!query.match_as_typed())
    }

    /// Returns the number of matches below which words become optional.
    fn enough_matches(&self, query: &QueryWords) -> u64 {
        match (self.request.match_mode, &self.request.sort) {
            (MatchMode::Any | MatchMode::All, _) => 0,
            (MatchMode::Most, _) if query.words.len() < 2 => 0,
            (MatchMode::Most, Sort::Relevance) => ENOUGH,
            (MatchMode::Most, _) => 1,
        }
    }

    /// Allows typos in words, and finds their spelling candidates.
    async fn allow_typos(&self, query: &mut QueryWords, typo_words: TypoWords) -> Result<(), PortError> {
        let TypoWords { positions, counts: Counts { counts, suggested } } = typo_words;
        let words = positions.iter().map(|at| &query.words[usize::from(*at)].word);
        let mut candidates: Vec<Vec<SpellingCandidate>> =
            words.zip(suggested).map(|(word, options)| best_candidates(word, &options)).collect();
        retain_words_in_use(self.snapshot, &self.inside, &counts, &mut candidates).await?;
        for ((at, candidates), count) in positions.iter().zip(candidates).zip(counts) {
            let word = &mut query.words[usize::from(*at)];
            word.candidates = candidates;
            word.is_unknown = count == 0;
        }
        query.interpretation.typos = positions;
        Ok(())
    }

    /// Makes words optional, in the order of [`relaxing_order`], until enough products have the others.
    async fn make_words_optional(
        &self,
        query: &mut QueryWords,
        frequencies: &[WordFrequencies],
        enough: u64,
    ) -> Result<(), PortError> {
        let words: Vec<&Word> = query.words.iter().map(|word| &word.word).collect();
        let RelaxingOrder { unknown, known, most } = relaxing_order(&words, frequencies);
        if most + unknown.len() == 0 {
            return Ok(());
        }
        let has_others =
            |left_out: usize| self.visible(known[left_out..].iter().map(|at| has_word(&query.words[*at])));
        let filters: Vec<Value> = (0..most.min(MAX_RELAXED_WORDS)).map(has_others).collect();
        let counts = self.count(&filters, Vec::new()).await?.counts;
        let left_out = counts.iter().position(|count| *count >= enough).unwrap_or(most);
        for at in unknown.iter().chain(&known[..left_out]) {
            query.words[*at].is_required = false;
        }
        let optional = (0..).zip(&query.words).filter(|(_, word)| !word.is_required).map(|(at, _)| at);
        query.interpretation.optional = optional.collect();
        Ok(())
    }

    /// Counts the products inside the restriction that pass each filter, and runs suggesters.
    async fn count(&self, filters: &[Value], suggesters: Vec<Value>) -> Result<Counts, PortError> {
        self.snapshot.count(&self.inside, filters, suggesters).await
    }

    /// Counts the visible products inside the restriction that pass all filters.
    pub(super) async fn count_visible(&self, filters: Vec<Value>) -> Result<u64, PortError> {
        let counted = self.count(&[self.visible(filters)], Vec::new()).await?;
        Ok(counted.counts[0])
    }

    /// Returns the filter for products inside the restriction that pass this one, for counts over the whole index.
    pub(super) fn restricted(&self, filter: Value) -> Value {
        match self.inside.is_empty() {
            true => filter,
            false => all_of(std::iter::once(filter).chain(self.inside.iter().cloned()).collect()),
        }
    }

    /// Returns the filter for visible products with every required word, regardless of the request's filters and restriction.
    pub(super) fn matches(&self, query: &QueryWords) -> Value {
        self.visible(query.words.iter().filter(|word| word.is_required).map(has_word))
    }

    /// Returns the filters whose counts are [`WordCounts`].
    fn word_count_filters(&self, query: &QueryWords) -> Vec<Value> {
        let any_way = query.words.iter().map(|word| self.visible([has_word(word)]));
        let exactly = query.words.iter().map(|word| self.visible([has_exact_word(word)]));
        let language = self.snapshot.language();
        let kinds = query.words.iter().flat_map(|word| has_kind_terms(&word.word.text, language));
        let kinds = kinds.map(|term| self.visible([term]));
        std::iter::once(self.matches(query)).chain(any_way).chain(exactly).chain(kinds).collect()
    }

    /// Decides which words name kinds of things in this catalogue, once misspelt words are corrected.
    pub(super) async fn decide_kinds(&self, query: &mut QueryWords) -> Result<bool, PortError> {
        let filters = self.kind_filters(query);
        Ok(query.decide_kinds(&self.count(&filters, Vec::new()).await?.counts))
    }

    /// Returns the filters whose counts [`QueryWords::decide_kinds`] takes.
    pub(super) fn kind_filters(&self, query: &QueryWords) -> Vec<Value> {
        let language = self.snapshot.language();
        let terms = query.naming_words().flat_map(|word| has_kind_terms(word, language));
        terms.map(|term| self.visible([term])).collect()
    }

    /// Returns the filter for visible products that pass all filters: neither the shop hides them nor the operators exclude them.
    fn visible(&self, filters: impl IntoIterator<Item = Value>) -> Value {
        let passing = all_of(filters.into_iter().collect());
        match &self.hidden {
            Some(hidden) => json!({ "bool": { "filter": [passing], "must_not": [hidden] } }),
            None => passing,
        }
    }
}

impl TypoWords {
    /// Keeps the words that few products have as typed.
    fn retain_rare(self) -> Self {
        let Self { positions, counts: Counts { counts, suggested } } = self;
        let words = positions.into_iter().zip(counts).zip(suggested);
        let rare = words.filter(|((_, count), _)| *count < FEW);
        let (known, suggested): (Vec<(u8, u64)>, Vec<_>) = rare.unzip();
        let (positions, counts) = known.into_iter().unzip();
        Self { positions, counts: Counts { counts, suggested } }
    }
}

impl WordCounts {
    /// Splits the counts of [`Interpreter::word_count_filters`].
    fn from_counts(mut counts: Vec<u64>) -> Self {
        let mut any_way = counts.split_off(1);
        // For each word: one count in any way, one exactly, and those of its kind.
        let words = any_way.len() / (2 + Kind::COUNTED_TERMS);
        let mut exactly = any_way.split_off(words);
        let kinds = exactly.split_off(words);
        Self { all: counts[0], any_way, exactly, kinds }
    }

    /// Returns the document frequencies of each word, given those before words could have typos.
    fn frequencies(&self, as_typed: &[u64]) -> Vec<WordFrequencies> {
        let kinds = self.kinds.as_chunks::<{ Kind::COUNTED_TERMS }>().0;
        let words = (0..).zip(kinds).map(|(at, [as_kind, as_brand, _, as_group])| WordFrequencies {
            exactly: self.exactly[at],
            as_typed: as_typed[at],
            any_way: self.any_way[at],
            as_kind: *as_kind,
            as_group: *as_group,
            as_brand: *as_brand,
        });
        words.collect()
    }
}
