//! From a projection to the document that OpenSearch indexes.

use domain::Record;
use serde_json::{Map, Value, json};
use text::attributes::key_prefix;
use text::cjk::{bigrams, is_cjk};
use text::dictionary::Dictionary;
use text::projection::{ActiveDocument, DocumentState, Projection, WeightedWords};

use crate::schema::{BEFORE_WEIGHT, field, state};

/// The character before the first level.
const NO_WEIGHT: u8 = b'@';

/// The document that holds a projection, in an index that was made at `made`. Only documents of active products have
/// anything to find.
pub(crate) fn document(record: &Record, projection: &Projection<'_>, made: i64) -> Value {
    let mut document = Map::new();
    document.insert(field::ID.to_owned(), projection.id.as_str().into());
    document.insert(field::MADE.to_owned(), made.into());
    // JSON has no whole numbers above 2^63 that every reader keeps.
    document.insert(field::PRINT.to_owned(), format!("{:016x}", projection.fields_hash()).into());
    if let Record::Deleted(tombstone) = record {
        document.insert(field::DELETED_AT.to_owned(), tombstone.deleted_at.as_millisecond().into());
    }
    let state = match &projection.state {
        DocumentState::Deleted => state::DELETED,
        DocumentState::Hidden => state::HIDDEN,
        DocumentState::Active(active) => {
            add_active(&mut document, active);
            state::ACTIVE
        }
    };
    document.insert(field::STATE.to_owned(), state.into());
    document.into()
}

fn add_active(document: &mut Map<String, Value>, active: &ActiveDocument<'_>) {
    let mut add = |name: &str, value: Value| document.insert(name.to_owned(), value);
    add(field::PRODUCT, active.json.as_str().into());
    if let Some(brand) = active.brand {
        add(field::BRAND, brand.into());
    }
    add(field::CATEGORY, active.categories.iter().map(String::as_str).collect());
    add(field::TAGS, active.tags.iter().copied().collect());
    add(field::ATTRIBUTES, active.attributes.iter().map(String::as_str).collect());
    add(field::NUMBERS, active.numbers.iter().map(|(key, order)| number_term(key, *order)).collect());
    if let Some(price) = active.price {
        add(field::PRICE, json!({ price.currency().code(): price.minor_units() }));
    }
    add(field::IN_STOCK, active.in_stock.into());
    add(field::CREATED_AT, active.created_at_ms.into());
    add(field::NAME, active.name_key.as_str().into());
    add(field::RUNS, active.cjk_runs.iter().map(|run| bigrams(run).collect::<Vec<_>>().join(" ")).collect());
    add_words(document, &active.words);
}

fn add_words(document: &mut Map<String, Value>, leveled: &WeightedWords) {
    let (mut words, mut beginnings) = (String::new(), String::new());
    for (dictionary, word, weight) in leveled.iter() {
        // As the analyser of the field reads it.
        words.push_str(&format!("{}{BEFORE_WEIGHT}{weight} ", word_term(dictionary, word)));
        // Only words that end where everybody knows it are looked for by their beginnings.
        if matches!(dictionary, Dictionary::Words | Dictionary::Codes) && !is_cjk(word) {
            beginnings.push_str(&format!("{} ", beginning_term(weight, word)));
        }
    }
    document.insert(field::WORDS.to_owned(), words.into());
    document.insert(field::BEGINNINGS.to_owned(), beginnings.into());
}

/// A word as a term: the letter of its dictionary, then the word. Since the first letter is never the word's own, typos
/// are also looked for in that, which OpenSearch does not do in the first letter of a term.
pub(crate) fn word_term(dictionary: Dictionary, word: &str) -> String {
    let letter = match dictionary {
        Dictionary::Words => 'w',
        Dictionary::Codes => 'c',
        Dictionary::Pairs => 'p',
        Dictionary::Stems => 's',
    };
    format!("{letter}{word}")
}

/// A word as a term that is found by its beginning: its level as one character, then the word. So beginnings of words of
/// one level are the beginnings of terms.
pub(crate) fn beginning_term(weight: u8, word: &str) -> String {
    format!("{}{word}", char::from(NO_WEIGHT + weight))
}

/// A number as a term: the key, then digits that compare as the numbers do, see [`text::attributes::number_sort_key`].
pub(crate) fn number_term(key: &str, order: u64) -> String {
    format!("{}{order:016x}", key_prefix(key))
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
    use text::weights::MAX_WEIGHT;

    #[test]
    fn a_level_is_one_letter() {
        let letters: BTreeSet<String> = (1..=MAX_WEIGHT).map(|weight| beginning_term(weight, "")).collect();
        assert_eq!(letters.len(), usize::from(MAX_WEIGHT));
        assert!(letters.iter().all(|letter| letter.len() == 1 && !letter.contains(char::is_whitespace)));
    }

    #[test]
    fn each_word_stands_behind_its_dictionary_and_its_level() {
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
        assert!(terms(field::BEGINNINGS).iter().all(|term| ["desk", "a1"].contains(&&term[1..])));
        assert_eq!(document[field::RUNS], json!(["東京 京都"]));
    }
}
