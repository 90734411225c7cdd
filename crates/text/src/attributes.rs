//! How attributes stand in an index: all keys in one field, as terms that begin with the key. However many keys
//! there are, the schema stays as it is.

use domain::AttributeValue;
use sha2::{Digest, Sha256};

/// Ends the key in the terms of attributes; keys and values cannot contain it.
const SEPARATOR: char = '\0';
/// Values up to this many bytes stand in the dictionary as they are.
const MAX_VALUE_BYTES: usize = 200;

/// What the terms of a key begin with.
pub fn key_prefix(key: &str) -> String {
    format!("{key}{SEPARATOR}")
}

/// The first bytes behind everything that begins with the prefix of a key.
pub fn prefix_end(prefix: &str) -> Vec<u8> {
    let mut after = prefix.as_bytes().to_vec();
    if let Some(last) = after.last_mut() {
        *last += 1;
    }
    after
}

/// The value of an attribute in the dictionary: `key NUL value`; of a long value the beginning, NUL and a hash,
/// so that two values are equal only when their terms are.
pub fn attribute_term(key: &str, value: &str) -> String {
    if value.len() <= MAX_VALUE_BYTES {
        return format!("{key}{SEPARATOR}{value}");
    }
    let hash = Sha256::digest(value.as_bytes());
    let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{key}{SEPARATOR}{}{SEPARATOR}{hash}", truncated(value))
}

/// As much of a value as stands in the dictionary.
pub fn truncated(value: &str) -> &str {
    &value[..value.floor_char_boundary(MAX_VALUE_BYTES)]
}

/// The beginning of the long value that a value taken from the dictionary, without its key, stands for; none when
/// it stands for itself.
pub fn truncated_part(value: &str) -> Option<&str> {
    value.split_once(SEPARATOR).map(|(beginning, _)| beginning)
}

/// The long value of an attribute that a cut one, taken from the dictionary, stands for.
pub fn full_value(key: &str, cut: &str, attribute: Option<&AttributeValue>) -> Option<String> {
    let term = key_prefix(key) + cut;
    let mut values = attribute.into_iter().flat_map(AttributeValue::facet_values);
    values.find(|value| attribute_term(key, value) == term).map(std::borrow::Cow::into_owned)
}

/// Eight bytes that compare as the numbers do; 0 and -0 are one.
pub fn number_sort_key(number: f64) -> u64 {
    // Adding zero makes -0 and 0 the same.
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// The number that [`number_sort_key`] made these bytes of.
pub fn number_from_sort_key(order: u64) -> f64 {
    f64::from_bits(if order >> 63 == 1 { order & !(1 << 63) } else { !order })
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
        fn the_order_of_a_number_tells_it(a in any::<f64>()) {
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
