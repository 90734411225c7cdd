//! From a change to the document that OpenSearch indexes.

use std::collections::BTreeSet;

use domain::search::{is_searchable, name_sort_key};
use domain::{Change, Content, Language, Product};
use serde_json::{Map, Value, json};
use text::analysis::{self, Purpose, joined};
use text::attributes::{attribute_term, key_prefix, number_order};
use text::dictionary::Dictionary;
use text::product::{Part, each_text};
use text::runs::{each_run, pairs as pairs_of_run};
use text::weights::Weigher;

use crate::schema::{BEFORE_LEVEL, field, state};

/// The document that holds what the change leaves. Only documents of active products have anything to find.
pub(crate) fn document(change: &Change, made: i64, language: Language) -> Result<Value, serde_json::Error> {
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
            add_product(&mut document, product, language)?;
            state::ACTIVE
        }
    };
    document.insert(field::STATE.to_owned(), state.into());
    Ok(document.into())
}

fn add_product(
    document: &mut Map<String, Value>,
    product: &Product,
    language: Language,
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
    add_words(document, content, language);
    Ok(())
}

fn add_words(document: &mut Map<String, Value>, content: &Content, language: Language) {
    let [mut words, mut codes, mut pairs, mut stems] = [const { String::new() }; 4];
    Weigher::new(language).weigh(content, |dictionary, word, level| {
        let list = match dictionary {
            Dictionary::Words => &mut words,
            Dictionary::Codes => &mut codes,
            Dictionary::Pairs => &mut pairs,
            Dictionary::Stems => &mut stems,
        };
        // As the analyser of the field reads it.
        list.push_str(word);
        list.push(BEFORE_LEVEL);
        list.push_str(&level.to_string());
        list.push(' ');
    });
    let mut names = BTreeSet::new();
    each_text(content, |text, part| {
        if matches!(part, Part::Name | Part::Code) {
            analysis::words(text, Purpose::Document, |word, _| {
                names.insert(word.to_owned());
            });
        }
    });
    names.extend(content.sku.as_deref().map(joined));
    let names: Vec<String> = names.into_iter().collect();
    let mut runs = Vec::new();
    each_run(content, |run| runs.push(pairs_of_run(run).collect::<Vec<_>>().join(" ")));
    document.insert(field::RUNS.to_owned(), runs.into());
    document.insert(field::WORDS.to_owned(), words.into());
    document.insert(field::CODES.to_owned(), codes.into());
    document.insert(field::PAIRS.to_owned(), pairs.into());
    document.insert(field::STEMS.to_owned(), stems.into());
    document.insert(field::NAME_WORDS.to_owned(), names.join(" ").into());
}

/// A number as a term: the key, then digits that compare as the numbers do.
pub(crate) fn number_term(key: &str, number: f64) -> String {
    format!("{}{:016x}", key_prefix(key), number_order(number))
}
