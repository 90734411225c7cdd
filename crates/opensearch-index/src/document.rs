//! From a change to the document that OpenSearch indexes.

use std::collections::BTreeSet;

use domain::search::{is_searchable, name_sort_key};
use domain::{Change, Content, Product};
use serde_json::{Map, Value, json};
use text::attributes::{attribute_term, key_prefix, number_order};
use text::dictionary::Dictionary;
use text::runs::{each_run, is_run, pairs};
use text::weights::Weigher;

use crate::schema::{BEFORE_LEVEL, field, state};

/// The character before the first level.
const NO_LEVEL: u8 = b'@';

/// The document that holds what the change leaves. Only documents of active products have anything to find.
pub(crate) fn document(
    change: &Change,
    made: i64,
    weigher: &mut Weigher,
) -> Result<Value, serde_json::Error> {
    let mut document = Map::new();
    document.insert(field::ID.to_owned(), change.id().as_str().into());
    document.insert(field::MADE.to_owned(), made.into());
    let state = match change.product() {
        None => {
            document.insert(field::DELETED_AT.to_owned(), change.at().as_millisecond().into());
            state::DELETED
        }
        Some(product) if !is_searchable(product) => state::HIDDEN,
        Some(product) => {
            add_product(&mut document, product, weigher)?;
            state::ACTIVE
        }
    };
    document.insert(field::STATE.to_owned(), state.into());
    Ok(document.into())
}

fn add_product(
    document: &mut Map<String, Value>,
    product: &Product,
    weigher: &mut Weigher,
) -> Result<(), serde_json::Error> {
    let content = &product.content;
    let mut add = |name: &str, value: Value| document.insert(name.to_owned(), value);
    add(field::PRODUCT, serde_json::to_string(product)?.into());
    if let Some(brand) = &content.brand {
        add(field::BRAND, brand.as_str().into());
    }
    if let Some(category) = &content.category {
        add(field::CATEGORY, category.with_ancestors().collect());
    }
    add(field::TAGS, content.tags.iter().map(String::as_str).collect());
    let (mut values, mut numbers) = (BTreeSet::new(), Vec::new());
    for (key, value) in &content.attributes {
        values.extend(value.facet_values().map(|text| attribute_term(key, &text)));
        numbers.extend(value.as_number().map(|number| number_term(key, number)));
    }
    add(field::ATTRIBUTES, values.into_iter().collect());
    add(field::NUMBERS, numbers.into_iter().collect());
    if let Some(price) = content.price {
        add(field::PRICE, json!({ price.currency().code(): price.minor_units() }));
    }
    add(field::IN_STOCK, content.stock.is_some_and(|pieces| pieces > 0).into());
    add(field::CREATED_AT, product.created_at.as_millisecond().into());
    add(field::NAME, name_sort_key(&content.name).into());
    add_words(document, content, weigher);
    Ok(())
}

fn add_words(document: &mut Map<String, Value>, content: &Content, weigher: &mut Weigher) {
    let (mut words, mut beginnings) = (String::new(), String::new());
    weigher.weigh(content, |dictionary, word, level| {
        // As the analyser of the field reads it.
        words.push_str(&format!("{}{BEFORE_LEVEL}{level} ", word_term(dictionary, word)));
        // Only words that end where everybody knows it are looked for by their beginnings.
        if matches!(dictionary, Dictionary::Words | Dictionary::Codes) && !is_run(word) {
            beginnings.push_str(&format!("{} ", beginning_term(level, word)));
        }
    });
    let mut runs = Vec::new();
    each_run(content, |run| runs.push(pairs(run).collect::<Vec<_>>().join(" ")));
    document.insert(field::WORDS.to_owned(), words.into());
    document.insert(field::BEGINNINGS.to_owned(), beginnings.into());
    document.insert(field::RUNS.to_owned(), runs.into());
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
pub(crate) fn beginning_term(level: u8, word: &str) -> String {
    format!("{}{word}", char::from(NO_LEVEL + level))
}

/// A number as a term: the key, then digits that compare as the numbers do.
pub(crate) fn number_term(key: &str, number: f64) -> String {
    format!("{}{:016x}", key_prefix(key), number_order(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::input::read_product;
    use domain::{Currency, Language};
    use text::weights::MAX_LEVEL;

    #[test]
    fn a_level_is_one_letter() {
        let letters: BTreeSet<String> = (1..=MAX_LEVEL).map(|level| beginning_term(level, "")).collect();
        assert_eq!(letters.len(), usize::from(MAX_LEVEL));
        assert!(letters.iter().all(|letter| letter.len() == 1 && !letter.contains(char::is_whitespace)));
    }

    #[test]
    fn each_word_stands_behind_its_dictionary_and_its_level() {
        let content = read_product(r#"{"name":"Desk 東京都 a1"}"#.as_bytes(), Currency::USD).unwrap().content;
        let mut document = Map::new();
        add_words(&mut document, &content, &mut Weigher::new(Language::English));
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
