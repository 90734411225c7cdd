//! From text to words: the same for documents, queries and highlights.
//!
//! Text is normalised (NFKC), lower-cased and freed of accents, then split at everything that is neither a letter
//! nor a digit. Scripts that are written without spaces become overlapping pairs of characters. Each word comes
//! with the place in the original text that it stands for.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible, is_combining_mark};

use crate::cjk::{CjkRun, CjkRunBuilder, is_spaceless};

/// What the words are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be found: every word in every form that a query may have it in. Runs of scripts without spaces come as their
    /// characters and pairs, `wh1000xm4` beside the parts of `WH-1000XM4`.
    Document,
    /// To search with: the longest words only, since each of them must be found. A run of a script without spaces is
    /// one word, see [`crate::cjk`].
    Query,
}

/// A word keeps its first bytes up to this many; what follows does not count.
const MAX_WORD_BYTES: usize = 250;

/// Hands every word of `text` to `emit`, folded, with its place in `text` in bytes.
pub fn words(text: &str, purpose: Purpose, mut emit: impl FnMut(&str, Range<usize>)) {
    tokens(text, purpose, |token| token.for_each_word(purpose, &mut emit));
}

/// What a text is made of.
#[derive(Debug)]
pub enum Token<'a> {
    /// A word, folded, and its place in the text, in bytes.
    Word(&'a str, Range<usize>),
    /// Characters of a script without spaces.
    Cjk(&'a CjkRun),
}

impl Token<'_> {
    /// Hands the words that it is made of to `emit`, each with its place in the text.
    pub(crate) fn for_each_word(self, purpose: Purpose, mut emit: impl FnMut(&str, Range<usize>)) {
        match (self, purpose) {
            (Self::Word(word, at), _) => emit(word, at),
            (Self::Cjk(run), Purpose::Query) => emit(run.text(), run.span()),
            (Self::Cjk(run), Purpose::Document) => run.for_each_word(emit),
        }
    }
}

/// Hands the words of `text` and its runs of scripts without spaces to `emit`, folded.
pub fn tokens(text: &str, purpose: Purpose, emit: impl FnMut(Token<'_>)) {
    let mut splitter = Splitter {
        purpose,
        emit,
        word: String::new(),
        word_at: 0..0,
        compound: String::new(),
        compound_at: 0..0,
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

/// The bytes of ASCII letters and digits that a text begins with, but for one that belongs to what follows.
fn plain_length(text: &str) -> usize {
    let length = text.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(text.len());
    match text[length..].chars().next() {
        next if length > 0 && extends_cluster(next) => length - 1,
        _ => length,
    }
}

/// The words of a query in order, each with its place in `text`.
pub fn query_words(text: &str) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    words(text, Purpose::Query, |word, at| found.push((word.to_owned(), at)));
    found
}

/// Whether a word has a digit. Such words are codes and sizes: they are never corrected, nor is anything corrected
/// to them.
pub fn has_digit(word: &str) -> bool {
    word.chars().any(char::is_numeric)
}

/// The text as one folded word without anything but letters and digits, `AB-12/x` as `ab12x`.
pub fn joined(text: &str) -> String {
    let mut joined = String::new();
    words(text, Purpose::Query, |word, _| joined.push_str(word));
    joined.truncate(joined.floor_char_boundary(MAX_WORD_BYTES));
    joined
}

/// Whether this character belongs to the one before it: marks, the sound marks of half-width katakana, and the
/// later parts of a Korean syllable.
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

/// Highlighter that only change the sound or look of a letter, and that people leave out when they type. In scripts such
/// as Devanagari marks are vowels; those stay.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{0591}'..='\u{05C7}' | '\u{064B}'..='\u{065F}' | '\u{0670}'
        | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}'
        // Sound marks of kana that belong to none, and variants of one character.
        | '\u{3099}' | '\u{309A}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Lower case without accents. Letters whose accent Unicode does not take apart are spelt out.
fn fold(c: char, mut push: impl FnMut(char)) {
    if c.is_ascii() {
        return push(c.to_ascii_lowercase());
    }
    if is_spaceless(c) {
        return push(c);
    }
    for lower in c.to_lowercase() {
        // A letter of its own, and the end of many words.
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
    /// The word so far and its place.
    word: String,
    word_at: Range<usize>,
    /// The words so far that hyphens join, without the hyphens.
    compound: String,
    compound_at: Range<usize>,
    parts: usize,
    run: CjkRunBuilder,
}

impl<F: FnMut(Token<'_>)> Splitter<F> {
    /// Takes ASCII letters and digits.
    fn plain(&mut self, letters: &str, at: Range<usize>) {
        self.end_of_run();
        self.extend_word(at);
        let room = MAX_WORD_BYTES.saturating_sub(self.word.len()).min(letters.len());
        let before = self.word.len();
        self.word.push_str(&letters[..room]);
        self.word[before..].make_ascii_lowercase();
    }

    fn cluster(&mut self, cluster: &str, at: Range<usize>, text: &str) {
        let mut folded = Vec::with_capacity(4);
        for c in cluster.nfkc() {
            fold(c, |c| folded.push(c));
        }
        for c in folded {
            self.character(c, at.clone(), text);
        }
    }

    /// Takes a folded character.
    fn character(&mut self, c: char, at: Range<usize>, text: &str) {
        if is_spaceless(c) {
            self.end_of_compound();
            self.run.push(c, at);
        } else if c.is_alphanumeric() || (is_combining_mark(c) && !self.word.is_empty()) {
            self.end_of_run();
            self.extend_word(at);
            if self.word.len() + c.len_utf8() <= MAX_WORD_BYTES {
                self.word.push(c);
            }
        } else if !self.run.takes(c, &at, text) {
            self.end_of_run();
            let joins = matches!(c, '-' | '\u{2010}')
                && !self.word.is_empty()
                && text[at.end..].chars().next().is_some_and(char::is_alphanumeric);
            self.end_of_word();
            if !joins {
                self.end_of_compound();
            }
        }
    }

    fn extend_word(&mut self, at: Range<usize>) {
        if self.word.is_empty() {
            self.word_at = at;
        } else {
            self.word_at.end = at.end;
        }
    }

    fn end_of_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        (self.emit)(Token::Word(&self.word, self.word_at.clone()));
        if self.purpose == Purpose::Document {
            if self.parts == 0 {
                self.compound_at = self.word_at.clone();
            }
            self.parts += 1;
            self.compound_at.end = self.word_at.end;
            self.compound.push_str(&self.word);
        }
        self.word.clear();
    }

    /// A model number is also found without its hyphens; `10-20` and `dual-core` are not model numbers.
    fn end_of_compound(&mut self) {
        self.end_of_word();
        if self.parts > 1
            && self.compound.len() <= MAX_WORD_BYTES
            && has_digit(&self.compound)
            && self.compound.chars().any(char::is_alphabetic)
        {
            (self.emit)(Token::Word(&self.compound, self.compound_at.clone()));
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
