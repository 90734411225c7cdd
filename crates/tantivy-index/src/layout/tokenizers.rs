//! The tokenizers of the text fields. `crates/text` has analysed the texts already: a field's text is a list of terms in the
//! encoding of this module, and the tokenizer decodes it.

use tantivy::Index;
use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer};
use text::cjk::bigrams;

/// The name under which [`WeightedTerms`] is registered. The schema on disk contains it.
pub(crate) const WEIGHTED_TERMS: &str = "weighed_words";
/// The name under which [`CjkBigrams`] is registered. The schema on disk contains it.
pub(crate) const CJK_BIGRAMS: &str = "runs";
/// Separates two runs of characters; no run contains it.
const RUN_SEPARATOR: &str = "\n";

/// Registers the tokenizers in an index.
pub(crate) fn register(index: &Index) {
    index.tokenizers().register(WEIGHTED_TERMS, TextAnalyzer::from(WeightedTerms::default()));
    index.tokenizers().register(CJK_BIGRAMS, TextAnalyzer::from(CjkBigrams::default()));
}

/// Appends a term to a text for [`WeightedTerms`]: the weight as one character below U+0020, which no term contains, then the
/// term.
pub(crate) fn push_weighted_term(text: &mut String, term: &str, weight: u8) {
    text.push(char::from(weight));
    text.push_str(term);
}

/// Encodes runs of characters as a text for [`CjkBigrams`].
pub(crate) fn join_runs(runs: &[String]) -> String {
    runs.join(RUN_SEPARATOR)
}

/// Decodes a list of weighted terms. It emits a term as many times as its weight says, so that the term frequency in the
/// index is the weight.
#[derive(Debug, Clone, Default)]
struct WeightedTerms {
    token: Token,
}

struct WeightedTermStream<'a> {
    rest: &'a str,
    /// The number of times that the current term is still to be emitted.
    repeats: u8,
    token: &'a mut Token,
}

impl Tokenizer for WeightedTerms {
    type TokenStream<'a> = WeightedTermStream<'a>;
    fn token_stream<'a>(&'a mut self, text: &'a str) -> WeightedTermStream<'a> {
        self.token.reset();
        // The field has no positions, but tantivy adds to this one, and the initial position would overflow.
        self.token.position = 0;
        WeightedTermStream { rest: text, repeats: 0, token: &mut self.token }
    }
}

impl TokenStream for WeightedTermStream<'_> {
    fn advance(&mut self) -> bool {
        if self.repeats > 0 {
            self.repeats -= 1;
            return true;
        }
        let Some(weight) = self.rest.bytes().next() else { return false };
        // The weight takes one byte, so the term begins at 1.
        let term = &self.rest[1..];
        let end = term.bytes().position(|byte| byte < 0x20).unwrap_or(term.len());
        self.token.text.clear();
        self.token.text.push_str(&term[..end]);
        self.rest = &term[end..];
        self.repeats = weight.saturating_sub(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// Splits each run of characters of a script without spaces into its bigrams, with consecutive positions. The positions of two
/// runs are not consecutive, so no phrase matches across them.
#[derive(Debug, Clone, Default)]
struct CjkBigrams {
    token: Token,
}

struct CjkBigramStream<'a> {
    runs: std::str::Split<'a, &'static str>,
    bigrams: Box<dyn Iterator<Item = &'a str> + 'a>,
    token: &'a mut Token,
}

impl Tokenizer for CjkBigrams {
    type TokenStream<'a> = CjkBigramStream<'a>;
    fn token_stream<'a>(&'a mut self, text: &'a str) -> CjkBigramStream<'a> {
        self.token.reset();
        self.token.position = 0;
        CjkBigramStream {
            runs: text.split(RUN_SEPARATOR),
            bigrams: Box::new(std::iter::empty()),
            token: &mut self.token,
        }
    }
}

impl TokenStream for CjkBigramStream<'_> {
    fn advance(&mut self) -> bool {
        loop {
            self.token.position += 1;
            if let Some(bigram) = self.bigrams.next() {
                self.token.text.clear();
                self.token.text.push_str(bigram);
                return true;
            }
            let Some(run) = self.runs.next() else { return false };
            self.bigrams = Box::new(bigrams(run));
        }
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use text::weights::MAX_WEIGHT;

    #[test]
    fn a_term_is_emitted_as_often_as_its_weight_says() {
        let mut text = String::new();
        [("one", 2), ("日本", 31), ("x", 1)]
            .iter()
            .for_each(|(term, weight)| push_weighted_term(&mut text, term, *weight));
        assert_eq!(text, "\u{2}one\u{1f}日本\u{1}x");
        let mut tokenizer = WeightedTerms::default();
        let mut stream = tokenizer.token_stream(&text);
        let mut counts = Vec::<(String, usize)>::new();
        while stream.advance() {
            match counts.last_mut() {
                Some((term, count)) if *term == stream.token().text => *count += 1,
                _ => counts.push((stream.token().text.clone(), 1)),
            }
        }
        assert_eq!(counts, [("one".to_owned(), 2), ("日本".to_owned(), 31), ("x".to_owned(), 1)]);
    }

    #[test]
    fn bigrams_of_one_run_are_adjacent_and_those_of_two_are_not() {
        let mut tokenizer = CjkBigrams::default();
        let mut stream = tokenizer.token_stream("東京都\n京都\n");
        let mut positions = Vec::new();
        while stream.advance() {
            positions.push((stream.token().text.clone(), stream.token().position));
        }
        let start = positions[0].1;
        let positions: Vec<_> = positions.iter().map(|(bigram, at)| (bigram.as_str(), at - start)).collect();
        assert_eq!(positions, [("東京", 0), ("京都", 1), ("京都", 3)]);
    }

    #[test]
    fn a_weight_is_one_character_that_no_term_has() {
        const { assert!(MAX_WEIGHT < 0x20) };
    }
}
