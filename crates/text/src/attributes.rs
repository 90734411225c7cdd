//! The index terms of attributes: all keys share one field, whose terms begin with the key, so the schema does not grow with
//! the number of keys.

use domain::AttributeValue;
use sha2::{Digest, Sha256};

/// Separates the key from the value in a term; neither can contain it.
const SEPARATOR: &str = "\0";
/// The longest value, in bytes, that is indexed in full.
const MAX_VALUE_BYTES: usize = 200;

/// Returns the prefix of all terms of a key.
pub fn key_prefix(key: &str) -> String {
    format!("{key}{SEPARATOR}")
}

/// Returns the key under which the dates of an attribute are numbers: milliseconds since 1970. No attribute has this key, because
/// keys contain no control characters.
pub fn date_key(key: &str) -> String {
    format!("{key}\u{1}")
}

/// Returns the smallest term above all terms with the prefix of a key: the exclusive end of their range.
pub fn prefix_end(prefix: &str) -> Vec<u8> {
    let mut after = prefix.as_bytes().to_vec();
    if let Some(last) = after.last_mut() {
        *last += 1;
    }
    after
}

/// Returns the term of a value in the form of [`facet_text`](domain::search::facet_text): `key NUL value`. A long value is
/// truncated and followed by NUL and a hash, so that terms are equal only if the values are.
pub fn attribute_term(key: &str, value: &str) -> String {
    if value.len() <= MAX_VALUE_BYTES {
        return [key, SEPARATOR, value].concat();
    }
    let hash = Sha256::digest(value.as_bytes());
    let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{key}{SEPARATOR}{}{SEPARATOR}{hash}", truncated(value))
}

/// Returns the part of a value that is indexed.
pub fn truncated(value: &str) -> &str {
    &value[..value.floor_char_boundary(MAX_VALUE_BYTES)]
}

/// Returns the kept part of a truncated value, given the term without its key; `None` if the value was not truncated.
pub fn truncated_part(value: &str) -> Option<&str> {
    value.split_once(SEPARATOR).map(|(part, _)| part)
}

/// Returns the full value of a truncated term: the value of `attribute` that has this term. `cut` is the term without its key.
pub fn full_value(key: &str, cut: &str, attribute: Option<&AttributeValue>) -> Option<String> {
    let term = key_prefix(key) + cut;
    let mut values = attribute.into_iter().flat_map(AttributeValue::facet_values);
    values.find(|value| attribute_term(key, value) == term).map(std::borrow::Cow::into_owned)
}

/// Maps a number to an integer that sorts like the number; 0 and -0 are equal.
pub fn number_sort_key(number: f64) -> u64 {
    // Adding zero turns -0 into 0.
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// Inverts [`number_sort_key`].
pub fn number_from_sort_key(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_values_keep_their_identity() {
        let long = "é".repeat(150);
        let other = format!("{long}x");
        assert_ne!(attribute_term("k", &long), attribute_term("k", &other));
        assert!(attribute_term("k", &long).len() < 250);
        let term = attribute_term("k", &long);
        let cut = term.strip_prefix("k\0").unwrap();
        assert_eq!(truncated_part(cut), Some(&long[..200]));
        assert_eq!(truncated_part(attribute_term("k", "short").strip_prefix("k\0").unwrap()), None);
        let list = AttributeValue::List(vec![other, long.clone()]);
        assert_eq!(full_value("k", cut, Some(&list)), Some(long));
        assert_eq!(full_value("k", cut, None), None);
    }

    proptest! {
        #[test]
        fn a_sort_key_gives_the_number_back(a in any::<f64>()) {
            prop_assume!(!a.is_nan());
            prop_assert_eq!(number_from_sort_key(number_sort_key(a)), a);
        }

        #[test]
        fn numbers_keep_their_order(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(number_sort_key(a).cmp(&number_sort_key(b)), a.partial_cmp(&b).unwrap());
        }
    }
}
