//! Pairs of adjacent words written as one, so that `head phones` matches `headphones`.

use std::ops::Range;

use crate::analysis::{Purpose, Token, tokens};
use crate::cjk::CjkRun;

/// The longest pair, in bytes.
const MAX_PAIR_BYTES: usize = 40;
/// The longest number that forms pairs, in digits.
const MAX_NUMBER_BYTES: usize = 4;

/// Calls `emit` with each pair of adjacent words of a query: written as one, and its span. Product codes do not form pairs. Runs
/// of scripts without spaces need none, because a query matches them inside a longer run as well.
pub(crate) fn for_each_pair(text: &str, mut emit: impl FnMut(&str, Range<usize>)) {
    let mut pairs = Pairs::default();
    tokens(text, Purpose::Query, |token| {
        let is_word = matches!(token, Token::Word(..));
        if let Some(pair) = pairs.next(&token)
            && is_word
        {
            emit(pair.text, pair.span);
        }
    });
}

/// Joins each word with the one before it.
#[derive(Default)]
pub(crate) struct Pairs {
    /// The last pair; ends with the last word.
    pair: String,
    last_length: usize,
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
}

/// The writing system of a word that may form a pair. Both words of a pair have the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Latin,
    Kana,
    Hangul,
}

impl Pairs {
    /// Returns the pair of the next token of a text and the one before it, if they form one.
    pub(crate) fn next(&mut self, token: &Token<'_>) -> Option<Pair<'_>> {
        let (text, span) = match token {
            Token::Word(word, span) => (*word, span.clone()),
            Token::Cjk(run) => (run.text(), run.span()),
        };
        if span.start < self.last_span.end {
            // A model number without its hyphens; its parts came already.
            return None;
        }
        let start = std::mem::replace(&mut self.last_span, span.clone()).start;
        let writing = writing(token);
        let is_alike = writing.is_some() && writing == self.last_writing;
        self.last_writing = writing;
        self.pair.drain(..self.pair.len() - if is_alike { self.last_length } else { 0 });
        if writing.is_none() {
            self.last_length = 0;
            return None;
        }
        self.last_length = text.len();
        let before = self.pair.len();
        self.pair.push_str(text);
        let is_number = |text: &str| text.as_bytes()[0].is_ascii_digit();
        let is_size = is_number(&self.pair) && !is_number(text);
        let omitted = if let Token::Cjk(run) = token { run.text().len() - run.as_queried().len() } else { 0 };
        let end = self.pair.len() - omitted;
        (before > 0 && end <= MAX_PAIR_BYTES).then(|| Pair {
            text: &self.pair[..end],
            span: start..span.end,
            is_size,
        })
    }
}

/// Returns the writing system of a token that may form pairs; `None` if it may not. Words in Latin letters, short numbers and
/// runs that are entirely in kana or Hangul may. Codes may not, because nearly every product would add pairs of its own. Runs
/// with Chinese characters may not, because the end of such a run need not be the end of a word.
fn writing(token: &Token<'_>) -> Option<Writing> {
    match token {
        Token::Word(word, _) => {
            let is_plain = word.bytes().all(|byte| byte.is_ascii_lowercase())
                || (word.len() <= MAX_NUMBER_BYTES && word.bytes().all(|byte| byte.is_ascii_digit()));
            is_plain.then_some(Writing::Latin)
        }
        Token::Cjk(run) => writing_of_run(run),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_scripts_without_spaces_have_no_pairs() {
        let mut pairs = Vec::new();
        for_each_pair("ノート pc 13 用 in usb 4ab usb 12345 c", |pair, at| {
            pairs.push((pair.to_owned(), at))
        });
        assert_eq!(pairs, [("pc13".to_owned(), 10..15), ("inusb".to_owned(), 20..26)]);
    }
}
