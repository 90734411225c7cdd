//! The guard of a synchronisation: the most products that it may delete.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The most products that may be deleted: a number, or a percentage of the products that could be deleted. The default is `20%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MaxDelete {
    /// A number of products.
    Products(u64),
    /// A percentage, 0 to 100.
    Percent(u8),
}

impl Default for MaxDelete {
    fn default() -> Self {
        Self::Percent(20)
    }
}

impl MaxDelete {
    /// Returns true if `deleted` of `all` products may be deleted.
    pub fn allows(self, deleted: u64, all: u64) -> bool {
        match self {
            Self::Products(max) => deleted <= max,
            Self::Percent(percent) => u128::from(deleted) * 100 <= u128::from(all) * u128::from(percent),
        }
    }
}

impl fmt::Display for MaxDelete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Products(max) => write!(f, "{max}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl FromStr for MaxDelete {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = "must be a percentage such as `20%`, or a number of products such as `500`";
        let digits = text.strip_suffix('%').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(fault);
        }
        match text.ends_with('%') {
            true => digits.parse().ok().filter(|percent| *percent <= 100).map(Self::Percent).ok_or(fault),
            false => digits.parse().map(Self::Products).map_err(|_| fault),
        }
    }
}

impl TryFrom<String> for MaxDelete {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MaxDelete> for String {
    fn from(max: MaxDelete) -> Self {
        max.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_a_percentage_or_a_number() {
        let max = |text: &str| text.parse::<MaxDelete>();
        assert_eq!(max("20%"), Ok(MaxDelete::default()));
        assert!(max("20%").unwrap().allows(20, 100) && !max("20%").unwrap().allows(21, 100));
        assert!(max("0%").unwrap().allows(0, 0) && !max("0").unwrap().allows(1, 1_000_000));
        assert!(max("100%").unwrap().allows(u64::MAX, u64::MAX) && max("500").unwrap().allows(500, 501));
        for text in ["", "%", "20 %", "-1", "101%", "1.5%", "+5", "99999999999999999999"] {
            assert!(max(text).is_err(), "{text}");
        }
        for text in ["7%", "500"] {
            assert_eq!(max(text).unwrap().to_string(), text);
        }
    }
}
