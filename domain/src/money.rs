//! Exact money: integer minor units in memory, a decimal number on the wire, never a float.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest amount in minor units. It is below 2^53, so that a JavaScript client reads it exactly.
pub const MAX_MINOR_UNITS: i64 = 999_999_999_999_999;

/// A currency of ISO 4217 with minor units.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

/// The error for a text that is not a valid amount, currency or range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a three-letter code of ISO 4217.
    #[error("`{0}` is not a currency of ISO 4217; write three capital letters such as USD, EUR or JPY")]
    UnknownCurrency(String),
    /// Not a decimal number.
    #[error("must be a decimal number such as 19.99")]
    NotANumber,
    /// A negative amount.
    #[error("must not be negative")]
    Negative,
    /// More decimals than the currency has.
    #[error("has more than the {allowed} decimals that {currency} has")]
    TooManyDecimals {
        /// The number of decimals of the currency.
        allowed: u32,
        /// The currency.
        currency: Currency,
    },
    /// Above [`MAX_MINOR_UNITS`].
    #[error("must be at most {}", Money { minor_units: MAX_MINOR_UNITS, currency: *.currency })]
    TooLarge {
        /// The currency.
        currency: Currency,
    },
    /// A range not of the form `min-max`, `min-` or `-max`.
    #[error("must be `min-max`, `min-` or `-max`, such as 100-200")]
    NotARange,
    /// A range whose lower end is above its upper end.
    #[error("has its lower end above its upper end; swap them")]
    EmptyRange,
}

impl Currency {
    /// The US dollar, the default currency of a catalogue.
    pub const USD: Self = Self(iso_currency::Currency::USD);

    /// Returns the currency of a three-letter code in capitals.
    ///
    /// # Errors
    /// Fails with [`MoneyError::UnknownCurrency`].
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
            .ok_or_else(|| MoneyError::UnknownCurrency(code.chars().take(20).collect()))
    }

    /// Returns the three-letter code in capitals.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Returns the number of decimals: 2 for USD, 0 for JPY, 3 for KWD.
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Self, MoneyError> {
        Self::parse(code)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&code).map_err(serde::de::Error::custom)
    }
}

/// A non-negative amount in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor_units: i64,
    currency: Currency,
}

impl Money {
    /// Creates an amount from minor units (cents).
    ///
    /// # Errors
    /// Fails unless the amount is from 0 to [`MAX_MINOR_UNITS`].
    pub fn from_minor_units(minor_units: i64, currency: Currency) -> Result<Self, MoneyError> {
        match minor_units {
            ..0 => Err(MoneyError::Negative),
            0..=MAX_MINOR_UNITS => Ok(Self { minor_units, currency }),
            _ => Err(MoneyError::TooLarge { currency }),
        }
    }

    /// Parses a decimal number in JSON syntax (`19.99`, `2e3`). Trailing zeros do not count as decimals.
    ///
    /// # Errors
    /// Fails if the text is not a number, or the amount is negative, too large, or has more decimals than the currency.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        if !is_json_number(text) {
            return Err(MoneyError::NotANumber);
        }
        let decimal = match text.contains(['e', 'E']) {
            true => Decimal::from_scientific(text),
            false => Decimal::from_str_exact(text),
        };
        let decimal = match decimal {
            Ok(decimal) => decimal.normalize(),
            Err(_) => return Err(fault_of_unrepresentable(text, currency)),
        };
        if decimal.is_sign_negative() && !decimal.is_zero() {
            return Err(MoneyError::Negative);
        }
        if decimal.scale() > currency.decimals() {
            return Err(MoneyError::TooManyDecimals { allowed: currency.decimals(), currency });
        }
        decimal
            .checked_mul(Decimal::from(10_u64.pow(currency.decimals())))
            .and_then(|minor| minor.to_i64())
            .ok_or(MoneyError::TooLarge { currency })
            .and_then(|minor| Self::from_minor_units(minor, currency))
    }

    /// Returns the amount in minor units: cents for USD, yen for JPY.
    pub fn minor_units(self) -> i64 {
        self.minor_units
    }

    /// Returns the currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// Returns the exact JSON number that [`Money::parse`] reads back.
    pub fn to_json_number(self) -> Box<serde_json::value::RawValue> {
        serde_json::value::RawValue::from_string(self.to_string())
            .unwrap_or_else(|_| unreachable!("a decimal number is valid JSON"))
    }
}

/// Returns true for a number in JSON syntax; leading zeros are allowed as well. `Decimal` accepts more, such as `1_000`.
fn is_json_number(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole.strip_prefix('-').unwrap_or(whole))
        && digits(fraction)
        && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

/// Returns the error for a number that does not fit a `Decimal`: too many decimals, or too large.
fn fault_of_unrepresentable(text: &str, currency: Currency) -> MoneyError {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let whole = mantissa.split('.').next().unwrap_or_default();
    if whole.starts_with('-') {
        MoneyError::Negative
    } else if exponent.starts_with('-') || (whole.len() < 17 && exponent == "0") {
        MoneyError::TooManyDecimals { allowed: currency.decimals(), currency }
    } else {
        MoneyError::TooLarge { currency }
    }
}

/// Writes the decimal number without the currency: `19.90`, `1200`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.currency.decimals() as usize;
        let scale = 10_i64.pow(self.currency.decimals());
        match decimals {
            0 => write!(f, "{}", self.minor_units),
            _ => write!(f, "{}.{:0decimals$}", self.minor_units / scale, self.minor_units % scale),
        }
    }
}

/// A range of prices in one currency. Both ends are inclusive; at most one is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceRange {
    /// The lowest price in minor units; `None` if unbounded.
    pub min: Option<i64>,
    /// The highest price in minor units; `None` if unbounded.
    pub max: Option<i64>,
}

impl PriceRange {
    /// Parses `min-max`, `min-` or `-max` in decimal numbers of `currency`.
    ///
    /// # Errors
    /// Fails if the text has another form, a number is invalid, or the lower end is above the upper end.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let end = |digits: &str| match digits.trim() {
            "" => Ok(None),
            digits if digits.contains(['e', 'E', '+']) => Err(MoneyError::NotARange),
            digits => Money::parse(digits, currency).map(|money| Some(money.minor_units)),
        };
        let (min, max) = text.split_once('-').ok_or(MoneyError::NotARange)?;
        let not_a_range = |error| match error {
            MoneyError::NotANumber | MoneyError::Negative => MoneyError::NotARange,
            other => other,
        };
        match (end(min).map_err(not_a_range)?, end(max).map_err(not_a_range)?) {
            (None, None) => Err(MoneyError::NotARange),
            (Some(min), Some(max)) if min > max => Err(MoneyError::EmptyRange),
            (min, max) => Ok(Self { min, max }),
        }
    }

    /// Returns true if a price in minor units is in the range.
    pub fn contains(&self, minor_units: i64) -> bool {
        self.min.is_none_or(|min| min <= minor_units) && self.max.is_none_or(|max| minor_units <= max)
    }

    /// Returns the text that [`PriceRange::parse`] reads back.
    pub fn display(&self, currency: Currency) -> String {
        let end = |minor: Option<i64>| {
            minor.map(|minor_units| Money { minor_units, currency }.to_string()).unwrap_or_default()
        };
        format!("{}-{}", end(self.min), end(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency() -> impl Strategy<Value = Currency> {
        prop::sample::select(vec!["USD", "EUR", "JPY", "KWD", "GBP"])
            .prop_map(|c| Currency::parse(c).unwrap())
    }

    proptest! {
        #[test]
        fn every_amount_survives_the_wire(minor in 0..=MAX_MINOR_UNITS, currency in currency()) {
            let money = Money::from_minor_units(minor, currency).unwrap();
            prop_assert_eq!(Money::parse(&money.to_string(), currency), Ok(money));
            prop_assert_eq!(Money::parse(money.to_json_number().get(), currency), Ok(money));
        }

        #[test]
        fn no_text_makes_parsing_panic_or_lose_digits(text in "[-+0-9.eE_ ]{0,12}|-?[0-9]{1,30}([.][0-9]{0,30})?", currency in currency()) {
            if let Ok(money) = Money::parse(&text, currency) {
                let exact = text.parse::<f64>().unwrap() * 10_f64.powi(currency.decimals() as i32);
                prop_assert!((exact - money.minor_units() as f64).abs() <= exact.abs() * 1e-12);
            }
        }

        #[test]
        fn a_price_range_reads_back_what_it_shows(
            a in 0..=MAX_MINOR_UNITS, b in prop::option::of(0..=MAX_MINOR_UNITS), currency in currency()
        ) {
            let range = PriceRange { min: Some(b.map_or(a, |b| a.min(b))), max: b.map(|b| a.max(b)) };
            prop_assert_eq!(PriceRange::parse(&range.display(currency), currency), Ok(range));
            prop_assert!(range.contains(range.min.unwrap()) && range.max.is_none_or(|max| range.contains(max)));
        }
    }

    #[test]
    fn faults_are_told_apart() {
        let usd = |text| Money::parse(text, Currency::USD);
        assert_eq!(usd("-0.01"), Err(MoneyError::Negative));
        assert!(matches!(usd("1.999"), Err(MoneyError::TooManyDecimals { allowed: 2, .. })));
        assert!(matches!(
            usd("0.0000000000000000000000000000000000001"),
            Err(MoneyError::TooManyDecimals { .. })
        ));
        assert!(matches!(usd("1e400"), Err(MoneyError::TooLarge { .. })));
        assert!(matches!(usd("99999999999999999999999999999999999999"), Err(MoneyError::TooLarge { .. })));
        for text in ["12,50", "", "-", "1_000", ".5", "5.", "+5", "0E-+0", "1e", "0x10", "NaN", " 1"] {
            assert_eq!(usd(text), Err(MoneyError::NotANumber), "{text}");
        }
        assert_eq!(usd("19.900").unwrap().minor_units(), 1990);
        assert_eq!(usd("2e3").unwrap().minor_units(), 200_000);
        assert!(matches!(Currency::parse("XYZ"), Err(MoneyError::UnknownCurrency(_))));
        assert!(matches!(Currency::parse("usd"), Err(MoneyError::UnknownCurrency(_))));
    }

    #[test]
    fn invalid_ranges_are_rejected() {
        let range = |text| PriceRange::parse(text, Currency::USD);
        assert_eq!(range("abc"), Err(MoneyError::NotARange));
        assert_eq!(range("-"), Err(MoneyError::NotARange));
        assert_eq!(range("9-1"), Err(MoneyError::EmptyRange));
        assert_eq!(range("1-2-3"), Err(MoneyError::NotARange));
        assert_eq!(range("-50"), Ok(PriceRange { min: None, max: Some(5000) }));
        assert_eq!(range("10.5-"), Ok(PriceRange { min: Some(1050), max: None }));
    }
}
