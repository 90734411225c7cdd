//! From a change to the document that tantivy indexes, and the forms in which values stand in columns.

use std::borrow::Cow;
use std::collections::HashMap;

use domain::search::{is_searchable, name_sort_key};
use domain::{Change, Content, Currency, Product};
use tantivy::TantivyDocument;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use text::analysis::has_digit;
use text::attributes::{attribute_term, key_prefix, number_order};
use text::product::{Part, each_name_word, each_other_word};

use crate::schema::{Fields, STATE_ACTIVE, STATE_DELETED, STATE_HIDDEN};

/// There are this many masks, none included.
pub(crate) const MASKS: usize = 32;

/// The masks that exist, those that most words have first: a frequency costs as many steps as it is high. Counted
/// over real catalogues. The order is part of the format of the index.
const MASKS_BY_RANK: [u8; MASKS - 1] = [
    2, 16, 17, 1, 19, 18, 28, 3, 4, 22, 29, 30, 24, 26, 25, 6, 23, 31, 27, 21, 12, 20, 5, 7, 8, 9, 10, 11,
    13, 14, 15,
];

/// The number, from 1, under which the index keeps a mask.
fn rank_of(mask: u8) -> u8 {
    const RANKS: [u8; MASKS] = {
        let mut ranks = [0; MASKS];
        let mut at = 0;
        while at < MASKS_BY_RANK.len() {
            ranks[MASKS_BY_RANK[at] as usize] = at as u8 + 1;
            at += 1;
        }
        ranks
    };
    RANKS[usize::from(mask) % MASKS]
}

/// The mask that the index keeps as this frequency.
pub(crate) fn mask_of(frequency: u32) -> u8 {
    let rank = frequency.saturating_sub(1) as usize;
    MASKS_BY_RANK[rank.min(MASKS_BY_RANK.len() - 1)]
}

/// The name under which [`MaskedWords`] is registered.
pub(crate) const MASKED_WORDS: &str = "masked_words";

/// Makes documents. It keeps its buffers between products.
pub(crate) struct DocumentMaker {
    fields: Fields,
    masks: HashMap<String, u8>,
}

impl DocumentMaker {
    pub(crate) fn new(fields: Fields) -> Self {
        Self { fields, masks: HashMap::new() }
    }

    /// The document that holds what the change leaves.
    pub(crate) fn document(&mut self, change: &Change) -> Result<TantivyDocument, serde_json::Error> {
        let mut document = TantivyDocument::new();
        document.add_text(self.fields.id, change.id().as_str());
        document.add_u64(self.fields.version, change.version().0);
        let state = match change.product() {
            None => STATE_DELETED,
            Some(product) if !is_searchable(product) => STATE_HIDDEN,
            Some(product) => {
                self.add_product(&mut document, product)?;
                STATE_ACTIVE
            }
        };
        document.add_u64(self.fields.state, state);
        Ok(document)
    }

    fn add_product(
        &mut self,
        document: &mut TantivyDocument,
        product: &Product,
    ) -> Result<(), serde_json::Error> {
        let fields = self.fields;
        let content = &product.content;
        document.add_bytes(fields.json, &serde_json::to_vec(product)?);
        if let Some(brand) = &content.brand {
            document.add_text(fields.brand, brand);
        }
        if let Some(category) = &content.category {
            for path in category.with_ancestors() {
                document.add_text(fields.category, path);
            }
        }
        for tag in distinct(content.tags.iter().map(|tag| Cow::Borrowed(tag.as_str()))) {
            document.add_text(fields.tags, tag);
        }
        for (key, value) in &content.attributes {
            for text in distinct(value.facet_values()) {
                document.add_text(fields.attributes, attribute_term(key, &text));
            }
            if let Some(number) = value.as_number() {
                document.add_bytes(fields.numbers, &number_term(key, number));
            }
        }
        if let Some(price) = content.price {
            document.add_i64(fields.price, price.minor_units());
            document.add_u64(fields.currency, currency_number(price.currency()));
        }
        document.add_u64(fields.in_stock, u64::from(content.stock.is_some_and(|pieces| pieces > 0)));
        document.add_i64(fields.created_at, product.created_at.as_millisecond());
        document.add_text(fields.name, name_sort_key(&content.name));
        self.add_words(document, content);
        Ok(())
    }

    fn add_words(&mut self, document: &mut TantivyDocument, content: &Content) {
        each_name_word(content, |word| mark_word(&mut self.masks, word, Part::Name));
        document.add_u64(self.fields.name_words, self.masks.len() as u64);
        each_other_word(content, |word, part| mark_word(&mut self.masks, word, part));
        let (mut plain, mut codes) = (String::new(), String::new());
        for (word, mask) in self.masks.drain() {
            let list = if has_digit(&word) { &mut codes } else { &mut plain };
            list.push(char::from(rank_of(mask)));
            list.push_str(&word);
        }
        document.add_text(self.fields.words, plain);
        document.add_text(self.fields.codes, codes);
    }
}

fn mark_word(masks: &mut HashMap<String, u8>, word: &str, part: Part) {
    match masks.get_mut(word) {
        Some(mask) => *mask |= part as u8,
        None => {
            masks.insert(word.to_owned(), part as u8);
        }
    }
}

fn distinct<'a>(values: impl Iterator<Item = Cow<'a, str>>) -> Vec<Cow<'a, str>> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Splits what [`DocumentMaker`] writes: each word behind the rank of its mask as one character below U+0020. Words
/// have no such characters themselves. A word is handed on as often as its rank says, which makes that its frequency.
#[derive(Debug, Clone, Default)]
pub(crate) struct MaskedWords {
    token: Token,
}

pub(crate) struct MaskedWordStream<'a> {
    rest: &'a str,
    again: u8,
    token: &'a mut Token,
}

impl Tokenizer for MaskedWords {
    type TokenStream<'a> = MaskedWordStream<'a>;
    fn token_stream<'a>(&'a mut self, text: &'a str) -> MaskedWordStream<'a> {
        self.token.reset();
        // Positions are not kept; a fresh token's is one that cannot be counted on from.
        self.token.position = 0;
        MaskedWordStream { rest: text, again: 0, token: &mut self.token }
    }
}

impl TokenStream for MaskedWordStream<'_> {
    fn advance(&mut self) -> bool {
        if self.again > 0 {
            self.again -= 1;
            return true;
        }
        let Some(rank) = self.rest.bytes().next() else { return false };
        // A rank is one byte, so the word begins at 1.
        let word = &self.rest[1..];
        let end = word.bytes().position(|byte| byte < 0x20).unwrap_or(word.len());
        self.token.text.clear();
        self.token.text.push_str(&word[..end]);
        self.rest = &word[end..];
        self.again = rank.saturating_sub(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// A number in the dictionary: `key NUL`, then 8 bytes that compare as the numbers do.
pub(crate) fn number_term(key: &str, number: f64) -> Vec<u8> {
    let mut term = key_prefix(key).into_bytes();
    term.extend_from_slice(&number_order(number).to_be_bytes());
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

    #[test]
    fn a_word_comes_as_often_as_its_rank_says() {
        let mut tokenizer = MaskedWords::default();
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
    fn every_mask_has_a_rank_of_its_own() {
        for mask in 1..MASKS as u8 {
            assert_eq!(mask_of(u32::from(rank_of(mask))), mask);
        }
    }

    proptest! {
        #[test]
        fn number_terms_compare_as_numbers(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(number_term("k", a).cmp(&number_term("k", b)), a.partial_cmp(&b).unwrap());
        }
    }
}
