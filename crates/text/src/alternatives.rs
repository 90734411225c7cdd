//! The terms that match a word of a query, in each of its spellings.

use domain::Language;

use crate::analysis::{has_digit, query_words};
use crate::cjk::{self, is_cjk};
use crate::dictionary::{Dictionary, Term};
use crate::forms::normal_form;
use crate::score::Spelling;

/// The most words of a synonym; the rest is ignored.
const MAX_WORDS: usize = domain::search::MAX_QUERY_WORDS;
/// The most parts of a code that products may write apart.
const MAX_CODE_PARTS: usize = 6;

/// Terms that match a word together: a product must have all of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alternative {
    /// The terms, at least one. The first one determines the weight.
    pub terms: Vec<Term>,
    /// True if they are the bigrams of one run, which must be adjacent and in this order.
    pub is_phrase: bool,
    /// The difference from the typed word.
    pub spelling: Spelling,
}

impl Term {
    /// Returns the term that every product with any form of this word has.
    pub(crate) fn normalized(word: &str, language: Language) -> Self {
        let (dictionary, form) = normal_form(word, language);
        Self { dictionary, text: form.into_owned() }
    }

    /// Returns the term of two adjacent words of a product that this word joins.
    pub(crate) fn joined_pair(word: &str, language: Language) -> Self {
        Self { dictionary: Dictionary::Pairs, text: normal_form(word, language).1.into_owned() }
    }
}

impl Alternative {
    pub(crate) fn one(term: Term, spelling: Spelling) -> Self {
        Self { terms: vec![term], is_phrase: false, spelling }
    }

    /// Returns the alternative of products that have a word in their sku only, where it is a code; `None` if this is not a single word.
    pub(crate) fn in_sku(&self) -> Option<Self> {
        match self.terms.as_slice() {
            [Term { dictionary: Dictionary::Words, text }] => {
                let term = Term { dictionary: Dictionary::Codes, text: text.clone() };
                Some(Self { terms: vec![term], ..self.clone() })
            }
            _ => None,
        }
    }

    /// Returns the alternative of a run: its bigrams, adjacent and in order.
    pub(crate) fn run(run: &str, spelling: Spelling) -> Self {
        let terms: Vec<Term> = terms_of_run(run).collect();
        Self { is_phrase: terms.len() > 1, terms, spelling }
    }

    /// Returns the alternatives of a synonym.
    pub(crate) fn synonyms(text: &str, language: Language) -> Vec<Self> {
        let words = query_words(text);
        if let [(run, _)] = words.as_slice()
            && is_cjk(run)
        {
            return cjk::spellings(run).iter().map(|run| Self::run(run, Spelling::Synonym)).collect();
        }
        let mut terms = Vec::new();
        for (word, _) in words.into_iter().take(MAX_WORDS) {
            match is_cjk(&word) {
                true => cjk::spellings(&word).iter().take(1).for_each(|run| terms.extend(terms_of_run(run))),
                false => terms.push(Term::normalized(&word, language)),
            }
        }
        let alternative = Self { terms, is_phrase: false, spelling: Spelling::Synonym };
        let in_sku = alternative.in_sku();
        [alternative].into_iter().filter(|own| !own.terms.is_empty()).chain(in_sku).collect()
    }
}

/// Returns initials without their dots: `elf` for `e.l.f`.
pub(crate) fn initials(word: &str) -> Option<String> {
    let is_initials = word.contains('.') && word.split('.').all(|part| part.len() == 1 && part != "x");
    let letters = word.replace('.', "");
    (is_initials && letters.bytes().all(|byte| byte.is_ascii_lowercase())).then_some(letters)
}

/// Returns the alternative of a product that writes the letters and digits of a code apart: `RTX 4070 Ti` for `rtx4070ti`. Each part
/// must be adjacent to the next one. Returns `None` for two parts, which the term of the pair covers.
pub(crate) fn split(word: &str, language: Language) -> Option<Alternative> {
    if !word.is_ascii() || !has_digit(word) {
        return None;
    }
    let is_alike = |a: &u8, b: &u8| a.is_ascii_digit() == b.is_ascii_digit();
    let parts: Vec<&str> =
        word.as_bytes().chunk_by(is_alike).filter_map(|part| str::from_utf8(part).ok()).collect();
    let is_code =
        (3..=MAX_CODE_PARTS).contains(&parts.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then(|| {
        let terms = parts.windows(2).map(|pair| Term::joined_pair(&pair.concat(), language));
        Alternative { terms: terms.collect(), is_phrase: false, spelling: Spelling::Joined }
    })
}

/// Returns true for a measure of numbers only: `8x25`.
pub(crate) fn is_measure(word: &str) -> bool {
    word.contains('x')
        && word.split('x').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the alternative of a product that writes the letter of a measure apart: `M 8 x 25` for `m8x25`.
pub(crate) fn letter_apart(word: &str, language: Language) -> Option<Alternative> {
    let (letter, measure) = word.split_at_checked(1)?;
    (letter.as_bytes()[0].is_ascii_lowercase() && is_measure(measure)).then(|| {
        let terms = [measure, letter].into_iter().map(|part| Term::normalized(part, language)).collect();
        Alternative { terms, is_phrase: false, spelling: Spelling::Joined }
    })
}

fn terms_of_run(run: &str) -> impl Iterator<Item = Term> {
    cjk::bigrams(run).map(|bigram| Term { dictionary: Dictionary::of_word(bigram), text: bigram.to_owned() })
}
