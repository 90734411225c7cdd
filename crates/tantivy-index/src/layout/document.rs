//! Converts a projection to a tantivy document, and reads the stored product back.

use std::sync::Arc;

use domain::Product;
use tantivy::schema::OwnedValue;
use tantivy::schema::document::{DeserializeError, DocumentDeserialize, DocumentDeserializer};
use tantivy::{DocAddress, Searcher, TantivyDocument, TantivyError};
use text::dictionary::Dictionary;
use text::projection::{ActiveDocument, DocumentState, Projection, WeightedWords};

use crate::layout::encoding::{currency_number, number_term};
use crate::layout::schema::{Fields, STATE_ACTIVE, STATE_DELETED, STATE_HIDDEN};
use crate::layout::tokenizers::{join_runs, push_weighted_term};
use crate::layout::value_field::VALUE_FIELDS;

/// The bytes of the terms of one dictionary of most products, for which memory is taken at once.
const USUAL_TERMS_BYTES: usize = 512;

/// Converts a projection to a document.
pub(crate) fn document(fields: Fields, projection: &Projection<'_>) -> TantivyDocument {
    let mut document = match &projection.state {
        // Room for the JSON, and for about as many bytes of terms and values.
        DocumentState::Active(active) => TantivyDocument::with_capacity(2 * active.json.len()),
        DocumentState::Deleted | DocumentState::Hidden => TantivyDocument::new(),
    };
    document.add_text(fields.id, projection.id.as_str());
    document.add_u64(fields.version, projection.version.0);
    document.add_u64(fields.fields_hash, projection.fields_hash());
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
    for (field, spec) in fields.values.iter().zip(&VALUE_FIELDS) {
        (spec.each_value)(active, &mut |value| document.add_text(*field, value));
    }
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
        document.add_text(fields.runs, join_runs(&active.cjk_runs));
    }
    add_words(document, fields, &active.words);
}

fn add_words(document: &mut TantivyDocument, fields: Fields, weighted: &WeightedWords) {
    let [mut words, mut codes, mut pairs, mut stems] =
        std::array::from_fn(|_| String::with_capacity(USUAL_TERMS_BYTES));
    for (dictionary, word, weight) in weighted.iter() {
        let text = match dictionary {
            Dictionary::Words => &mut words,
            Dictionary::Codes => &mut codes,
            Dictionary::Pairs => &mut pairs,
            Dictionary::Stems => &mut stems,
        };
        push_weighted_term(text, word, weight);
    }
    document.add_text(fields.words, words);
    document.add_text(fields.codes, codes);
    document.add_text(fields.pairs, pairs);
    document.add_text(fields.stems, stems);
}

/// Loads the product of an active document.
pub(crate) fn stored_product(searcher: &Searcher, address: DocAddress) -> tantivy::Result<Arc<Product>> {
    let damaged =
        |error: String| TantivyError::InternalError(format!("a stored product cannot be read: {error}"));
    let json = stored_json(searcher, address)?.ok_or_else(|| damaged("it is missing".to_owned()))?;
    serde_json::from_slice(&json).map(Arc::new).map_err(|error| damaged(error.to_string()))
}

/// Loads the JSON of a document's product; `None` for a hidden product or a tombstone.
pub(crate) fn stored_json(searcher: &Searcher, address: DocAddress) -> tantivy::Result<Option<Vec<u8>>> {
    let StoredJson(json) = searcher.doc(address)?;
    Ok(json)
}

/// The only stored field. Deserializing it directly is faster than building a [`TantivyDocument`].
struct StoredJson(Option<Vec<u8>>);

impl DocumentDeserialize for StoredJson {
    fn deserialize<'de, D: DocumentDeserializer<'de>>(mut stored: D) -> Result<Self, DeserializeError> {
        let mut json = None;
        while let Some((_, value)) = stored.next_field::<OwnedValue>()? {
            if let OwnedValue::Bytes(bytes) = value {
                json = Some(bytes);
            }
        }
        Ok(Self(json))
    }
}
