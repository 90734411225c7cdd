//! From a change to the document that tantivy indexes, and the forms in which values stand in columns.

use std::borrow::Cow;
use std::collections::HashMap;

use domain::search::{is_searchable, name_sort_key};
use domain::{AttributeValue, Change, Content, Currency, Product};
use sha2::{Digest, Sha256};
use tantivy::TantivyDocument;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::analysis::{Purpose, has_digit, joined, words};
use crate::schema::{Fields, STATE_ACTIVE, STATE_DELETED, STATE_HIDDEN};

/// The parts of a product in which words are found, each one bit. The parts that have a word are its *mask* in the
/// product; the index keeps it as the word's frequency, so that one list for each word tells everything that
/// ranking needs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// The description.
    Description = 1,
    /// Texts and numbers of attributes.
    Attributes = 2,
    /// The category, with those above it, and tags.
    Labels = 4,
    /// The brand.
    Brand = 8,
    /// The name and the sku.
    Name = 16,
}

/// There are this many masks, none included.
pub(crate) const MASKS: usize = 32;

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
        self.mark(&content.name, Part::Name);
        document.add_u64(self.fields.name_words, self.masks.len() as u64);
        if let Some(sku) = &content.sku {
            self.mark(sku, Part::Name);
            self.mark_word(&joined(sku), Part::Name);
        }
        if let Some(brand) = &content.brand {
            self.mark(brand, Part::Brand);
        }
        for level in content.category.iter().flat_map(|category| category.levels()).chain(&content.tags) {
            self.mark(level, Part::Labels);
        }
        for value in content.attributes.values().filter(|value| !matches!(value, AttributeValue::Flag(_))) {
            for text in value.facet_values() {
                self.mark(&text, Part::Attributes);
            }
        }
        if let Some(description) = &content.description {
            self.mark(description, Part::Description);
        }
        let (mut plain, mut codes) = (String::new(), String::new());
        for (word, mask) in self.masks.drain() {
            let list = if has_digit(&word) { &mut codes } else { &mut plain };
            list.push(char::from(mask));
            list.push_str(&word);
        }
        document.add_text(self.fields.words, plain);
        document.add_text(self.fields.codes, codes);
    }

    fn mark(&mut self, text: &str, part: Part) {
        words(text, Purpose::Document, |word, _| mark_word(&mut self.masks, word, part));
    }

    fn mark_word(&mut self, word: &str, part: Part) {
        if !word.is_empty() {
            mark_word(&mut self.masks, word, part);
        }
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

/// Splits what [`DocumentMaker`] writes: each word behind its mask as one character below U+0020. Words have no
/// such characters themselves. A word is handed on as often as its mask says, which makes that its frequency.
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
        let Some(mask) = self.rest.bytes().next() else { return false };
        // A mask is one byte, so the word begins at 1.
        let word = &self.rest[1..];
        let end = word.bytes().position(|byte| byte < 0x20).unwrap_or(word.len());
        self.token.text.clear();
        self.token.text.push_str(&word[..end]);
        self.rest = &word[end..];
        self.again = mask.saturating_sub(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// Ends the key in the terms of attributes; keys and values cannot contain it.
const SEPARATOR: char = '\0';
/// Values up to this many bytes stand in the dictionary as they are.
const MAX_VALUE_BYTES: usize = 200;

/// The range of attribute terms and number terms with this key begins here, and ends before the same with
/// [`after_prefix`].
pub(crate) fn key_prefix(key: &str) -> String {
    format!("{key}{SEPARATOR}")
}

/// The first bytes behind everything that begins with the prefix of a key.
pub(crate) fn after_prefix(prefix: &str) -> Vec<u8> {
    let mut after = prefix.as_bytes().to_vec();
    if let Some(last) = after.last_mut() {
        *last += 1;
    }
    after
}

/// The value of an attribute in the dictionary: `key NUL value`; of a long value the beginning, NUL and a hash,
/// so that two values are equal only when their terms are.
pub(crate) fn attribute_term(key: &str, value: &str) -> String {
    if value.len() <= MAX_VALUE_BYTES {
        return format!("{key}{SEPARATOR}{value}");
    }
    let cut = value.floor_char_boundary(MAX_VALUE_BYTES);
    let hash = Sha256::digest(value.as_bytes());
    let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{key}{SEPARATOR}{}{SEPARATOR}{hash}", &value[..cut])
}

/// The beginning of the long value that a value taken from the dictionary, without its key, stands for; none when
/// it stands for itself.
pub(crate) fn beginning(value: &str) -> Option<&str> {
    value.split_once(SEPARATOR).map(|(beginning, _)| beginning)
}

/// A number in the dictionary: `key NUL`, then 8 bytes that compare as the numbers do.
pub(crate) fn number_term(key: &str, number: f64) -> Vec<u8> {
    let mut term = key_prefix(key).into_bytes();
    // Adding zero makes -0 and 0 the same.
    term.extend_from_slice(&tantivy::f64_to_u64(number + 0.0).to_be_bytes());
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
    fn a_word_comes_as_often_as_its_mask_says() {
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
    fn long_values_keep_their_identity() {
        let long = "é".repeat(150);
        let other = format!("{long}x");
        assert_ne!(attribute_term("k", &long), attribute_term("k", &other));
        assert!(attribute_term("k", &long).len() < 250);
        assert_eq!(beginning(attribute_term("k", &long).strip_prefix("k\0").unwrap()), Some(&long[..200]));
        assert_eq!(beginning(attribute_term("k", "short").strip_prefix("k\0").unwrap()), None);
    }

    proptest! {
        #[test]
        fn number_terms_compare_as_numbers(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(number_term("k", a).cmp(&number_term("k", b)), a.partial_cmp(&b).unwrap());
        }
    }
}
