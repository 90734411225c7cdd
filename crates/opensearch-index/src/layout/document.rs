//! Converts a projection to the document that OpenSearch indexes.

use domain::Record;
use serde_json::{Map, Value, json};
use text::cjk::{bigrams, is_cjk};
use text::dictionary::Dictionary;
use text::projection::{ActiveDocument, DocumentState, Projection, WeightedWords};

use crate::layout::schema::{WEIGHT_DELIMITER, field, state};
use crate::layout::terms::{number_term, prefix_term, word_term};

/// Returns the document of a projection, for an index created at `index_created_at`. Only documents of active products
/// have searchable fields.
pub(crate) fn document(record: &Record, projection: &Projection<'_>, index_created_at: i64) -> Value {
    let mut document = Map::new();
    document.insert(field::ID.to_owned(), projection.id.as_str().into());
    document.insert(field::INDEX_CREATED_AT.to_owned(), index_created_at.into());
    // Hexadecimal text, because many JSON readers lose digits of integers above 2^53.
    document.insert(field::FINGERPRINT.to_owned(), format!("{:016x}", projection.fields_hash()).into());
    if let Record::Deleted(tombstone) = record {
        document.insert(field::DELETED_AT.to_owned(), tombstone.deleted_at.as_millisecond().into());
    }
    let state = match &projection.state {
        DocumentState::Deleted => state::DELETED,
        DocumentState::Hidden => state::HIDDEN,
        DocumentState::Active(active) => {
            add_product(&mut document, active);
            state::ACTIVE
        }
    };
    document.insert(field::STATE.to_owned(), state.into());
    document.into()
}

fn add_product(document: &mut Map<String, Value>, active: &ActiveDocument<'_>) {
    let mut add = |name: &str, value: Value| document.insert(name.to_owned(), value);
    add(field::PRODUCT, active.json.as_str().into());
    if let Some(brand) = &active.brand {
        add(field::BRAND, brand.as_ref().into());
    }
    add(field::CATEGORY, active.categories.iter().map(String::as_str).collect());
    add(field::TAGS, active.tags.iter().map(AsRef::as_ref).collect::<Vec<&str>>().into());
    add(field::ATTRIBUTES, active.attributes.iter().map(String::as_str).collect());
    add(field::NUMBERS, active.numbers.iter().map(|(key, order)| number_term(key, *order)).collect());
    if let Some(price) = active.price {
        add(field::PRICE, json!({ price.currency().code(): price.minor_units() }));
    }
    add(field::IN_STOCK, active.in_stock.into());
    add(field::CREATED_AT, active.created_at_ms.into());
    add(field::NAME, active.name_key.as_str().into());
    add(
        field::CJK_BIGRAMS,
        active.cjk_runs.iter().map(|run| bigrams(run).collect::<Vec<_>>().join(" ")).collect(),
    );
    add_words(document, &active.words);
}

fn add_words(document: &mut Map<String, Value>, weighted: &WeightedWords) {
    let (mut words, mut prefixes) = (String::new(), String::new());
    for (dictionary, word, weight) in weighted.iter() {
        // In the syntax of the field's analyser.
        words.push_str(&format!("{}{WEIGHT_DELIMITER}{weight} ", word_term(dictionary, word)));
        // Prefix queries match words and codes only, and no CJK text, which has no word boundaries.
        if matches!(dictionary, Dictionary::Words | Dictionary::Codes) && !is_cjk(word) {
            prefixes.push_str(&format!("{} ", prefix_term(weight, word)));
        }
    }
    document.insert(field::WORDS.to_owned(), words.into());
    document.insert(field::PREFIXES.to_owned(), prefixes.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::input::read_product;
    use domain::{Currency, Language, Product, ProductId, Version};
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use text::field_weights::FieldWeights;
    use text::projection::Projector;

    #[test]
    fn each_word_follows_its_dictionary_and_its_weight() {
        let content = read_product(r#"{"name":"Desk 東京都 a1"}"#.as_bytes(), Currency::USD).unwrap().content;
        let (id, at) = (ProductId::generate(), domain::now());
        let product = Product { id, version: Version::FIRST, created_at: at, updated_at: at, content };
        let record = Record::Live(Arc::new(product));
        let mut projector = Projector::new(Language::English, FieldWeights::default());
        let document = document(&record, &projector.project(&record).unwrap(), 0);
        let terms = |name: &str| -> BTreeSet<String> {
            let text = document[name].as_str().unwrap();
            text.split_whitespace().map(|term| term.split('|').next().unwrap().to_owned()).collect()
        };
        assert_eq!(
            terms(field::WORDS),
            ["wdesk", "w東", "w東京", "w京", "w京都", "w都", "ca1"].map(str::to_owned).into()
        );
        assert!(terms(field::PREFIXES).iter().all(|term| ["desk", "a1"].contains(&&term[1..])));
        assert_eq!(document[field::CJK_BIGRAMS], json!(["東京 京都"]));
    }
}
