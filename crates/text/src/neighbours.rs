//! The alternatives of words of a query that depend on their neighbours: units, words written as one, synonyms.

use domain::Language;
use domain::search::Synonym;

use crate::alternatives::{Alternative, is_plain_measure};
use crate::analysis::{has_digit, query_words};
use crate::dictionary::Term;
use crate::forms::normal_form;
use crate::joins;
use crate::pairs::is_pair_number;
use crate::score::Spelling;
use crate::signs::{is_digits, is_number};
use crate::units::{is_beside, is_other_plural, is_unit, spelt_out, without_zeros};
use crate::word::Word;

/// The most words of a query that products may write as one.
const MAX_JOINED_WORDS: usize = 4;
/// The most bytes of words that are joined.
const MAX_ROW_BYTES: usize = 40;
/// The most bytes of a code that is joined with its neighbours. Longer codes are part numbers.
const MAX_CODE_BYTES: usize = 8;

/// Lets the unit of a number or measure match in every notation: `60 w` and `60 watt`, `27 in` and `27 inch`. A unit that is a form of
/// another word loses that meaning: `20 pcs` finds no PC.
pub(crate) fn read_units(words: &mut [Word], query: &str, language: Language) {
    for at in 1..words.len() {
        let [number, unit] = &mut words[at - 1..=at] else { continue };
        // The span of a measure contains the unit that is written together with it.
        let gap = query.get(number.span.end..unit.span.start).unwrap_or_default();
        let is_after_number = is_number(&number.text) || joins::is_measure(&number.text);
        if !is_after_number || !is_beside(gap) || !is_unit(&unit.text) {
            continue;
        }
        unit.is_unit = true;
        add_size(number, unit, language);
        if let Some(word) = spelt_out(&unit.text) {
            if is_other_plural(&unit.text) {
                let (_, form) = normal_form(&unit.text, language);
                unit.alternatives.retain(|own| own.terms.first().is_none_or(|term| term.text != form));
            }
            let common = Alternative::one(Term::normalized(word, language), Spelling::Same);
            unit.alternatives.retain(|own| own.terms != common.terms);
            unit.alternatives.insert(0, common);
        }
    }
}

/// Lets a number before a unit match without the zeros of its decimals: `2.0 l` and `2 l`. A number that forms no pairs also matches
/// written together with its unit, `10050mAh`, except a fraction, which products never have so.
fn add_size(number: &mut Word, unit: &mut Word, language: Language) {
    if !is_number(&number.text) {
        return;
    }
    if !is_pair_number(&number.text) && !number.text.contains('/') {
        let joined = Alternative::one(attached(number, unit, language), Spelling::Joined);
        number.add(joined.clone());
        unit.add(joined);
        return;
    }
    let short = without_zeros(&number.text);
    if short.len() < number.text.len() {
        let same = Alternative::one(Term::normalized(short, language), Spelling::Same);
        number.add(same);
    }
}

/// Returns the term of products that write a number and its unit as one word.
pub(crate) fn attached(number: &Word, unit: &Word, language: Language) -> Term {
    Term::normalized(&format!("{}{}", number.text, unit.text), language)
}

/// Adds to adjacent words the alternative that a product writes them as one: `RTX4070Ti` for `rtx 4070 ti`, `DIY` for `d i y`.
///
/// 1. Two words, if one of them is a code: `s24 ultra`, `7800 x3d`. Other pairs come from [`crate::pairs::for_each_pair`].
/// 2. Three or four words, if some are numbers or codes and not all are numbers, or if each has one character.
/// 3. A letter and the measure after it: `m 8x25`.
pub(crate) fn add_rows(words: &mut [Word], language: Language) {
    let is_numeric = |word: &Word| is_digits(&word.text) || is_short_code(&word.text);
    let may_join = |word: &Word| is_numeric(word) || word.text.bytes().all(|byte| byte.is_ascii_lowercase());
    for at in 1..words.len() {
        let (letter, measure) = (&words[at - 1].text, &words[at].text);
        if letter.len() == 1 && letter.as_bytes()[0].is_ascii_lowercase() && is_plain_measure(measure) {
            let whole = Term::normalized(&format!("{letter}{measure}"), language);
            let alternative = Alternative::one(whole, Spelling::Joined);
            words[at - 1..=at].iter_mut().for_each(|word| word.add(alternative.clone()));
        }
    }
    for length in 2..=MAX_JOINED_WORDS {
        for start in 0..(words.len() + 1).saturating_sub(length) {
            let row = &words[start..start + length];
            let has_code = row.iter().any(|word| is_short_code(&word.text));
            let is_row = row.iter().all(may_join)
                && (length > 2 || has_code)
                && (row.iter().any(is_numeric) && !row.iter().all(|word| is_digits(&word.text))
                    || row.iter().all(|word| word.text.len() == 1));
            let whole: String = row.iter().map(|word| word.text.as_str()).collect();
            if is_row && whole.len() <= MAX_ROW_BYTES {
                let alternative = Alternative::one(Term::normalized(&whole, language), Spelling::Joined);
                words[start..start + length].iter_mut().for_each(|word| word.add(alternative.clone()));
            }
        }
    }
}

/// Returns true for at most eight letters and digits that are neither a number, a size nor a measure: `s24`, `r6`, `1000xm4`, `6e`.
fn is_short_code(word: &str) -> bool {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
    word.len() <= MAX_CODE_BYTES
        && word.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
        && has_digit(word)
        && !unit.is_empty()
        && !is_unit(unit)
        && !joins::is_measure(word)
}

/// Adds the synonym's alternatives to each word of each occurrence of its `from` in the query.
pub(crate) fn add_synonym(words: &mut [Word], synonym: &Synonym, language: Language) {
    let term = |word: &str| Term::normalized(word, language);
    let from: Vec<Term> = query_words(&synonym.from).iter().map(|(word, _)| term(word)).collect();
    if from.is_empty() {
        return;
    }
    let alternatives: Vec<Alternative> =
        synonym.to.iter().flat_map(|to| Alternative::synonyms(to, language)).collect();
    let is_here = |part: &[Word]| part.iter().zip(&from).all(|(word, from)| term(&word.text) == *from);
    let starts: Vec<usize> =
        (0..words.len()).filter(|at| words[*at..].len() >= from.len() && is_here(&words[*at..])).collect();
    for word in starts.into_iter().flat_map(|at| at..at + from.len()) {
        alternatives.iter().for_each(|alternative| words[word].add(alternative.clone()));
    }
}
