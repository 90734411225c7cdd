//! From text to words: the same for documents, queries and highlights.
//!
//! Text is normalised (NFKC), lower-cased and freed of accents, then split at everything that is neither a letter
//! nor a digit. Scripts that are written without spaces become overlapping pairs of characters. Each word comes
//! with the place in the original text that it stands for.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible, is_combining_mark};

/// What the words are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be found: every word in every form that a query may have it in. Single characters of scripts without
    /// spaces come beside the pairs, `wh1000xm4` beside the parts of `WH-1000XM4`.
    Document,
    /// To search with: the longest words only, since each of them must be found.
    Query,
}

/// A word keeps its first bytes up to this many; what follows does not count.
const MAX_WORD_BYTES: usize = 250;

/// Hands every word of `text` to `emit`, folded, with its place in `text` in bytes.
pub fn words(text: &str, purpose: Purpose, emit: impl FnMut(&str, Range<usize>)) {
    let mut splitter = Splitter {
        purpose,
        emit,
        word: String::new(),
        word_at: 0..0,
        compound: String::new(),
        compound_at: 0..0,
        parts: 0,
        run: Vec::new(),
    };
    let mut position = 0;
    while let Some(first) = text[position..].chars().next() {
        let end = position + first.len_utf8();
        if first.is_ascii() && !extends_cluster(text[end..].chars().next()) {
            splitter.character(first.to_ascii_lowercase(), position..end, text);
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
    for c in text.nfkc() {
        fold(c, |c| {
            if c.is_alphanumeric() && joined.len() + c.len_utf8() <= MAX_WORD_BYTES {
                joined.push(c);
            }
        });
    }
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

/// Written without spaces between words.
fn is_spaceless(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{11FF}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30FF}' | '\u{3130}'..='\u{318F}'
        | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{A960}'..='\u{A97F}'
        | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3134F}')
}

/// Marks that only change the sound or look of a letter, and that people leave out when they type. In scripts such
/// as Devanagari marks are vowels; those stay.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{0591}'..='\u{05C7}' | '\u{064B}'..='\u{065F}' | '\u{0670}'
        | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
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
    /// Characters of scripts without spaces that follow each other.
    run: Vec<(char, Range<usize>)>,
}

impl<F: FnMut(&str, Range<usize>)> Splitter<F> {
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
            self.run.push((c, at));
        } else if c.is_alphanumeric() || (is_combining_mark(c) && !self.word.is_empty()) {
            self.end_of_run();
            if self.word.is_empty() {
                self.word_at = at.clone();
            }
            if self.word.len() + c.len_utf8() <= MAX_WORD_BYTES {
                self.word.push(c);
            }
            self.word_at.end = at.end;
        } else {
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

    fn end_of_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        (self.emit)(&self.word, self.word_at.clone());
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
            (self.emit)(&self.compound, self.compound_at.clone());
        }
        self.compound.clear();
        self.parts = 0;
    }

    fn end_of_run(&mut self) {
        let mut pair = String::with_capacity(8);
        for (index, (c, at)) in self.run.iter().enumerate() {
            if self.purpose == Purpose::Document || self.run.len() == 1 {
                pair.clear();
                pair.push(*c);
                (self.emit)(&pair, at.clone());
            }
            if let Some((next, next_at)) = self.run.get(index + 1) {
                pair.clear();
                pair.extend([*c, *next]);
                (self.emit)(&pair, at.start..next_at.end);
            }
        }
        self.run.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            ("", vec![]),
            ("\" ( * \0 ~ --", vec![]),
        ] {
            assert_eq!(analysed(text, Purpose::Query), expected, "{text}");
        }
    }

    #[test]
    fn scripts_without_spaces_become_pairs() {
        assert_eq!(analysed("日本語", Purpose::Query), ["日本", "本語"]);
        assert_eq!(analysed("語", Purpose::Query), ["語"]);
        assert_eq!(analysed("日本", Purpose::Document), ["日", "日本", "本"]);
        assert_eq!(analysed("ノートPC用", Purpose::Query), ["ノー", "ート", "pc", "用"]);
        assert_eq!(analysed("ﾊﾞｯｸﾞ", Purpose::Query), analysed("バッグ", Purpose::Query));
        assert_eq!(
            analysed("한국", Purpose::Query),
            analysed("\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}", Purpose::Query)
        );
        assert_ne!(analysed("かき", Purpose::Query), analysed("がき", Purpose::Query));
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
                prop_assert!(document.contains(&word), "{}", word);
            }
        }
    }
}
