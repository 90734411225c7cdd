//! The terms that match a word of a query, in each of its spellings.

use domain::Language;

use crate::analysis::{has_digit, query_words};
use crate::cjk::{self, is_cjk};
use crate::dictionary::{Dictionary, Term};
use crate::forms::normal_form;
use crate::joins;
use crate::pairs::is_pair_number;
use crate::score::Spelling;
use crate::signs::is_digits;
use crate::units::{is_unit, spelt_out};

/// The most words of a synonym; the rest is ignored.
const MAX_WORDS: usize = domain::search::MAX_QUERY_WORDS;
/// The most parts of a code that products may write apart.
const MAX_CODE_PARTS: usize = 6;
/// The most letters before the number of a code that a name precedes: `EOS R6`, `Lumix GH5`.
const MAX_CODE_LETTERS: usize = 2;
/// The fewest letters of a name that is written together with a code.
const MIN_NAME_LETTERS: usize = 3;
/// The fewest digits of a number that is a part of a code.
const MIN_CODE_DIGITS: usize = 3;
/// The fewest characters of a part of a code that is two words itself.
const MIN_PAIR_CHARS: usize = 4;

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

    /// Returns the alternative for products that have the word in their sku only, where it is indexed as a code; `None` unless this is one
    /// term of [`Dictionary::Words`].
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

/// Returns the alternatives of products that write a code in parts.
///
/// 1. All letters and digits apart: `RTX 4070 Ti` for `rtx4070ti`. Each part must be adjacent to the next one. The term of the pair
///    covers codes of two parts.
/// 2. In two parts, of which one has letters and digits: `S24 Ultra`, `WH 1000XM4`. A part may itself be two words: `iPhone 15 Pro Max`.
///    Terms for such neighbours would make the index larger, so the parts may be anywhere in the product.
/// 3. A number that forms no pairs and its unit: `10050 mAh`.
pub(crate) fn split(word: &str, language: Language) -> Vec<Alternative> {
    let is_code = word.bytes().all(|byte| byte.is_ascii_alphanumeric()) && has_digit(word);
    if !is_code || joins::is_measure(word) {
        return Vec::new();
    }
    let is_alike = |a: &u8, b: &u8| a.is_ascii_digit() == b.is_ascii_digit();
    let parts: Vec<&str> =
        word.as_bytes().chunk_by(is_alike).filter_map(|part| str::from_utf8(part).ok()).collect();
    let all = |terms: Vec<Term>| Alternative { terms, is_phrase: false, spelling: Spelling::Joined };
    match parts.as_slice() {
        [letters, _] if letters.as_bytes()[0].is_ascii_lowercase() => {
            let starts = (1..=MAX_CODE_LETTERS).filter_map(|length| letters.len().checked_sub(length));
            let starts = starts.filter(|start| *start >= MIN_NAME_LETTERS);
            starts.filter_map(|start| in_two(word, start, as_word, language)).map(all).collect()
        }
        [number, unit] if is_unit(unit) && !is_pair_number(number) => {
            let parts = [number, spelt_out(unit).unwrap_or(unit)];
            vec![all(parts.into_iter().map(|part| Term::normalized(part, language)).collect())]
        }
        parts if (3..=MAX_CODE_PARTS).contains(&parts.len()) => {
            let pairs = parts.windows(2).map(|pair| Term::joined_pair(&pair.concat(), language)).collect();
            let ends = parts.iter().scan(0, |end, part| {
                *end += part.len();
                Some(*end)
            });
            let two_parts = ends.take(parts.len() - 1).flat_map(|end| {
                [as_word, of_words].into_iter().filter_map(move |term| in_two(word, end, term, language))
            });
            let mut found = vec![pairs];
            for terms in two_parts {
                if !found.contains(&terms) {
                    found.push(terms);
                }
            }
            found.into_iter().map(all).collect()
        }
        _ => Vec::new(),
    }
}

/// Splits a code at a byte index and returns the `term` of each part; `None` if a part is so short that most products have it.
fn in_two(
    word: &str,
    at: usize,
    term: fn(&str, Language) -> Option<Term>,
    language: Language,
) -> Option<Vec<Term>> {
    let parts: [&str; 2] = word.split_at_checked(at)?.into();
    // Next to a code, a number of two digits is specific enough: `60` and `r16`.
    let has_code = parts.iter().any(|part| has_digit(part) && !is_digits(part));
    let is_long = |part: &&str| part.len() >= if is_digits(part) && !has_code { MIN_CODE_DIGITS } else { 2 };
    if !parts.iter().all(is_long) {
        return None;
    }
    parts.into_iter().map(|part| term(part, language)).collect()
}

fn as_word(part: &str, language: Language) -> Option<Term> {
    Some(Term::normalized(part, language))
}

/// Returns the term of a part of a code that may itself be two words: `iPhone 15`, `Wi-Fi`, `Pro Max`. Letters that are too few for two
/// words give `None`: `Ti`.
fn of_words(part: &str, language: Language) -> Option<Term> {
    let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let begins_with_letters = !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_lowercase());
    if !begins_with_letters {
        return Some(Term::normalized(part, language));
    }
    if part.len() >= MIN_PAIR_CHARS {
        return Some(Term::joined_pair(part, language));
    }
    (letters.len() < part.len()).then(|| Term::normalized(part, language))
}

/// Returns true for whole numbers with `x` between them: `8x25`.
pub(crate) fn is_plain_measure(word: &str) -> bool {
    word.contains('x') && word.split('x').all(|part| !part.is_empty() && is_digits(part))
}

/// Returns the alternative of a product that writes the letter of a measure apart: `M 8 x 25` for `m8x25`.
pub(crate) fn letter_apart(word: &str, language: Language) -> Option<Alternative> {
    let (letter, measure) = word.split_at_checked(1)?;
    (letter.as_bytes()[0].is_ascii_lowercase() && is_plain_measure(measure)).then(|| {
        let terms = [measure, letter].into_iter().map(|part| Term::normalized(part, language)).collect();
        Alternative { terms, is_phrase: false, spelling: Spelling::Joined }
    })
}

fn terms_of_run(run: &str) -> impl Iterator<Item = Term> {
    cjk::bigrams(run).map(|bigram| Term { dictionary: Dictionary::of_word(bigram), text: bigram.to_owned() })
}
