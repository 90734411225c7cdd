//! The keys by which products are ordered, the same in every index.

use domain::search::{Criterion, Direction, Sort, SortKey};
use domain::{AttributeValue, Currency, Product};

use crate::attributes::{attribute_term, key_prefix, number_sort_key};

/// Precedes the key of a number.
pub const NUMBER_PREFIX: char = '0';
/// Precedes the key of a text. Texts come after numbers.
pub const TEXT_PREFIX: char = '1';

/// Returns the key of a product with this score in an order, as cursors carry it; `None` for a product without a value there, such
/// as a price in `currency`. In an order by name it is the name, which an index compares by its
/// [collation](crate::collation::Collation).
pub fn sort_key(sort: &Sort, product: &Product, score: f32, currency: Currency) -> Option<SortKey> {
    match sort.criterion() {
        Criterion::Score => Some(SortKey::Score(score.to_bits())),
        Criterion::Price(_) => {
            let price = product.content.price.filter(|price| price.currency() == currency);
            price.map(|price| SortKey::Number(price.minor_units()))
        }
        Criterion::CreatedAt(_) => Some(SortKey::Number(product.created_at.as_millisecond())),
        Criterion::Name => Some(SortKey::Text(product.content.name.clone())),
        Criterion::Attribute(key, direction) => {
            let value = product.content.attributes.get(key)?;
            attribute_sort_key(key, value, direction).map(SortKey::Text)
        }
    }
}

/// Returns the key of an attribute in the order of its values; `None` for an empty list.
fn attribute_sort_key(key: &str, value: &AttributeValue, direction: Direction) -> Option<String> {
    if let Some(number) = value.as_number() {
        return Some(number_key(number_sort_key(number)));
    }
    let prefix = key_prefix(key);
    let keys = value.facet_values().map(|text| text_key(&attribute_term(key, &text)[prefix.len()..]));
    match direction {
        Direction::Ascending => keys.min(),
        Direction::Descending => keys.max(),
    }
}

/// Returns the key of a number, given its [`number_sort_key`].
pub fn number_key(number: u64) -> String {
    format!("{NUMBER_PREFIX}{number:016x}")
}

/// Returns the key of a text, given its [`attribute_term`] without the key of the attribute.
pub fn text_key(term: &str) -> String {
    format!("{TEXT_PREFIX}{term}")
}

/// A key of an attribute, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeKey<'a> {
    /// The [`number_sort_key`] of a number.
    Number(u64),
    /// The [`attribute_term`] of a text, without the key of the attribute.
    Text(&'a str),
}

impl<'a> AttributeKey<'a> {
    /// Decodes a key; `None` for a text that is not a key.
    pub fn decode(key: &'a str) -> Option<Self> {
        match (key.strip_prefix(NUMBER_PREFIX), key.strip_prefix(TEXT_PREFIX)) {
            (Some(digits), _) => u64::from_str_radix(digits, 16).ok().map(Self::Number),
            (_, text) => text.map(Self::Text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::input::read_product;

    fn key(json: &str, sort: &str) -> Option<String> {
        let body = format!(r#"{{"name":"x","attributes":{{"a":{json}}}}}"#);
        let content = read_product(body.as_bytes(), Currency::USD).unwrap().content;
        let sort = Sort::parse(sort).unwrap();
        let Sort::Attribute { key, direction } = &sort else { panic!("{sort:?}") };
        content.attributes.get(key).and_then(|value| attribute_sort_key(key, value, *direction))
    }

    #[test]
    fn numbers_come_before_texts_and_the_first_of_a_list_counts() {
        let ascending =
            ["-2.5", "3", "10", "true", r#""10""#, r#""2026-01-31""#, r#"["z","3","x"]"#, r#""b""#];
        let mut keys: Vec<String> = ascending.iter().filter_map(|json| key(json, "attributes.a")).collect();
        assert_eq!(keys.len(), ascending.len());
        let flag = keys.remove(3);
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(flag, "1true");
        assert_eq!(key(r#"["z","3","x"]"#, "attributes.a_desc").as_deref(), Some("1z"));
        assert_eq!((key("[]", "attributes.a"), key("1", "attributes.b")), (None, None));
    }

    #[test]
    fn a_key_can_be_decoded() {
        let number = number_sort_key(-1.5);
        assert_eq!(AttributeKey::decode(&number_key(number)), Some(AttributeKey::Number(number)));
        assert_eq!(AttributeKey::decode(&text_key("")), Some(AttributeKey::Text("")));
        for none in ["", "0", "0x", "2", "é"] {
            assert_eq!(AttributeKey::decode(none), None, "{none}");
        }
    }
}
