//! The words of a segment in plain memory, to look for those that are near a misspelt one.
//!
//! Words with digits and scripts without spaces are not among them, so it is small, and comparing a word with all of them takes less time than
//! an automaton needs to walk the dictionary: most are told apart by their letters alone.

use std::ops::Range;

use tantivy::index::InvertedIndexReader;
use text::cjk::is_cjk;
use text::typos::{LetterSet, Pattern};

/// The words of a segment, the short ones first.
pub(crate) struct Vocabulary {
    texts: String,
    /// Where each word ends in `texts`.
    ends: Vec<u32>,
    letters: Vec<LetterSet>,
    /// Documents with each word, deleted ones included.
    documents: Vec<u32>,
    /// By the number of characters, where the words with fewer end.
    by_length: Vec<u32>,
}

/// A word that is near another.
pub(crate) struct Near<'a> {
    pub(crate) text: &'a str,
    pub(crate) typos: u8,
    pub(crate) documents: u32,
}

/// Words with more characters are misspelt by nobody.
const MAX_CHARS: usize = 40;

impl Vocabulary {
    /// Reads the words of a dictionary that may be misspelt.
    pub(crate) fn read(words: &InvertedIndexReader) -> tantivy::Result<Self> {
        let mut read = Vec::<(usize, String, u32)>::new();
        let mut stream = words.terms().stream()?;
        while stream.advance() {
            let documents = stream.value().doc_freq;
            if let Ok(text) = std::str::from_utf8(stream.key()) {
                let chars = text.chars().count();
                if chars <= MAX_CHARS && !is_cjk(text) {
                    read.push((chars, text.to_owned(), documents));
                }
            }
        }
        read.sort_unstable();
        let mut vocabulary = Self {
            texts: String::new(),
            ends: Vec::with_capacity(read.len()),
            letters: Vec::with_capacity(read.len()),
            documents: Vec::with_capacity(read.len()),
            by_length: vec![0; MAX_CHARS + 2],
        };
        for (chars, text, documents) in read {
            vocabulary.texts.push_str(&text);
            vocabulary.ends.push(vocabulary.texts.len() as u32);
            vocabulary.letters.push(LetterSet::new(&text));
            vocabulary.documents.push(documents);
            vocabulary.by_length[chars + 1..].iter_mut().for_each(|words| *words += 1);
        }
        Ok(vocabulary)
    }

    /// Hands every word within the typos that the pattern allows to `each`; not the word itself.
    pub(crate) fn near<'a>(&'a self, pattern: &Pattern, mut each: impl FnMut(Near<'a>)) {
        for at in self.of_lengths(pattern.lengths()) {
            if !pattern.may_match(self.letters[at]) {
                continue;
            }
            let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
            let text = &self.texts[start..self.ends[at] as usize];
            if let Some(typos) = pattern.typos(text).filter(|typos| *typos > 0) {
                each(Near { text, typos, documents: self.documents[at] });
            }
        }
    }

    fn of_lengths(&self, chars: Range<usize>) -> Range<usize> {
        let before = |chars: usize| self.by_length[chars.min(MAX_CHARS + 1)] as usize;
        before(chars.start)..before(chars.end)
    }
}
