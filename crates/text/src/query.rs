//! The words of a query, and the terms that each of them matches.

use std::ops::Range;

use domain::Language;
use domain::search::{MatchMode, SearchRequest};

pub use crate::alternatives::Alternative;
use crate::analysis::{query_signs, query_words};
use crate::cjk::is_cjk;
pub use crate::dictionary::Term;
use crate::forms::normal_form;
use crate::joins::is_measure;
use crate::kinds::{QueryRole, brand_term, group_term, is_thing_first, kind_term, may_name, query_roles};
use crate::neighbours::{add_rows, add_synonym, read_units};
use crate::operators::Operators;
use crate::pairs::for_each_pair;
use crate::score::Spelling;
use crate::signs::is_conjunction;
use crate::units::is_size;
pub use crate::word::Word;

/// The most words of a query; the rest is ignored. Only long texts in scripts without spaces have more.
const MAX_WORDS: usize = domain::search::MAX_QUERY_WORDS;
/// The words and phrases of a search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// The words, each once, except that the last one is kept even if it occurred before. Stop words are removed unless there
    /// are no others.
    pub words: Vec<Word>,
    /// Adjacent words. Products in which they are adjacent too score higher; matching them is optional.
    pub phrases: Vec<Phrase>,
    /// The kinds that the query may ask for. Products of them score higher.
    pub kinds: Vec<Kind>,
}

/// A word that may name the kind of thing that a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// The term of the products of this kind.
    pub term: Term,
    /// The index of the word in [`Query::words`].
    pub word: usize,
    /// The factor of the weight: 2 for the thing that the query names, 1 for the word before it, which may be the thing as well:
    /// `lamp red`. In languages that put the thing first, it is the word after it.
    pub factor: u8,
}

impl Kind {
    /// The number of [`Self::counted_terms`].
    pub const COUNTED_TERMS: usize = 4;

    /// Returns the terms whose document frequencies decide whether the word names a kind, see [`names_kind`](crate::kinds::names_kind):
    /// of the kind, of brands, of the word itself, and of the group of kinds, which matters only to [`crate::relaxing`].
    pub fn counted_terms(word: &str, language: Language) -> [Term; Self::COUNTED_TERMS] {
        let word_itself = Term::normalized(word, language);
        [kind_term(word, language), brand_term(word, language), word_itself, group_term(word, language)]
    }

    /// Returns the kind with a corrected word.
    pub fn corrected(&self, word: &str, language: Language) -> Self {
        Self { term: kind_term(word, language), ..self.clone() }
    }
}

/// Returns the kinds that the words of a query may name: those of the last two words that can name a thing or, in languages that
/// put the thing first, of the first two.
fn kinds(words: &[Word], language: Language) -> Vec<Kind> {
    let may_name = |at: &usize| words[*at].role != QueryRole::Aside && may_name(&words[*at].text, language);
    let mut named: Vec<usize> = (0..words.len()).filter(may_name).collect();
    if !is_thing_first(language) {
        named.reverse();
    }
    let kind =
        |(factor, at): (u8, usize)| Kind { term: kind_term(&words[at].text, language), word: at, factor };
    [2, 1].into_iter().zip(named).map(kind).collect()
}

/// Two adjacent words of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The term of products in which the words are adjacent.
    pub term: Term,
    /// The index of the first word in [`Query::words`].
    pub first: usize,
    /// The index of the second word in [`Query::words`].
    pub second: usize,
}

impl Phrase {
    /// Returns the phrase with corrected words.
    pub fn corrected(&self, first: &str, second: &str, language: Language) -> Self {
        Self { term: Term::joined_pair(&format!("{first}{second}"), language), ..self.clone() }
    }
}

impl Query {
    /// Creates the query of a search, with the shop's synonyms and stop words, in the language of the products.
    pub fn new(request: &SearchRequest, language: Language) -> Self {
        let operators = Operators::of(request);
        let text = &operators.plain;
        let mut found: Vec<Word> = Vec::new();
        for (word, span) in query_words(text).into_iter().take(MAX_WORDS) {
            found.push(Word::new(word, span, text, language));
        }
        let mut pairs = Vec::new();
        if found.is_empty() {
            let signs = query_signs(text).into_iter().take(MAX_WORDS);
            found.extend(signs.map(|(sign, span)| Word::new(sign, span, text, language)));
        }
        for_each_pair(text, language, |pair, span| {
            for word in
                found.iter_mut().filter(|word| span.start <= word.span.start && word.span.end <= span.end)
            {
                word.add(Alternative::one(Term::normalized(pair, language), Spelling::Joined));
            }
            pairs.push((Term::joined_pair(pair, language), span));
        });
        add_rows(&mut found, language);
        read_units(&mut found, text, language);
        for synonym in &request.tuning.synonyms {
            add_synonym(&mut found, synonym, language);
        }
        for word in &mut found {
            let is_in =
                |phrase: &Range<usize>| phrase.start <= word.span.start && word.span.end <= phrase.end;
            word.is_quoted = operators.phrases.iter().any(is_in);
        }
        if let Some(last) = found.last_mut() {
            // The beginning of the last word in a run is unknown, so the run cannot be a prefix.
            // A measure is complete, unless the shopper is still typing: `m8x2` is no beginning of `m8x25`, nor `5 m` of `5 mm`.
            let is_whole = || last.is_unit || is_size(&last.text) || is_measure(&last.text);
            let is_complete =
                last.is_quoted || is_cjk(&last.text) || (is_whole() && !request.is_prefix_query);
            last.is_prefix = request.match_mode != MatchMode::Any && !is_complete;
        }
        let roles = query_roles(text, language);
        for word in &mut found {
            let role = roles.iter().find(|(span, _)| *span == word.span);
            word.role = role.map_or(QueryRole::Modifier, |(_, role)| *role);
        }
        without_conjunctions(&mut found, language);
        without_stop_words(&mut found, &request.tuning.stop_words, language);
        let mut words = distinct(found);
        add_other_forms(&mut words, language);
        let phrase = |(term, span): (Term, Range<usize>)| {
            let first = words.iter().position(|word| word.span.start == span.start)?;
            let second = words.iter().position(|word| word.span.end == span.end)?;
            Some(Phrase { term, first, second })
        };
        let phrases = pairs.into_iter().filter_map(phrase).collect();
        let kinds = kinds(&words, language);
        Self { words, phrases, kinds }
    }
}

/// Removes the words that mean the same as `&`, which is not a word of a query: `salt and pepper`. Keeps the first and the last
/// word, which may mean something else, such as the beginning of a longer word.
fn without_conjunctions(words: &mut Vec<Word>, language: Language) {
    let last = words.len().saturating_sub(1);
    let mut at = 0;
    words.retain(|word| {
        let is_between = at > 0 && at < last;
        at += 1;
        !(is_between && is_conjunction(&word.text, language))
    });
}

fn without_stop_words(words: &mut Vec<Word>, stop_words: &[String], language: Language) {
    let term = |word: &str| Term::normalized(word, language);
    let stop: Vec<Term> = stop_words.iter().map(|word| term(&crate::analysis::joined(word))).collect();
    let is_stop = |word: &Word| stop.contains(&term(&word.text));
    if words.iter().any(|word| !is_stop(word)) {
        words.retain(|word| !is_stop(word));
    }
}

/// Gives each word the normal forms of the others.
fn add_other_forms(words: &mut [Word], language: Language) {
    let form = |word: &Word| normal_form(&word.text, language).1.into_owned();
    let forms: Vec<String> = words.iter().map(form).collect();
    for (word, own) in words.iter_mut().zip(&forms).filter(|(word, _)| word.may_have_typos()) {
        word.other_forms = forms.iter().filter(|form| *form != own).cloned().collect();
    }
}

fn distinct(found: Vec<Word>) -> Vec<Word> {
    let mut words = Vec::<Word>::with_capacity(found.len());
    for word in found {
        match words.iter_mut().find(|known| known.text == word.text && !word.is_prefix) {
            Some(known) => {
                known.is_quoted |= word.is_quoted;
                word.alternatives.into_iter().for_each(|alternative| known.add(alternative));
            }
            None => words.push(word),
        }
    }
    words
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
