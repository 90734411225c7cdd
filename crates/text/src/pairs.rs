//! Pairs of adjacent words written as one, so that `head phones` matches `headphones`.

use std::ops::Range;

use domain::Language;

use crate::analysis::{Purpose, Token, tokens};
use crate::cjk::CjkRun;
use crate::signs::{is_conjunction, is_digits};
use crate::units::{is_power, is_unit};

/// The longest pair, in bytes.
const MAX_PAIR_BYTES: usize = 40;
/// The longest number that forms pairs, in digits.
const MAX_NUMBER_BYTES: usize = 4;

/// The longest round number that forms pairs, in digits: `20000 mAh`.
const MAX_ROUND_BYTES: usize = 6;

/// Calls `emit` with each pair of adjacent words of a query: written as one, and its span. Product codes do not form pairs. Runs
/// of scripts without spaces need none, because a query matches them inside a longer run as well.
pub(crate) fn for_each_pair(text: &str, language: Language, mut emit: impl FnMut(&str, Range<usize>)) {
    let mut pairs = Pairs::new(language);
    tokens(text, Purpose::Query, |token| {
        let is_word = matches!(token, Token::Word(..));
        if let Some(pair) = pairs.next(&token)
            && is_word
        {
            emit(pair.text, pair.span);
        }
    });
}

/// Joins each word with the one before it. A word that means the same as `&` is skipped: the words around it are adjacent.
pub(crate) struct Pairs {
    language: Language,
    /// The last three words that form pairs, without spaces, the newest last.
    words: String,
    first_length: usize,
    second_length: usize,
    last_length: usize,
    before_start: usize,
    last_span: Range<usize>,
    last_writing: Option<Writing>,
}

/// Two adjacent words.
pub(crate) struct Pair<'a> {
    /// The words written as one.
    pub(crate) text: &'a str,
    /// Their span in the text.
    pub(crate) span: Range<usize>,
    /// True for a number and its unit.
    pub(crate) is_size: bool,
    /// The word before the pair and the pair written as one, with their span, if they are two words and a number, or
    /// three letters: `Wi-Fi 6`, `D I Y`.
    pub(crate) triple: Option<(&'a str, Range<usize>)>,
}

/// The writing system of a word that may form a pair. Both words of a pair have the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Latin,
    Kana,
    Hangul,
}

impl Pairs {
    pub(crate) fn new(language: Language) -> Self {
        Self {
            language,
            words: String::with_capacity(MAX_PAIR_BYTES),
            first_length: 0,
            second_length: 0,
            last_length: 0,
            before_start: 0,
            last_span: 0..0,
            last_writing: None,
        }
    }

    /// Returns the pair of the next token of a text and the one before it, if they form one.
    pub(crate) fn next(&mut self, token: &Token<'_>) -> Option<Pair<'_>> {
        let (text, span) = match token {
            Token::Word(word, span) => (*word, span.clone()),
            Token::Cjk(run) => (run.text(), run.span()),
            Token::Sign(..) => return None,
        };
        if self.last_writing.is_some() && is_conjunction(text, self.language) {
            return None;
        }
        if span.start < self.last_span.end {
            // A model number without its hyphens; its parts came already.
            return None;
        }
        let start = std::mem::replace(&mut self.last_span, span.clone()).start;
        let first_start = std::mem::replace(&mut self.before_start, start);
        // A unit of another script, such as Cyrillic, forms a pair with a number only.
        let is_unit_of_number = || self.words.ends_with(|c: char| c.is_ascii_digit()) && is_unit(text);
        let writing = writing(token).or_else(|| is_unit_of_number().then_some(Writing::Latin));
        let is_alike = writing.is_some() && writing == self.last_writing;
        self.last_writing = writing;
        if !is_alike {
            self.words.clear();
            (self.first_length, self.second_length, self.last_length) = (0, 0, 0);
        }
        writing?;
        self.words.drain(..self.first_length);
        (self.first_length, self.second_length, self.last_length) =
            (self.second_length, self.last_length, text.len());
        self.words.push_str(text);
        let is_number = |text: &str| text.as_bytes()[0].is_ascii_digit();
        let (first, pair) = self.words.split_at(self.first_length);
        let is_size = is_number(pair) && !is_number(text);
        let omitted = if let Token::Cjk(run) = token { run.text().len() - run.as_queried().len() } else { 0 };
        let end = pair.len() - omitted;
        let after_two = || is_number(text) && !is_number(first) && !is_number(pair);
        let is_initials =
            || self.words.len() == 3 && self.words.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_triple = !first.is_empty() && self.second_length > 0 && (after_two() || is_initials());
        let triple = (is_triple && self.words.len() <= MAX_PAIR_BYTES)
            .then_some((self.words.as_str(), first_start..span.end));
        (self.second_length > 0 && end <= MAX_PAIR_BYTES).then(|| Pair {
            text: &pair[..end],
            span: start..span.end,
            is_size,
            triple,
        })
    }
}

/// Returns the writing system of a token that may form pairs; `None` if it may not. Words in Latin letters, short numbers and
/// runs that are entirely in kana or Hangul may. Codes may not, because nearly every product would add pairs of its own. Runs
/// with Chinese characters may not, because the end of such a run need not be the end of a word.
fn writing(token: &Token<'_>) -> Option<Writing> {
    match token {
        Token::Word(word, _) => {
            let is_plain =
                word.bytes().all(|byte| byte.is_ascii_lowercase()) || is_power(word) || is_pair_number(word);
            is_plain.then_some(Writing::Latin)
        }
        Token::Cjk(run) => writing_of_run(run),
        Token::Sign(..) => None,
    }
}

/// Returns true for a number that forms pairs, such as that of a size: `5.5`, `256`, `20000`. Long numbers are codes, unless they are
/// round.
pub(crate) fn is_pair_number(word: &str) -> bool {
    let (whole, fraction) = word.split_once('.').unwrap_or((word, "0"));
    let is_short =
        whole.len() <= MAX_NUMBER_BYTES || (whole.len() <= MAX_ROUND_BYTES && whole.ends_with("00"));
    let is_number = |part: &str| !part.is_empty() && is_digits(part);
    is_short && fraction.len() <= MAX_NUMBER_BYTES && is_number(whole) && is_number(fraction)
}

fn writing_of_run(run: &CjkRun) -> Option<Writing> {
    let consists_of = |range: std::ops::RangeInclusive<char>| run.text().chars().all(|c| range.contains(&c));
    if consists_of('\u{30A1}'..='\u{30FC}') {
        Some(Writing::Kana)
    } else if consists_of('\u{AC00}'..='\u{D7A3}') {
        Some(Writing::Hangul)
    } else {
        None
    }
}

/// Returns a version without its decimals: `usb3` for `usb3.0`. `None` for other pairs.
pub(crate) fn without_decimals(pair: &str) -> Option<&str> {
    let (base, decimals) = pair.split_once('.')?;
    let letters = base.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_version = !letters.is_empty()
        && letters.len() < base.len()
        && letters.bytes().all(|byte| byte.is_ascii_lowercase())
        && is_digits(decimals);
    is_version.then_some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_scripts_without_spaces_have_no_pairs() {
        let mut pairs = Vec::new();
        for_each_pair("ノート pc 13 用 in usb 4ab usb 12345 c", Language::English, |pair, at| {
            pairs.push((pair.to_owned(), at))
        });
        assert_eq!(pairs, [("pc13".to_owned(), 10..15), ("inusb".to_owned(), 20..26)]);
    }

    #[test]
    fn a_number_after_two_words_forms_a_triple() {
        let triples = |text: &str| {
            let (mut pairs, mut found) = (Pairs::new(Language::English), Vec::new());
            tokens(text, Purpose::Document, |token| {
                let triple = pairs.next(&token).and_then(|pair| pair.triple);
                found.extend(triple.map(|(triple, at)| (triple.to_owned(), text[at].to_owned())));
            });
            found
        };
        assert_eq!(triples("Router Wi-Fi 6 and 7"), [("wifi6".to_owned(), "Wi-Fi 6".to_owned())]);
        assert_eq!(
            triples("a b 1 c d 22 e"),
            [("ab1".to_owned(), "a b 1".to_owned()), ("cd22".to_owned(), "c d 22".to_owned())]
        );
        assert_eq!(
            triples("a D I Y kit"),
            [("adi".to_owned(), "a D I".to_owned()), ("diy".to_owned(), "D I Y".to_owned())]
        );
        assert!(triples("one 2 three 4, x5 y 6").is_empty());
    }

    #[test]
    fn words_around_a_conjunction_are_adjacent() {
        for text in ["Black & Decker", "black and decker", "Black+Decker", "black AND decker"] {
            let mut pairs = Vec::new();
            for_each_pair(text, Language::English, |pair, at| pairs.push((pair.to_owned(), at)));
            assert_eq!(pairs, [("blackdecker".to_owned(), 0..text.len())]);
        }
    }
}
