//! The words of a segment in memory, for finding those that are near a misspelt one.
//!
//! The vocabulary leaves out words of scripts without spaces, and words with digits: they are product codes, where a typo would
//! name another product. It is therefore small. Comparing a misspelt word with all of it takes less time than building a
//! Levenshtein automaton and walking tantivy's term dictionary with it. Most words are ruled out by their length and their set of
//! letters, two operations each; the others are compared by a bit-parallel edit distance ([`text::typos`]).

use std::ops::Range;

use tantivy::index::InvertedIndexReader;
use text::cjk::is_cjk;
use text::misspelt::Misspelt;
use text::typos::LetterSet;

/// The words of a segment, sorted by length.
pub(crate) struct Vocabulary {
    texts: String,
    /// The end of each word in `texts`.
    ends: Vec<u32>,
    letters: Vec<LetterSet>,
    /// The document frequency of each word, including deleted documents.
    documents: Vec<u32>,
    /// For each number of characters, the index of the first word with at least as many.
    by_length: Vec<u32>,
}

/// A word that is near a misspelt one.
pub(crate) struct NearWord<'a> {
    pub(crate) text: &'a str,
    pub(crate) typos: u8,
    /// The document frequency, including deleted documents.
    pub(crate) documents: u32,
}

/// The longest word, in characters, that may match with typos.
const MAX_CHARS: usize = 40;

impl Vocabulary {
    /// Reads the vocabulary from a term dictionary of words without digits.
    pub(crate) fn read(index: &InvertedIndexReader) -> tantivy::Result<Self> {
        let mut words = Vec::<(usize, String, u32)>::new();
        let mut stream = index.terms().stream()?;
        while stream.advance() {
            let documents = stream.value().doc_freq;
            if let Ok(text) = std::str::from_utf8(stream.key()) {
                let chars = text.chars().count();
                if chars <= MAX_CHARS && !is_cjk(text) {
                    words.push((chars, text.to_owned(), documents));
                }
            }
        }
        words.sort_unstable();
        let mut vocabulary = Self {
            texts: String::new(),
            ends: Vec::with_capacity(words.len()),
            letters: Vec::with_capacity(words.len()),
            documents: Vec::with_capacity(words.len()),
            by_length: vec![0; MAX_CHARS + 2],
        };
        for (chars, text, documents) in words {
            vocabulary.texts.push_str(&text);
            vocabulary.ends.push(vocabulary.texts.len() as u32);
            vocabulary.letters.push(LetterSet::new(&text));
            vocabulary.documents.push(documents);
            vocabulary.by_length[chars + 1..].iter_mut().for_each(|words| *words += 1);
        }
        Ok(vocabulary)
    }

    /// Passes every word that the misspelt one may stand for to `each`.
    pub(crate) fn each_near<'a>(&'a self, misspelt: &Misspelt, mut each: impl FnMut(NearWord<'a>)) {
        for at in self.with_lengths(misspelt.lengths()) {
            if !misspelt.may_match(self.letters[at]) {
                continue;
            }
            let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
            let text = &self.texts[start..self.ends[at] as usize];
            if let Some(typos) = misspelt.typos(text).filter(|typos| *typos > 0) {
                each(NearWord { text, typos, documents: self.documents[at] });
            }
        }
    }

    /// Returns the indices of the words with these numbers of characters.
    fn with_lengths(&self, chars: Range<usize>) -> Range<usize> {
        let first = |chars: usize| self.by_length[chars.min(MAX_CHARS + 1)] as usize;
        first(chars.start)..first(chars.end)
    }
}
