//! The encodings of values in columns.

use domain::Currency;
use text::attributes::key_prefix;

/// Returns the term of a numeric attribute: `key NUL`, then 8 bytes that compare as the numbers do, see
/// [`text::attributes::number_sort_key`].
pub(crate) fn number_term(key: &str, order: u64) -> Vec<u8> {
    let mut term = key_prefix(key).into_bytes();
    term.extend_from_slice(&order.to_be_bytes());
    term
}

/// Returns the letters of the currency's code as one number.
pub(crate) fn currency_number(currency: Currency) -> u64 {
    currency.code().bytes().fold(0, |number, letter| number << 8 | u64::from(letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use text::attributes::number_sort_key;

    proptest! {
        #[test]
        fn number_terms_compare_as_numbers(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            let term = |number| number_term("k", number_sort_key(number));
            prop_assert_eq!(term(a).cmp(&term(b)), a.partial_cmp(&b).unwrap());
        }
    }
}
