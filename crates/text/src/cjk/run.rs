//! A run of characters.

use std::ops::Range;

use super::script::bigrams;

/// A folded run of characters.
#[derive(Debug, Default)]
pub struct CjkRun {
    pub(super) text: String,
    /// The bytes of the run in the original text.
    pub(super) span: Range<usize>,
    /// For each character: its bytes in the original text, and whether it is a long vowel.
    pub(super) chars: Vec<(Range<usize>, bool)>,
    /// True if the last character is a long vowel that a query omits.
    pub(super) ends_in_optional: bool,
}

impl CjkRun {
    /// Returns the folded characters.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns true if the run has more than one bigram.
    pub(crate) fn has_bigrams(&self) -> bool {
        self.chars.len() > 2
    }

    /// Returns the bytes of the run in the original text.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns the spans in the original text where this run contains a spelling from [`spellings`](super::spellings). A long
    /// vowel that follows is included.
    pub fn find<'a>(&'a self, spelling: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        self.text.match_indices(spelling).map(|(at, found)| {
            let start = self.text[..at].chars().count();
            let end = start + found.chars().count();
            let is_long = self.chars.get(end).is_some_and(|(_, is_long)| *is_long);
            self.span_of(start, end + usize::from(is_long))
        })
    }

    /// Calls `emit` with each character and bigram in order, and its span in the original text.
    pub(crate) fn for_each_word(&self, mut emit: impl FnMut(&str, Range<usize>)) {
        let mut bigrams = (self.chars.len() > 1).then(|| bigrams(&self.text)).into_iter().flatten();
        for (index, (start, c)) in self.text.char_indices().enumerate() {
            emit(&self.text[start..start + c.len_utf8()], self.span_of(index, index + 1));
            if let Some(bigram) = bigrams.next() {
                emit(bigram, self.span_of(index, index + 2));
            }
        }
    }

    /// Returns the folded characters without the final long vowel that a query omits.
    pub(crate) fn as_queried(&self) -> &str {
        let last = self.text.chars().next_back().filter(|_| self.ends_in_optional);
        &self.text[..self.text.len() - last.map_or(0, char::len_utf8)]
    }

    /// Returns the span of the characters from `start` up to `end`.
    fn span_of(&self, start: usize, end: usize) -> Range<usize> {
        match self.chars.get(start..end) {
            Some([(first, _), .., (last, _)]) => first.start..last.end,
            Some([(only, _)]) => only.clone(),
            _ => 0..0,
        }
    }
}
