//! Amounts of money, exact until they are shown.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An amount in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Dollars(Decimal);

impl Dollars {
    pub(crate) const fn new(amount: Decimal) -> Self {
        Self(amount)
    }

    /// Returns the amount rounded to cents, half a cent up, with two decimals.
    pub fn cents(self) -> Decimal {
        let mut cents = self.0.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        cents.rescale(2);
        cents
    }
}

/// Writes the amount with two decimals.
impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cents().fmt(f)
    }
}

/// Writes a JSON number with two decimals.
impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl Add for Dollars {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sum for Dollars {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_cent_is_rounded_up_and_two_decimals_are_shown() {
        for (exact, shown) in [
            ("0", "0.00"),
            ("5", "5.00"),
            ("4.375", "4.38"),
            ("0.0049999999", "0.00"),
            ("160.00032", "160.00"),
        ] {
            let amount = Dollars::new(exact.parse().unwrap());
            assert_eq!(amount.to_string(), shown);
            assert_eq!(serde_json::to_string(&amount).unwrap(), shown);
        }
    }
}
