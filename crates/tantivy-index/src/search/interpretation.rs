//! The interpretation of a query: which words may match with typos, and which are optional.
//!
//! Words are first matched as typed. If few products have them all, rare words may also match with typos; if still few do, some
//! words become optional. [`SearchIndex::search_all`](domain::ports::SearchIndex::search_all) has the exact rules.

use std::sync::Arc;

use domain::ports::{ENOUGH_PRODUCTS, FEW_PRODUCTS, PortError};
use domain::search::{MatchMode, QueryInterpretation, SearchRequest, Sort};
use tantivy::DocId;
use text::kinds::names_kind;
use text::query::{Kind, Phrase, Query, Term, Word};
use text::relaxing::{MAX_RELAXED_WORDS, RelaxingOrder, is_scored_when_optional, relaxing_order};
use text::score::{PHRASE_WEIGHT_FACTOR, every_word_steps, is_weighted, typed_form_steps};
use text::typed_form::TypedForm;

use crate::error::search_error;
use crate::search::deadline::Deadline;
use crate::search::document_frequency::{kind_frequencies, word_frequencies};
use crate::search::expand::{expand, expand_optional};
use crate::search::expansion::{ExpandOptions, Expansion};
use crate::search::inside::Inside;
use crate::search::matching::{add_markers, add_optional_words, add_phrases, find_matches};
use crate::search::pinned_and_hidden::PinnedAndHidden;
use crate::search::postings::has_at_least;
use crate::search::ranking::{Match, Ranking, ScoredMarker, ScoredTerm};
use crate::search::snapshot::Snapshot;

/// An interpreted query with its matches.
#[derive(Default)]
pub(crate) struct InterpretedQuery {
    pub(crate) words: Vec<InterpretedWord>,
    pub(crate) interpretation: QueryInterpretation,
    /// The matches by segment, without hidden products.
    pub(crate) matches: Vec<Vec<Match>>,
    /// The matches with every word, by segment and in order; `None` if no word is optional.
    pub(crate) complete: Option<Vec<Vec<DocId>>>,
}

/// A word of an interpreted query.
pub(crate) struct InterpretedWord {
    pub(crate) word: Word,
    pub(crate) expansion: Arc<Expansion>,
    is_required: bool,
    /// True if it adds to the score.
    is_scored: bool,
}

impl InterpretedWord {
    /// Returns the best correction of the word; `None` if there is none, or a product inside the restriction has the word as typed.
    pub(crate) fn correction(
        &self,
        is_prefix_query: bool,
        snapshot: &Snapshot,
        inside: &Inside<'_>,
    ) -> tantivy::Result<Option<&str>> {
        let Some(best) = self.expansion.corrections.first() else { return Ok(None) };
        let options = ExpandOptions { typos: false, is_prefix_query };
        let as_typed = expand(&self.word, options, snapshot, inside)?;
        Ok((!has_at_least(1, &as_typed, snapshot, inside)?).then_some(&best.text))
    }
}

impl InterpretedQuery {
    /// Returns the optional words as typed.
    pub(crate) fn relaxed(&self, query: &str) -> Vec<String> {
        let optional = self.interpretation.optional.iter().filter_map(|at| self.words.get(usize::from(*at)));
        optional.filter_map(|word| query.get(word.word.span.clone())).map(str::to_owned).collect()
    }

    /// Returns the number of matches.
    fn count(&self) -> usize {
        self.matches.iter().map(Vec::len).sum()
    }

    /// Makes words optional, and keeps the matches with every word.
    fn make_optional(&mut self, positions: impl Iterator<Item = usize>) {
        for at in positions {
            if let Some(word) = self.words.get_mut(at) {
                word.is_required = false;
                word.is_scored = is_scored_when_optional(&word.word);
            }
        }
        self.complete.get_or_insert_with(|| {
            let documents = |matches: &Vec<Match>| matches.iter().map(|found| found.document).collect();
            self.matches.iter().map(documents).collect()
        });
    }

    /// Raises the score of the matches with every word above that of the others.
    fn raise_complete(&mut self) {
        let steps = every_word_steps(self.words.len());
        for (matches, complete) in self.matches.iter_mut().zip(self.complete.iter().flatten()) {
            for document in complete {
                if let Ok(at) = matches.binary_search_by_key(document, |found| found.document) {
                    matches[at].steps += steps;
                }
            }
        }
    }

    fn scored_words(&self) -> impl Iterator<Item = ScoredTerm> {
        self.words.iter().enumerate().filter(|(_, word)| word.is_scored).map(|(at, word)| {
            // Products that have another form lose the steps again, see [`Self::markers`].
            let exact_steps = match &word.word.typed_form {
                Some(TypedForm::Unmarked(_)) => typed_form_steps(at, self.words.len()),
                Some(TypedForm::Marked(_)) | None => 0,
            };
            ScoredTerm::word(Arc::clone(&word.expansion), at, word.is_required, exact_steps)
        })
    }

    /// Returns the markers of the words, with the steps by which each changes the score of a product that has it.
    fn markers(&self) -> impl Iterator<Item = (&Term, i32)> {
        let words = self.words.iter().enumerate().filter(|(_, word)| word.is_scored);
        let markers = words.filter_map(|(at, word)| {
            let steps = typed_form_steps(at, self.words.len()) as i32;
            match word.word.typed_form.as_ref()? {
                TypedForm::Marked(marker) => Some((marker, steps)),
                TypedForm::Unmarked(marker) => Some((marker, -steps)),
            }
        });
        markers.filter(|(_, steps)| *steps != 0)
    }
}

/// Interprets a query.
pub(crate) struct Interpreter<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) rules: &'a PinnedAndHidden<'a>,
    pub(crate) is_prefix_query: bool,
    pub(crate) deadline: Deadline,
}

impl Interpreter<'_> {
    /// Interprets a query with at least one word and finds its matches. `earlier` is the interpretation of the earlier pages,
    /// which is kept.
    ///
    /// # Errors
    /// [`Unavailable`](domain::ports::PortErrorKind::Unavailable) if the deadline passes.
    pub(crate) fn interpret(
        &self,
        request: &SearchRequest,
        query: Query,
        earlier: Option<&QueryInterpretation>,
    ) -> Result<InterpretedQuery, PortError> {
        let Query { words, phrases, kinds } = query;
        let mut query = InterpretedQuery::default();
        for word in words {
            let expansion = self.expand(&word, false)?;
            let is_required = request.match_mode != MatchMode::Any;
            query.words.push(InterpretedWord { word, expansion, is_required, is_scored: true });
        }
        if let Some(earlier) = earlier {
            self.adopt(&mut query, earlier)?;
        } else {
            self.find(&mut query)?;
            if request.match_mode != MatchMode::Any {
                self.allow_typos(&mut query)?;
            }
            if request.match_mode == MatchMode::Most {
                let enough = if request.sort == Sort::Relevance { ENOUGH_PRODUCTS } else { 1 };
                self.relax(&mut query, enough)?;
            }
        }
        self.add_phrases_and_kinds(&mut query, &phrases, &kinds, earlier.is_none())?;
        self.add_markers(&mut query)?;
        query.raise_complete();
        Ok(query)
    }

    fn expand(&self, word: &Word, typos: bool) -> Result<Arc<Expansion>, PortError> {
        let options = ExpandOptions { typos, is_prefix_query: self.is_prefix_query };
        expand(word, options, self.snapshot, self.rules.inside).map_err(search_error)
    }

    /// Applies the interpretation of the earlier pages and finds the matches.
    fn adopt(&self, query: &mut InterpretedQuery, earlier: &QueryInterpretation) -> Result<(), PortError> {
        for at in &earlier.typos {
            if let Some(word) = query.words.get_mut(usize::from(*at)) {
                word.expansion = self.expand(&word.word, true)?;
            }
        }
        query.interpretation = earlier.clone();
        self.find(query)?;
        if earlier.optional.is_empty() {
            return Ok(());
        }
        query.make_optional(earlier.optional.iter().map(|at| usize::from(*at)));
        self.find(query)?;
        self.add_optional_words(query)
    }

    /// Lets rare words match with typos if few products have all words.
    fn allow_typos(&self, query: &mut InterpretedQuery) -> Result<(), PortError> {
        if query.count() >= FEW_PRODUCTS {
            return Ok(());
        }
        for (at, word) in (0..).zip(&mut query.words) {
            let is_rare = || {
                let inside = self.rules.inside;
                let is_known = has_at_least(FEW_PRODUCTS, &word.expansion, self.snapshot, inside);
                is_known.map(|is_known| !is_known).map_err(search_error)
            };
            if word.word.may_have_typos() && is_rare()? {
                word.expansion = self.expand(&word.word, true)?;
                query.interpretation.typos.push(at);
            }
        }
        if query.interpretation.typos.is_empty() { Ok(()) } else { self.find(query) }
    }

    /// Makes words optional until enough products have the others.
    fn relax(&self, query: &mut InterpretedQuery, enough: usize) -> Result<(), PortError> {
        if query.count() >= enough || query.words.len() < 2 {
            return Ok(());
        }
        let mut frequencies = Vec::with_capacity(query.words.len());
        for word in &query.words {
            let counted = word_frequencies(&word.word, &word.expansion, self.snapshot, self.rules);
            frequencies.push(counted.map_err(search_error)?);
        }
        let words: Vec<&Word> = query.words.iter().map(|word| &word.word).collect();
        let RelaxingOrder { unknown, known, most } = relaxing_order(&words, &frequencies);
        if most + unknown.len() == 0 {
            return Ok(());
        }
        let has_unknown = !unknown.is_empty();
        query.make_optional(unknown.into_iter());
        if has_unknown {
            self.find(query)?;
        }
        for (tries, at) in known[..most].iter().enumerate() {
            if tries < MAX_RELAXED_WORDS && query.count() >= enough {
                break;
            }
            query.make_optional(std::iter::once(*at));
            // After the limit, all words but the rarest become optional at once.
            if tries + 1 < MAX_RELAXED_WORDS || tries + 1 == most {
                self.find(query)?;
            }
        }
        let optional = (0..).zip(&query.words).filter(|(_, word)| !word.is_required).map(|(at, _)| at);
        query.interpretation.optional = optional.collect();
        self.add_optional_words(query)
    }

    /// Finds the matches, regardless of filters. Their scores do not include optional words, see [`find_matches`].
    fn find(&self, query: &mut InterpretedQuery) -> Result<(), PortError> {
        let terms: Vec<ScoredTerm> = query.scored_words().collect();
        let ranking = Ranking::new(query.words.len());
        query.matches.clear();
        for segment in &self.snapshot.segments {
            self.deadline.check()?;
            let mut matches = find_matches(&terms, &ranking, segment).map_err(search_error)?;
            self.rules.remove_hidden(&mut matches, segment);
            query.matches.push(matches);
        }
        Ok(())
    }

    /// Adds the scores of optional words to the matches.
    fn add_optional_words(&self, query: &mut InterpretedQuery) -> Result<(), PortError> {
        let terms: Vec<ScoredTerm> = query.scored_words().collect();
        let ranking = Ranking::new(query.words.len());
        for (matches, segment) in query.matches.iter_mut().zip(&self.snapshot.segments) {
            add_optional_words(matches, &terms, &ranking, segment).map_err(search_error)?;
        }
        Ok(())
    }

    /// Adds the scores of phrases (words that are adjacent in the query and in a product) and of the kinds that the query names. They
    /// change only the order.
    fn add_phrases_and_kinds(
        &self,
        query: &mut InterpretedQuery,
        phrases: &[Phrase],
        kinds: &[Kind],
        is_first_page: bool,
    ) -> Result<(), PortError> {
        let mut terms = Vec::with_capacity(phrases.len() + kinds.len());
        for phrase in phrases {
            let term = self.correct(phrase, query)?.term;
            let expansion =
                expand_optional(&term, PHRASE_WEIGHT_FACTOR, self.snapshot).map_err(search_error)?;
            terms.push(ScoredTerm::optional(expansion, is_weighted(phrase.second)));
        }
        for kind in self.named(kinds, query, is_first_page)? {
            let expansion = expand_optional(&kind.term, kind.factor, self.snapshot).map_err(search_error)?;
            terms.push(ScoredTerm::optional(expansion, true));
        }
        let ranking = Ranking::new(query.words.len());
        for (matches, segment) in query.matches.iter_mut().zip(&self.snapshot.segments) {
            add_phrases(matches, &terms, &ranking, segment).map_err(search_error)?;
        }
        Ok(())
    }

    /// Returns the kinds that the words name in this catalogue, with misspelt words corrected. Further pages keep those of the first.
    fn named(
        &self,
        kinds: &[Kind],
        query: &mut InterpretedQuery,
        is_first_page: bool,
    ) -> Result<Vec<Kind>, PortError> {
        let mut named = Vec::with_capacity(kinds.len());
        for kind in kinds {
            let word = &query.words[kind.word];
            let corrected = self.corrected(word)?;
            let position = kind.word as u8;
            if is_first_page {
                let text = corrected.as_deref().unwrap_or(&word.word.text);
                let counted = kind_frequencies(text, self.snapshot, self.rules).map_err(search_error)?;
                let [as_kind, as_brand, as_word, _] = counted;
                if !names_kind(as_kind, as_brand, as_word) {
                    continue;
                }
                query.interpretation.kinds.push(position);
            } else if !query.interpretation.kinds.contains(&position) {
                continue;
            }
            named.push(match corrected {
                Some(word) => kind.corrected(&word, self.snapshot.language),
                None => kind.clone(),
            });
        }
        Ok(named)
    }

    /// Raises the products whose names have words as typed above those that are otherwise equal.
    fn add_markers(&self, query: &mut InterpretedQuery) -> Result<(), PortError> {
        let marker =
            |(term, steps)| Ok(ScoredMarker { expansion: expand_optional(term, 1, self.snapshot)?, steps });
        let markers =
            query.markers().map(marker).collect::<tantivy::Result<Vec<_>>>().map_err(search_error)?;
        for (matches, segment) in query.matches.iter_mut().zip(&self.snapshot.segments) {
            add_markers(matches, &markers, segment).map_err(search_error)?;
        }
        Ok(())
    }

    /// Returns the phrase with its misspelt words corrected.
    fn correct(&self, phrase: &Phrase, query: &InterpretedQuery) -> Result<Phrase, PortError> {
        let (first, second) = (&query.words[phrase.first], &query.words[phrase.second]);
        if first.expansion.corrections.is_empty() && second.expansion.corrections.is_empty() {
            return Ok(phrase.clone());
        }
        let text = |word: &InterpretedWord| -> Result<String, PortError> {
            Ok(self.corrected(word)?.unwrap_or_else(|| word.word.text.clone()))
        };
        Ok(phrase.corrected(&text(first)?, &text(second)?, self.snapshot.language))
    }

    /// Returns the correction of a misspelt word.
    fn corrected(&self, word: &InterpretedWord) -> Result<Option<String>, PortError> {
        let (snapshot, inside) = (self.snapshot, self.rules.inside);
        let correction = word.correction(self.is_prefix_query, snapshot, inside).map_err(search_error)?;
        Ok(correction.map(str::to_owned))
    }
}
