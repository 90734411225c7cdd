//! From a projection to the document that tantivy indexes, and the forms in which values stand in columns.

use domain::Currency;
use tantivy::TantivyDocument;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use text::attributes::key_prefix;
use text::cjk::bigrams;
use text::dictionary::Dictionary;
use text::projection::{ActiveDocument, DocumentState, Projection, WeightedWords};

use crate::schema::{Fields, STATE_ACTIVE, STATE_DELETED, STATE_HIDDEN};

/// The name under which [`WeighedWords`] is registered.
pub(crate) const WEIGHED_WORDS: &str = "weighed_words";
/// The name under which [`Runs`] is registered.
pub(crate) const RUNS: &str = "runs";
/// Between two runs; no run has it.
const BETWEEN_RUNS: char = '\n';

/// The document that holds a projection.
pub(crate) fn document(fields: Fields, projection: &Projection<'_>) -> TantivyDocument {
    let mut document = TantivyDocument::new();
    document.add_text(fields.id, projection.id.as_str());
    document.add_u64(fields.version, projection.version.0);
    document.add_u64(fields.print, projection.fields_hash());
    let state = match &projection.state {
        DocumentState::Deleted => STATE_DELETED,
        DocumentState::Hidden => STATE_HIDDEN,
        DocumentState::Active(active) => {
            add_active(&mut document, fields, active);
            STATE_ACTIVE
        }
    };
    document.add_u64(fields.state, state);
    document
}

fn add_active(document: &mut TantivyDocument, fields: Fields, active: &ActiveDocument<'_>) {
    document.add_bytes(fields.json, active.json.as_bytes());
    if let Some(brand) = active.brand {
        document.add_text(fields.brand, brand);
    }
    active.categories.iter().for_each(|path| document.add_text(fields.category, path));
    active.tags.iter().for_each(|tag| document.add_text(fields.tags, tag));
    active.attributes.iter().for_each(|term| document.add_text(fields.attributes, term));
    for (key, number) in &active.numbers {
        document.add_bytes(fields.numbers, &number_term(key, *number));
    }
    if let Some(price) = active.price {
        document.add_i64(fields.price, price.minor_units());
        document.add_u64(fields.currency, currency_number(price.currency()));
    }
    document.add_u64(fields.in_stock, active.in_stock.into());
    document.add_i64(fields.created_at, active.created_at_ms);
    document.add_text(fields.name, &active.name_key);
    if !active.cjk_runs.is_empty() {
        document.add_text(fields.runs, active.cjk_runs.join(&BETWEEN_RUNS.to_string()));
    }
    add_words(document, fields, &active.words);
}

fn add_words(document: &mut TantivyDocument, fields: Fields, words: &WeightedWords) {
    let [mut plain, mut codes, mut pairs, mut stems] = [const { String::new() }; 4];
    for (dictionary, word, weight) in words.iter() {
        let list = match dictionary {
            Dictionary::Words => &mut plain,
            Dictionary::Codes => &mut codes,
            Dictionary::Pairs => &mut pairs,
            Dictionary::Stems => &mut stems,
        };
        // As `WeighedWords` reads it.
        list.push(char::from(weight));
        list.push_str(word);
    }
    document.add_text(fields.words, plain);
    document.add_text(fields.codes, codes);
    document.add_text(fields.pairs, pairs);
    document.add_text(fields.stems, stems);
}

/// Splits what [`document`] writes: each word behind its level as one character below U+0020. Words have no such
/// characters themselves. A word is handed on as often as its level says, which makes that its frequency.
#[derive(Debug, Clone, Default)]
pub(crate) struct WeighedWords {
    token: Token,
}

pub(crate) struct WeighedWordStream<'a> {
    rest: &'a str,
    again: u8,
    token: &'a mut Token,
}

impl Tokenizer for WeighedWords {
    type TokenStream<'a> = WeighedWordStream<'a>;
    fn token_stream<'a>(&'a mut self, text: &'a str) -> WeighedWordStream<'a> {
        self.token.reset();
        // Positions are not kept; a fresh token's is one that cannot be counted on from.
        self.token.position = 0;
        WeighedWordStream { rest: text, again: 0, token: &mut self.token }
    }
}

impl TokenStream for WeighedWordStream<'_> {
    fn advance(&mut self) -> bool {
        if self.again > 0 {
            self.again -= 1;
            return true;
        }
        let Some(weight) = self.rest.bytes().next() else { return false };
        // A level is one byte, so the word begins at 1.
        let word = &self.rest[1..];
        let end = word.bytes().position(|byte| byte < 0x20).unwrap_or(word.len());
        self.token.text.clear();
        self.token.text.push_str(&word[..end]);
        self.rest = &word[end..];
        self.again = weight.saturating_sub(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// Splits what [`document`] writes into the pairs of each run, with their places; nothing stands next to the end of a
/// run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs {
    token: Token,
}

pub(crate) struct RunStream<'a> {
    runs: std::str::Split<'a, char>,
    pairs: Box<dyn Iterator<Item = &'a str> + 'a>,
    token: &'a mut Token,
}

impl Tokenizer for Runs {
    type TokenStream<'a> = RunStream<'a>;
    fn token_stream<'a>(&'a mut self, text: &'a str) -> RunStream<'a> {
        self.token.reset();
        self.token.position = 0;
        RunStream {
            runs: text.split(BETWEEN_RUNS),
            pairs: Box::new(std::iter::empty()),
            token: &mut self.token,
        }
    }
}

impl TokenStream for RunStream<'_> {
    fn advance(&mut self) -> bool {
        loop {
            self.token.position += 1;
            if let Some(pair) = self.pairs.next() {
                self.token.text.clear();
                self.token.text.push_str(pair);
                return true;
            }
            let Some(run) = self.runs.next() else { return false };
            self.pairs = Box::new(bigrams(run));
        }
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// A number in the dictionary: `key NUL`, then 8 bytes that compare as the numbers do, see
/// [`text::attributes::number_sort_key`].
pub(crate) fn number_term(key: &str, order: u64) -> Vec<u8> {
    let mut term = key_prefix(key).into_bytes();
    term.extend_from_slice(&order.to_be_bytes());
    term
}

/// The letters of the currency's code as one number.
pub(crate) fn currency_number(currency: Currency) -> u64 {
    currency.code().bytes().fold(0, |number, letter| number << 8 | u64::from(letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use text::attributes::number_sort_key;
    use text::weights::MAX_WEIGHT;

    #[test]
    fn a_word_comes_as_often_as_its_level_says() {
        let mut tokenizer = WeighedWords::default();
        let mut stream = tokenizer.token_stream("\u{2}one\u{1f}日本\u{1}x");
        let mut counts = Vec::<(String, usize)>::new();
        while stream.advance() {
            match counts.last_mut() {
                Some((word, count)) if *word == stream.token().text => *count += 1,
                _ => counts.push((stream.token().text.clone(), 1)),
            }
        }
        assert_eq!(counts, [("one".to_owned(), 2), ("日本".to_owned(), 31), ("x".to_owned(), 1)]);
    }

    #[test]
    fn pairs_of_one_run_follow_each_other_and_those_of_two_do_not() {
        let mut tokenizer = Runs::default();
        let mut stream = tokenizer.token_stream("東京都\n京都\n");
        let mut places = Vec::new();
        while stream.advance() {
            places.push((stream.token().text.clone(), stream.token().position));
        }
        let start = places[0].1;
        let places: Vec<_> = places.iter().map(|(pair, at)| (pair.as_str(), at - start)).collect();
        assert_eq!(places, [("東京", 0), ("京都", 1), ("京都", 3)]);
    }

    #[test]
    fn a_level_is_one_character_that_no_word_has() {
        const { assert!(MAX_WEIGHT < 0x20) };
    }

    proptest! {
        #[test]
        fn number_terms_compare_as_numbers(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            let term = |number| number_term("k", number_sort_key(number));
            prop_assert_eq!(term(a).cmp(&term(b)), a.partial_cmp(&b).unwrap());
        }
    }
}
