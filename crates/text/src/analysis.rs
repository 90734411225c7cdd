//! Splits text into words, the same way for documents, queries and highlights.
//!
//! Text is normalised (NFKC), lower-cased and stripped of accents, then split at every character that is neither a letter nor
//! a digit. Scripts that are written without spaces become overlapping pairs of characters. Each word comes with its span:
//! the bytes of the original text that it was made of. Signs that mean something are terms too, see [`crate::signs`].

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::cjk::{CjkRun, CjkRunBuilder, is_spaceless};
use crate::fold::{cluster_end, extends_cluster, fold, is_accent, is_format};
use crate::grouped_numbers::{
    hyphenated_length, is_hyphen, is_long_number, part_number_length, spaced_length, thousands_length,
};
use crate::joins::{Measure, Measures, base_of_measure, initials_length, is_dot, is_measure, with_measures};
use crate::number_parts::for_each_number;
pub use crate::purpose::Purpose;
use crate::signs;
use crate::units::{INCH, after_fraction, is_beside, spelt_out};

/// The most bytes of a word; the rest is ignored.
const MAX_WORD_BYTES: usize = 250;

/// The bytes of most words, for which memory is taken at once.
const USUAL_WORD_BYTES: usize = 32;

/// Calls `emit` with every folded word of `text` and its span.
pub fn words(text: &str, purpose: Purpose, mut emit: impl FnMut(&str, Range<usize>)) {
    tokens(text, purpose, |token| token.for_each_word(purpose, &mut emit));
}

/// A part of a text.
#[derive(Debug)]
pub enum Token<'a> {
    /// A folded word and its span.
    Word(&'a str, Range<usize>),
    /// A run of characters of a script without spaces.
    Cjk(&'a CjkRun),
    /// A sign such as `&` or `★`, and its span. Only documents have them, see [`query_signs`].
    Sign(&'a str, Range<usize>),
}

impl Token<'_> {
    /// Calls `emit` with each word of the token and its span.
    pub(crate) fn for_each_word(self, purpose: Purpose, mut emit: impl FnMut(&str, Range<usize>)) {
        match (self, purpose) {
            (Self::Word(word, span), _) => emit(word, span),
            (Self::Cjk(run), Purpose::Query) => emit(run.text(), run.span()),
            (Self::Cjk(run), Purpose::Document) => run.for_each_word(emit),
            (Self::Sign(..), _) => {}
        }
    }
}

/// Calls `emit` with the folded words of `text`, its runs of scripts without spaces and, for documents, its signs.
pub fn tokens(text: &str, purpose: Purpose, emit: impl FnMut(Token<'_>)) {
    let mut splitter = Splitter {
        text,
        purpose,
        emit,
        word: String::with_capacity(USUAL_WORD_BYTES),
        word_span: 0..0,
        compound: String::with_capacity(USUAL_WORD_BYTES),
        compound_span: 0..0,
        parts: 0,
        run: CjkRunBuilder::default(),
        dot: None,
        measures: Measures::default(),
        number_end: None,
    };
    let mut position = 0;
    while let Some(first) = text[position..].chars().next() {
        let plain = position + plain_length(&text[position..]);
        if plain > position {
            if let Some(end) = splitter.joined(position..plain) {
                position = end;
                continue;
            }
            splitter.plain(&text[position..plain], position..plain);
            position = plain;
            continue;
        }
        let end = position + first.len_utf8();
        if !first.is_ascii() && signs::is_special(first) && splitter.special(first, position..end, text) {
            position = end;
            continue;
        }
        if first.is_ascii() && !extends_cluster(text[end..].chars().next()) {
            splitter.character(first, position..end, text);
            position = end;
        } else {
            let end = cluster_end(text, end);
            splitter.cluster(&text[position..end], position..end, text);
            position = end;
        }
    }
    splitter.end_of_compound();
    splitter.end_of_run();
    splitter.end_of_measure();
}

/// Returns the number of ASCII letters and digits at the start of a text. The last one does not count if it forms a cluster
/// with the next character.
fn plain_length(text: &str) -> usize {
    let length = text.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(text.len());
    match text[length..].chars().next() {
        next if length > 0 && extends_cluster(next) => length - 1,
        _ => length,
    }
}

/// Returns the words of a query in order, each with its span.
pub fn query_words(text: &str) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    words(text, Purpose::Query, |word, span| found.push((word.to_owned(), span)));
    with_measures(found, text)
}

/// Returns the signs of a query that has no words, each once with its span. Punctuation is among them: no product has it as a term,
/// so that such a query finds nothing.
pub fn query_signs(text: &str) -> Vec<(String, Range<usize>)> {
    let mut found: Vec<(String, Range<usize>)> = Vec::new();
    let is_left_out = |c: char| c.is_whitespace() || c.is_control() || is_accent(c) || is_format(c);
    let mut add = |sign: char, span: Range<usize>| {
        if !is_left_out(sign) && found.iter().all(|(known, _)| !known.starts_with(sign)) {
            found.push((sign.to_string(), span));
        }
    };
    for (at, c) in text.char_indices() {
        let span = at..at + c.len_utf8();
        match signs::is_owner_mark(c) {
            true => add(c, span),
            false => c.nfkc().for_each(|c| add(c, span.clone())),
        }
    }
    found
}

/// Returns true if a word contains a digit or a sign. Such words are codes and sizes: they are never corrected, and no word is
/// corrected to one.
pub fn has_digit(word: &str) -> bool {
    // Most words are letters of ASCII.
    if word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return false;
    }
    let is_code = |c: char| !c.is_ascii_alphabetic() && (c.is_numeric() || c == '.' || signs::is_sign(c));
    word.chars().any(is_code)
}

/// Folds a text into one word of letters and digits only: `AB-12/x` becomes `ab12x`.
pub fn joined(text: &str) -> String {
    let mut joined = String::new();
    words(text, Purpose::Query, |word, _| joined.extend(word.chars().filter(|c| !c.is_ascii_punctuation())));
    joined.truncate(joined.floor_char_boundary(MAX_WORD_BYTES));
    joined
}

struct Splitter<'a, F> {
    text: &'a str,
    purpose: Purpose,
    emit: F,
    /// The current word so far, and its span.
    word: String,
    word_span: Range<usize>,
    /// The words so far that are joined by hyphens, without the hyphens.
    compound: String,
    compound_span: Range<usize>,
    parts: usize,
    run: CjkRunBuilder,
    /// The position of a dot that begins a word, as in `.NET`.
    dot: Option<usize>,
    measures: Measures,
    /// The end of the last word, if that is a number.
    number_end: Option<usize>,
}

impl<F: FnMut(Token<'_>)> Splitter<'_, F> {
    /// Adds ASCII letters and digits.
    fn plain(&mut self, letters: &str, span: Range<usize>) {
        self.end_of_run();
        self.extend_word(span);
        let room = MAX_WORD_BYTES.saturating_sub(self.word.len()).min(letters.len());
        let before = self.word.len();
        self.word.push_str(&letters[..room]);
        self.word[before..].make_ascii_lowercase();
    }

    /// Reads as one word initials, an article number or round thousands with spaces or, in a query, a number with hyphens, if one begins
    /// with these letters and digits. Returns its end. In a document, a number is emitted but `None` returned, because its groups are
    /// words too.
    fn joined(&mut self, plain: Range<usize>) -> Option<usize> {
        let next = self.text.as_bytes().get(plain.end).copied()?;
        if !self.word.is_empty() || !matches!(next, b'-' | b'.' | b' ' | 0xC2 | 0xE2) {
            return None;
        }
        let rest = &self.text[plain.start..];
        let is_number = rest.as_bytes()[0].is_ascii_digit();
        if is_number && next == b'.' || !is_number && next == b' ' {
            return None;
        }
        let before = self.text[..plain.start].chars().next_back();
        if before.is_some_and(is_hyphen) {
            return None;
        }
        if !is_number && matches!(next, b'.' | 0xC2) {
            if plain.len() != 1 || before.is_some_and(|before| is_dot(before) || before == '\'') {
                return None;
            }
            let end = plain.start + initials_length(rest)?;
            self.initials(plain.start..end);
            return Some(end);
        }
        let length = match (next, self.purpose) {
            (b' ', _) => spaced_length(rest),
            (_, Purpose::Query) => hyphenated_length(rest).or_else(|| self.part_number_length(plain.start)),
            (_, Purpose::Document) => None,
        };
        let end = plain.start + length.or_else(|| thousands_length(rest))?;
        self.end_of_run();
        if self.purpose == Purpose::Document {
            let number = self.text[plain.start..end].replace(char::is_whitespace, "").to_ascii_lowercase();
            (self.emit)(Token::Word(&number, plain.start..end));
            return None;
        }
        self.word.extend(self.text[plain.start..end].chars().filter(char::is_ascii_alphanumeric));
        self.word.make_ascii_lowercase();
        self.word_span = plain.start..end;
        Some(end)
    }

    /// Returns the length of a part number that begins here and has no parts before it.
    fn part_number_length(&self, start: usize) -> Option<usize> {
        let before = self.text[..start].chars().next_back();
        let is_start = before.is_none_or(|before| before.is_whitespace() || before == '(');
        is_start.then(|| part_number_length(&self.text[start..])).flatten()
    }

    /// Emits initials with their dots. A document has them without the dots, and as letters, as well.
    fn initials(&mut self, span: Range<usize>) {
        self.end_of_run();
        let letters: String = self.text[span.clone()].chars().filter(char::is_ascii_alphabetic).collect();
        let letters = letters.to_ascii_lowercase();
        let dotted = letters.split("").filter(|letter| !letter.is_empty()).collect::<Vec<_>>().join(".");
        (self.emit)(Token::Word(&dotted, span.clone()));
        if self.purpose == Purpose::Document {
            (self.emit)(Token::Word(&letters, span.clone()));
            let places = self.text[span.clone()].char_indices().filter(|(_, c)| c.is_ascii_alphabetic());
            for ((at, _), letter) in places.zip(letters.chars()) {
                let at = span.start + at;
                (self.emit)(Token::Word(letter.encode_utf8(&mut [0; 4]), at..at + 1));
            }
        }
    }

    /// Handles a [special](signs::is_special) character. Returns false if it stands for itself here.
    fn special(&mut self, c: char, span: Range<usize>, text: &str) -> bool {
        let before = text[..span.start].chars().next_back();
        let after = text[span.end..].chars().next();
        if signs::is_invisible(c) {
            return true;
        }
        if signs::is_owner_mark(c) {
            if after.is_some_and(char::is_alphanumeric) {
                self.separator();
            }
            return true;
        }
        if signs::is_letter_apostrophe(c) {
            self.separator();
            return true;
        }
        if signs::is_fraction(c) {
            self.separator();
            self.word.extend(text[span.clone()].nfkc().map(|c| if c == '\u{2044}' { '/' } else { c }));
            self.word_span = span;
            if after.is_some_and(char::is_alphabetic) {
                self.separator();
            }
            return true;
        }
        if signs::is_inch(c) {
            self.character('"', span, text);
            return true;
        }
        if signs::is_times(c, &text[..span.start], &text[span.end..]) {
            self.character('x', span, text);
            return true;
        }
        let Some(unit) = signs::unit(c, before, after) else { return false };
        unit.chars().for_each(|c| self.character(c, span.clone(), text));
        true
    }

    /// Ends the current word, as a space does.
    fn separator(&mut self) {
        self.end_of_run();
        self.end_of_compound();
    }

    fn cluster(&mut self, cluster: &str, span: Range<usize>, text: &str) {
        let mut folded = Vec::with_capacity(4);
        for c in cluster.nfkc() {
            fold(c, |c| folded.push(c));
        }
        for c in folded {
            self.character(c, span.clone(), text);
        }
    }

    /// Adds a folded character.
    fn character(&mut self, c: char, span: Range<usize>, text: &str) {
        if is_spaceless(c) {
            self.end_of_compound();
            self.run.push(c, span);
        } else if c.is_alphanumeric() || (is_combining_mark(c) && !self.word.is_empty()) {
            self.end_of_run();
            self.extend_word(span);
            if self.word.len() + c.len_utf8() <= MAX_WORD_BYTES {
                self.word.push(c);
            }
        } else if c == ' '
            && self.run.is_empty()
            && self.word.ends_with(|last: char| last.is_ascii_lowercase())
        {
            // Most characters between words.
            self.end_of_compound();
        } else if !self.run.accepts(c, &span, text) {
            self.end_of_run();
            let is_number = self.word.ends_with(|last: char| last.is_ascii_digit());
            let (before, written) = text[..span.start].split_at(self.word_span.start.min(span.start));
            if self.ends_in_sign(c, &span, text)
                || (is_number && signs::is_thousands(c, &self.word, written, before, &text[span.end..]))
            {
                return;
            }
            if is_number && let Some(sign) = signs::inside_number(c, &self.word, before, &text[span.end..]) {
                self.word.push(sign);
                return;
            }
            let joins = matches!(c, '-' | '\u{2010}')
                && !self.word.is_empty()
                && text[span.end..].chars().next().is_some_and(char::is_alphanumeric);
            self.end_of_word();
            if !joins {
                self.end_of_compound();
            }
            let is_twice = || signs::is_foot(c) && text[span.end..].starts_with(c);
            if is_number && (signs::is_inch(c) || is_twice()) {
                (self.emit)(Token::Word(INCH, span));
                return;
            }
            self.sign(c, span, text);
        }
    }

    /// Emits the current word with the signs at its end, if they make it another word: `C++`. In a document, also emits the word
    /// without them.
    fn ends_in_sign(&mut self, c: char, span: &Range<usize>, text: &str) -> bool {
        if self.word.is_empty() || !matches!(c, '+' | '#') || span.len() != 1 {
            return false;
        }
        let Some(length) = signs::suffix_length(&self.word, &text[span.start..]) else { return false };
        let whole = format!("{}{}", self.word, &text[span.start..span.start + length]);
        let whole_span = self.word_span.start..span.start + length;
        match self.purpose {
            Purpose::Document => self.end_of_compound(),
            Purpose::Query => self.word.clear(),
        }
        (self.emit)(Token::Word(&whole, whole_span));
        true
    }

    /// Emits a sign of a document, or remembers that the next word begins with a dot.
    fn sign(&mut self, c: char, span: Range<usize>, text: &str) {
        if c == '.' {
            let before = text[..span.start].chars().next_back();
            let is_start = before.is_none_or(|before| before.is_whitespace() || before == '(');
            self.dot = Some(span.start).filter(|_| is_start);
        } else if self.purpose == Purpose::Document && signs::is_sign(c) {
            (self.emit)(Token::Sign(c.encode_utf8(&mut [0; 4]), span));
        }
    }

    fn extend_word(&mut self, span: Range<usize>) {
        if self.word.is_empty() {
            self.word_span = span;
        } else {
            self.word_span.end = span.end;
        }
    }

    fn end_of_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        let mut has_number = self.word.bytes().any(|byte| byte.is_ascii_digit());
        if has_number && let Some(at) = after_fraction(&self.word) {
            self.end_of_fraction(at);
            has_number = false;
        }
        if self.dot.is_some_and(|dot| dot + 1 == self.word_span.start && signs::is_after_point(&self.word)) {
            // `.5` is `0.5`.
            self.word.insert_str(0, "0.");
            self.word_span.start -= 1;
            self.dot = None;
        }
        if self.purpose == Purpose::Document && (has_number || self.measures.is_inside()) {
            let ended = self.measures.next(&self.word, &self.word_span, self.text);
            self.emit_measure(ended);
        }
        let dotted =
            self.dot.take().filter(|dot| dot + 1 == self.word_span.start && signs::is_domain(&self.word));
        let dotted = dotted.map(|dot| (format!(".{}", self.word), dot..self.word_span.end));
        if dotted.is_none() || self.purpose == Purpose::Document {
            (self.emit)(Token::Word(&self.word, self.word_span.clone()));
        }
        if let Some(unit) = self.spelt_out_unit() {
            (self.emit)(Token::Word(unit, self.word_span.clone()));
        }
        if let Some((word, span)) = dotted {
            (self.emit)(Token::Word(&word, span));
        }
        if has_number && self.purpose == Purpose::Document {
            for_each_number(&self.word, |word| (self.emit)(Token::Word(word, self.word_span.clone())));
        }
        let is_number =
            has_number && (signs::is_number(&self.word) || self.word.contains('x') && is_measure(&self.word));
        self.number_end = is_number.then_some(self.word_span.end);
        if self.purpose == Purpose::Document {
            if self.parts == 0 {
                self.compound_span = self.word_span.clone();
            }
            self.parts += 1;
            self.compound_span.end = self.word_span.end;
            self.compound.push_str(&self.word);
        }
        self.word.clear();
    }

    /// Ends a fraction before its unit, which stays the current word: `1/4in` is `1/4 in`, as `¼in` is.
    fn end_of_fraction(&mut self, at: usize) {
        let unit = self.word.split_off(at);
        let Range { start, end } = self.word_span;
        // The letters of the text may be longer than the folded ones.
        let middle = self.text.floor_char_boundary(end.saturating_sub(unit.len())).max(start);
        self.word_span = start..middle;
        self.end_of_compound();
        (self.word, self.word_span) = (unit, middle..end);
    }

    /// Returns the other notation of the current word of a document, if it is the unit of the number before it: `watt` for `60 W`.
    fn spelt_out_unit(&self) -> Option<&'static str> {
        let gap = self.text.get(self.number_end?..self.word_span.start)?;
        spelt_out(&self.word).filter(|_| self.purpose == Purpose::Document && is_beside(gap))
    }

    fn end_of_measure(&mut self) {
        let ended = self.measures.end();
        self.emit_measure(ended);
    }

    /// Emits a measure such as `20 x 30` as one word, in addition to its parts.
    fn emit_measure(&mut self, measure: Option<Measure>) {
        let Some(Measure { text, span, unit }) = measure else { return };
        (self.emit)(Token::Word(&text, span.clone()));
        if let Some(base) = base_of_measure(&text) {
            (self.emit)(Token::Word(base, span));
        }
        if let Some((unit, span)) = unit {
            (self.emit)(Token::Word(&unit, span.clone()));
            spelt_out(&unit).into_iter().for_each(|word| (self.emit)(Token::Word(word, span.clone())));
        }
    }

    /// Emits a model number without its hyphens as well. `10-20` and `dual-core` are not model numbers.
    fn end_of_compound(&mut self) {
        self.end_of_word();
        if self.parts > 1
            && self.compound.len() <= MAX_WORD_BYTES
            && has_digit(&self.compound)
            && (self.compound.chars().any(char::is_alphabetic) || is_long_number(&self.compound))
        {
            (self.emit)(Token::Word(&self.compound, self.compound_span.clone()));
        }
        self.compound.clear();
        self.parts = 0;
    }

    fn end_of_run(&mut self) {
        if !self.run.is_empty() {
            (self.emit)(Token::Cjk(self.run.end(self.purpose)));
        }
    }
}

#[cfg(test)]
#[path = "analysis_tests.rs"]
mod tests;
