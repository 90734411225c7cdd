//! The words of a query, with the decisions of their interpretation so far.

use std::borrow::Cow;

use domain::Language;
use domain::ports::ENOUGH_PRODUCTS;
use domain::search::{MatchMode, QueryInterpretation, SearchRequest};
use text::corrected_query::InterpretedWord;
use text::kinds::names_kind;
use text::query::{Kind, Phrase, Query, Word};

use crate::search::spelling::SpellingCandidate;

/// The words of a query.
pub(super) struct QueryWords {
    pub(super) words: Vec<QueryWord>,
    phrases: Vec<Phrase>,
    kinds: Vec<NamedKind>,
    pub(super) interpretation: QueryInterpretation,
}

/// A word of a query.
#[derive(Debug)]
pub(super) struct QueryWord {
    pub(super) word: Word,
    /// True if it also matches as a prefix; `None` until that is decided.
    is_prefix: Option<bool>,
    /// The words that it may stand for if it is misspelt, best first.
    pub(super) candidates: Vec<SpellingCandidate>,
    pub(super) is_required: bool,
    /// True if a count has shown that no product has the word as typed.
    pub(super) is_unknown: bool,
}

/// A word that names a kind or may name one.
struct NamedKind {
    kind: Kind,
    /// `None` until counts in the catalogue decide it.
    is_named: Option<bool>,
}

impl QueryWord {
    /// Returns the correction of the word, if it is misspelt.
    pub(super) fn correction(&self) -> Option<&str> {
        self.candidates.first().filter(|_| self.is_unknown).map(|candidate| candidate.text.as_str())
    }

    /// Returns true if the word also matches as a prefix.
    pub(super) fn is_prefix(&self) -> bool {
        self.is_prefix == Some(true)
    }

    /// Returns true if the word is long enough to have typos.
    pub(super) fn may_have_typos(&self) -> bool {
        self.word.may_have_typos()
    }
}

impl QueryWords {
    /// Parses the words, to match as typed.
    pub(super) fn as_typed(request: &SearchRequest, language: Language) -> Self {
        let Query { words, phrases, kinds } = Query::new(request, language);
        let as_typed = |word: Word| QueryWord {
            is_prefix: if word.is_prefix && !request.is_prefix_query { None } else { Some(word.is_prefix) },
            word,
            candidates: Vec::new(),
            is_required: request.match_mode != MatchMode::Any,
            is_unknown: false,
        };
        Self {
            words: words.into_iter().map(as_typed).collect(),
            phrases,
            kinds: kinds.into_iter().map(|kind| NamedKind { kind, is_named: None }).collect(),
            interpretation: QueryInterpretation::default(),
        }
    }

    /// Returns the last word while it is undecided whether it is a prefix. It is one if few products have it as a whole word.
    pub(super) fn undecided_prefix(&self) -> Option<&QueryWord> {
        self.words.last().filter(|last| last.is_prefix.is_none())
    }

    /// Decides whether the last word is a prefix, given the number of products that have it as a whole word. Returns
    /// true if that changes the matches.
    pub(super) fn decide_prefix(&mut self, document_frequency: u64) -> bool {
        match self.words.last_mut() {
            Some(last) if last.is_prefix.is_none() => {
                *last.is_prefix.insert(document_frequency < ENOUGH_PRODUCTS as u64)
            }
            _ => false,
        }
    }

    /// Returns pairs of neighbouring words, with misspelt words corrected.
    pub(super) fn phrases(&self) -> impl Iterator<Item = Cow<'_, Phrase>> {
        self.phrases.iter().map(|phrase| {
            let (first, second) = (&self.words[phrase.first], &self.words[phrase.second]);
            if first.correction().is_none() && second.correction().is_none() {
                return Cow::Borrowed(phrase);
            }
            let corrected = |word: &'_ QueryWord| word.correction().unwrap_or(&word.word.text).to_owned();
            Cow::Owned(phrase.corrected(&corrected(first), &corrected(second), first.word.language))
        })
    }

    /// Returns the kinds that the query names or may name, with misspelt words corrected.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Cow<'_, Kind>> {
        self.kinds.iter().filter(|kind| kind.is_named != Some(false)).map(|NamedKind { kind, .. }| {
            let word = &self.words[kind.word];
            match word.correction() {
                None => Cow::Borrowed(kind),
                Some(correction) => Cow::Owned(kind.corrected(correction, word.word.language)),
            }
        })
    }

    /// Returns the words that may name a kind, with their corrections.
    pub(super) fn naming_words(&self) -> impl Iterator<Item = &str> {
        self.kinds.iter().map(|NamedKind { kind, .. }| {
            let word = &self.words[kind.word];
            word.correction().unwrap_or(&word.word.text)
        })
    }

    /// Decides which words name a kind, given the document frequencies of the terms of [`Kind::counted_terms`] for each of
    /// [`Self::naming_words`]. Returns true if the order may differ from that of the previous search, in which all of them named one.
    pub(super) fn decide_kinds(&mut self, frequencies: &[u64]) -> bool {
        let mut is_changed = false;
        self.interpretation.kinds.clear();
        for (named, counts) in self.kinds.iter_mut().zip(frequencies.chunks(Kind::COUNTED_TERMS)) {
            let &[as_kind, as_brand, as_word, _] = counts else { continue };
            let is_named = names_kind(as_kind, as_brand, as_word);
            is_changed |= !is_named && as_kind > 0;
            named.is_named = Some(is_named);
            if is_named {
                self.interpretation.kinds.push(named.kind.word as u8);
            }
        }
        is_changed
    }

    /// Adopts the kinds that the earlier pages decided.
    pub(super) fn adopt_kinds(&mut self, earlier: &[u8]) {
        for named in &mut self.kinds {
            named.is_named = Some(earlier.contains(&(named.kind.word as u8)));
        }
        self.interpretation.kinds = earlier.to_vec();
    }

    /// Returns true if the words match only as typed: none is optional or has spelling candidates.
    pub(super) fn match_as_typed(&self) -> bool {
        self.interpretation.optional.is_empty() && self.words.iter().all(|word| word.candidates.is_empty())
    }

    /// Returns the words with their corrections.
    pub(super) fn interpreted_words(&self) -> impl Iterator<Item = InterpretedWord<'_>> {
        (0..).zip(&self.words).map(|(at, own)| InterpretedWord {
            word: &own.word,
            correction: own.correction(),
            is_optional: self.interpretation.optional.contains(&at),
        })
    }

    /// Returns the optional words as they are spelt in the query.
    pub(super) fn optional_words(&self, query: &str) -> Vec<String> {
        let positions = self.interpretation.optional.iter();
        let words = positions.filter_map(|at| self.words.get(usize::from(*at)));
        words.filter_map(|word| query.get(word.word.span.clone())).map(str::to_owned).collect()
    }
}
