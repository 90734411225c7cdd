//! Bounded numbers of a workload.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The error for a text that is no number in the range of a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from {} to {}{}", grouped(*.min), grouped(*.max), .hint)]
pub struct QuantityError {
    min: u64,
    max: u64,
    hint: &'static str,
}

/// Defines a quantity: a whole number within bounds.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $min:expr, $max:expr, $hint:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
        #[serde(try_from = "u64")]
        pub struct $name(u64);

        impl $name {
            /// Creates the quantity.
            ///
            /// # Errors
            /// Fails if the number is out of bounds.
            pub fn new(number: u64) -> Result<Self, QuantityError> {
                let is_inside = ($min..=$max).contains(&number);
                is_inside.then_some(Self(number)).ok_or(QuantityError { min: $min, max: $max, hint: $hint })
            }

            /// Returns the number.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        /// Reads digits, which underscores may group. `k` and `M` stand for a thousand and a million.
        impl FromStr for $name {
            type Err = QuantityError;
            fn from_str(text: &str) -> Result<Self, QuantityError> {
                let error = QuantityError { min: $min, max: $max, hint: $hint };
                parse(text).ok_or(error).and_then(Self::new)
            }
        }

        /// Writes the number with commas between thousands.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&grouped(self.0))
            }
        }

        impl TryFrom<u64> for $name {
            type Error = QuantityError;
            fn try_from(number: u64) -> Result<Self, QuantityError> {
                Self::new(number)
            }
        }

        impl From<$name> for Decimal {
            fn from(quantity: $name) -> Self {
                Self::from(quantity.0)
            }
        }
    };
}

const COUNT_HINT: &str = ", such as 50000, 50k or 2M";

quantity!(
    /// A number of products.
    Products, 0, 10_000_000_000, COUNT_HINT
);
quantity!(
    /// A number of events a month.
    Monthly, 0, 100_000_000_000, COUNT_HINT
);
quantity!(
    /// Memory of a function, within the limits of Lambda.
    Megabytes, 128, 10_240, ""
);
quantity!(
    /// Duration of a request in a function, within the limits of Lambda.
    Milliseconds, 1, 900_000, ""
);

fn parse(text: &str) -> Option<u64> {
    let (digits, factor) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1_000),
        None => text.strip_suffix('M').map_or((text, 1), |digits| (digits, 1_000_000)),
    };
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '_');
    let number: u64 = is_number.then(|| digits.replace('_', ""))?.parse().ok()?;
    number.checked_mul(factor)
}

/// Formats a number with commas between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_read_from_digits_and_a_suffix() {
        for (text, number) in
            [("0", 0), ("50000", 50_000), ("1_000_000", 1_000_000), ("50k", 50_000), ("2M", 2_000_000)]
        {
            assert_eq!(text.parse::<Monthly>().map(Monthly::get), Ok(number), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_or_out_of_bounds_is_an_error_that_says_the_bounds() {
        for text in
            ["", "-1", "+1", "1.5", "1e6", "k", "_1", "1m", "1,000", "100000000001", "99999999999999M"]
        {
            let error = text.parse::<Monthly>().unwrap_err().to_string();
            assert_eq!(
                error, "must be a whole number from 0 to 100,000,000,000, such as 50000, 50k or 2M",
                "{text}"
            );
        }
        let error = "64".parse::<Megabytes>().unwrap_err().to_string();
        assert_eq!(error, "must be a whole number from 128 to 10,240");
        assert!("0".parse::<Milliseconds>().is_err() && "900001".parse::<Milliseconds>().is_err());
    }
}
