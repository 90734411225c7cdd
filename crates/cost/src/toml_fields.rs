//! Values of a file of prices.

use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::dollars::Dollars;

/// The highest price. Above it, an amount might not fit a decimal number.
const MAX_PRICE: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);
/// Decimals that a price may have.
const MAX_DECIMALS: u32 = 12;

/// The price of one unit, such as an hour or a GB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Price(Decimal);

impl Price {
    /// Returns the amount for a number of units.
    pub(crate) fn times(self, units: Decimal) -> Dollars {
        Dollars::new(self.0 * units)
    }
}

/// Writes the price with at least two decimals.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut price = self.0.normalize();
        price.rescale(price.scale().max(2));
        price.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(PriceVisitor)
    }
}

struct PriceVisitor;

impl Visitor<'_> for PriceVisitor {
    type Value = Price;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a decimal number from 0 to {MAX_PRICE} in quotation marks, such as \"0.20\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Price, E> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let price = is_plain.then(|| Decimal::from_str_exact(text).ok()).flatten();
        price
            .filter(|price| *price <= MAX_PRICE && price.scale() <= MAX_DECIMALS)
            .map(Price)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// The price of a million units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct MillionPrice(Price);

impl MillionPrice {
    /// Returns the amount for a number of units.
    pub(crate) fn times(self, units: Decimal) -> Dollars {
        self.0.times(units / Decimal::from(1_000_000))
    }
}

impl fmt::Display for MillionPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Returns the GB of a number of things of a size.
pub(crate) fn gigabytes(number: Decimal, bytes: u32) -> Decimal {
    number * Decimal::from(bytes) / Decimal::from(1_000_000_000)
}
