//! Splits text into words, the same way for documents, queries and highlights.
//!
//! Text is normalised (NFKC), lower-cased and stripped of accents, then split at every character that is neither a letter nor
//! a digit. Scripts that are written without spaces become overlapping pairs of characters. Each word comes with its span:
//! the bytes of the original text that it was made of.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible, is_combining_mark};

use crate::cjk::{CjkRun, CjkRunBuilder, is_spaceless};
pub use crate::purpose::Purpose;

/// The most bytes of a word; the rest is ignored.
const MAX_WORD_BYTES: usize = 250;

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
}

impl Token<'_> {
    /// Calls `emit` with each word of the token and its span.
    pub(crate) fn for_each_word(self, purpose: Purpose, mut emit: impl FnMut(&str, Range<usize>)) {
        match (self, purpose) {
            (Self::Word(word, span), _) => emit(word, span),
            (Self::Cjk(run), Purpose::Query) => emit(run.text(), run.span()),
            (Self::Cjk(run), Purpose::Document) => run.for_each_word(emit),
        }
    }
}

/// Calls `emit` with the folded words of `text` and its runs of scripts without spaces.
pub fn tokens(text: &str, purpose: Purpose, emit: impl FnMut(Token<'_>)) {
    let mut splitter = Splitter {
        purpose,
        emit,
        word: String::new(),
        word_span: 0..0,
        compound: String::new(),
        compound_span: 0..0,
        parts: 0,
        run: CjkRunBuilder::default(),
    };
    let mut position = 0;
    while let Some(first) = text[position..].chars().next() {
        let plain = position + plain_length(&text[position..]);
        if plain > position {
            splitter.plain(&text[position..plain], position..plain);
            position = plain;
            continue;
        }
        let end = position + first.len_utf8();
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
    found
}

/// Returns true if a word contains a digit. Such words are codes and sizes: they are never corrected, and no word is corrected
/// to one.
pub fn has_digit(word: &str) -> bool {
    word.chars().any(char::is_numeric)
}

/// Folds a text into one word of letters and digits only: `AB-12/x` becomes `ab12x`.
pub fn joined(text: &str) -> String {
    let mut joined = String::new();
    words(text, Purpose::Query, |word, _| joined.push_str(word));
    joined.truncate(joined.floor_char_boundary(MAX_WORD_BYTES));
    joined
}

/// Returns true if a character forms a cluster with the one before it: combining marks, the sound marks of half-width katakana,
/// and the later parts of a Korean syllable.
fn extends_cluster(c: Option<char>) -> bool {
    c.is_some_and(|c| {
        !c.is_ascii()
            && (canonical_combining_class(c) != 0
                || matches!(c, '\u{FF9E}' | '\u{FF9F}' | '\u{1160}'..='\u{11FF}'))
    })
}

fn cluster_end(text: &str, after_first: usize) -> usize {
    let rest = &text[after_first..];
    let extension: usize = rest.chars().take_while(|c| extends_cluster(Some(*c))).map(char::len_utf8).sum();
    after_first + extension
}

/// Returns true for a mark that only changes the sound or look of a letter and that people omit when they type. In scripts
/// such as Devanagari marks are vowels, which are kept.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{0591}'..='\u{05C7}' | '\u{064B}'..='\u{065F}' | '\u{0670}'
        | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}'
        // Kana sound marks that stand alone, and variation selectors.
        | '\u{3099}' | '\u{309A}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Calls `push` with the letter in lower case and without its accent. Letters that Unicode does not decompose are spelt out.
fn fold(c: char, mut push: impl FnMut(char)) {
    if c.is_ascii() {
        return push(c.to_ascii_lowercase());
    }
    if is_spaceless(c) {
        return push(c);
    }
    for lower in c.to_lowercase() {
        // A letter of its own, not an accented one, and frequent at the end of words.
        if lower == 'й' {
            push(lower);
            continue;
        }
        decompose_compatible(lower, |part| match part {
            'ß' => ['s', 's'].into_iter().for_each(&mut push),
            'æ' => ['a', 'e'].into_iter().for_each(&mut push),
            'œ' => ['o', 'e'].into_iter().for_each(&mut push),
            'þ' => ['t', 'h'].into_iter().for_each(&mut push),
            'ø' => push('o'),
            'ł' => push('l'),
            'đ' | 'ð' => push('d'),
            'ı' => push('i'),
            'ς' => push('σ'),
            part if is_accent(part) => {}
            part => push(part),
        });
    }
}

struct Splitter<F> {
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
}

impl<F: FnMut(Token<'_>)> Splitter<F> {
    /// Adds ASCII letters and digits.
    fn plain(&mut self, letters: &str, span: Range<usize>) {
        self.end_of_run();
        self.extend_word(span);
        let room = MAX_WORD_BYTES.saturating_sub(self.word.len()).min(letters.len());
        let before = self.word.len();
        self.word.push_str(&letters[..room]);
        self.word[before..].make_ascii_lowercase();
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
        } else if !self.run.accepts(c, &span, text) {
            self.end_of_run();
            let joins = matches!(c, '-' | '\u{2010}')
                && !self.word.is_empty()
                && text[span.end..].chars().next().is_some_and(char::is_alphanumeric);
            self.end_of_word();
            if !joins {
                self.end_of_compound();
            }
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
        (self.emit)(Token::Word(&self.word, self.word_span.clone()));
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

    /// Emits a model number without its hyphens as well. `10-20` and `dual-core` are not model numbers.
    fn end_of_compound(&mut self) {
        self.end_of_word();
        if self.parts > 1
            && self.compound.len() <= MAX_WORD_BYTES
            && has_digit(&self.compound)
            && self.compound.chars().any(char::is_alphabetic)
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
mod tests {
    use super::*;
    use crate::cjk::{bigrams, is_cjk, spellings};
    use proptest::prelude::*;

    fn analysed(text: &str, purpose: Purpose) -> Vec<String> {
        let mut found = Vec::new();
        words(text, purpose, |word, _| found.push(word.to_owned()));
        found
    }

    #[test]
    fn case_accents_and_width_do_not_count() {
        for (text, expected) in [
            ("Crème BRÛLÉE", vec!["creme", "brulee"]),
            ("cre\u{300}me", vec!["creme"]),
            ("Straße Łódź Smørrebrød İstanbul", vec!["strasse", "lodz", "smorrebrod", "istanbul"]),
            ("ＳＯＮＹ　ｗｈ１０００", vec!["sony", "wh1000"]),
            ("5㎏", vec!["5kg"]),
            ("don't / stop_me.now", vec!["don", "t", "stop", "me", "now"]),
            ("हिन्दी", vec!["हिन्दी"]),
            ("Чёрный и\u{306}", vec!["черный", "й"]),
            ("", vec![]),
            ("\" ( * \0 ~ --", vec![]),
        ] {
            assert_eq!(analysed(text, Purpose::Query), expected, "{text}");
        }
    }

    #[test]
    fn scripts_without_spaces_become_pairs() {
        assert_eq!(analysed("日本語", Purpose::Query), ["日本語"]);
        assert_eq!(analysed("語", Purpose::Query), ["語"]);
        assert_eq!(analysed("日本語", Purpose::Document), ["日", "日本", "本", "本語", "語"]);
        assert_eq!(analysed("語", Purpose::Document), ["語"]);
        assert_eq!(analysed("ノートPC用", Purpose::Query), ["ノート", "pc", "用"]);
        assert_eq!(analysed("ﾊﾞｯｸﾞ３個", Purpose::Query), ["バツグ", "3", "個"]);
        assert_eq!(joined("テスト-01"), "テスト01");
    }

    #[test]
    fn each_word_has_its_place() {
        let text = "é3x ノーﾄPC \u{2460}\u{301}a\u{301}b";
        let mut found = Vec::new();
        words(text, Purpose::Document, |word, at| found.push((word.to_owned(), &text[at])));
        let found: Vec<(&str, &str)> = found.iter().map(|(word, at)| (word.as_str(), *at)).collect();
        assert_eq!(
            found,
            [
                ("e3x", "é3x"),
                ("ノ", "ノ"),
                ("ノー", "ノー"),
                ("ー", "ー"),
                ("ート", "ーﾄ"),
                ("ト", "ﾄ"),
                ("pc", "PC"),
                ("1ab", "\u{2460}\u{301}a\u{301}b"),
            ]
        );
    }

    #[test]
    fn a_model_number_is_found_with_and_without_hyphens() {
        assert_eq!(analysed("WH-1000XM4", Purpose::Document), ["wh", "1000xm4", "wh1000xm4"]);
        assert_eq!(analysed("WH-1000XM4", Purpose::Query), ["wh", "1000xm4"]);
        assert_eq!(
            analysed("10-20 dual-core a- b1", Purpose::Document),
            ["10", "20", "dual", "core", "a", "b1"]
        );
        assert_eq!(joined("AB-12/x é"), "ab12xe");
    }

    #[test]
    fn long_words_are_kept() {
        let long = "x".repeat(200);
        assert_eq!(analysed(&long, Purpose::Query), [long.as_str()]);
        assert_eq!(analysed(&"y".repeat(9000), Purpose::Document), ["y".repeat(MAX_WORD_BYTES)]);
    }

    proptest! {
        #[test]
        fn every_word_lies_in_the_text_and_is_folded(text in "\\PC{0,40}") {
            for purpose in [Purpose::Document, Purpose::Query] {
                words(&text, purpose, |word, at| {
                    assert!(!word.is_empty() && text.get(at.clone()).is_some(), "{word} {at:?}");
                    assert!(!word.chars().any(|c| c.is_control() || c.is_whitespace()), "{word:?}");
                });
            }
        }

        #[test]
        fn a_query_finds_the_document_it_was_copied_from(text in "\\PC{0,40}") {
            let document = analysed(&text, Purpose::Document);
            for word in analysed(&text, Purpose::Query) {
                let has_all = |spelling: &String| {
                    if !is_cjk(&word) {
                        return document.contains(&word);
                    }
                    bigrams(spelling).all(|pair| document.iter().any(|own| own == pair))
                };
                prop_assert!(spellings(&word).iter().any(has_all), "{}", word);
            }
        }
    }
}
