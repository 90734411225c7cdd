//! The currency that a price names by a code or a sign.

use domain::Currency;

/// The signs of currencies, longer ones first.
const SIGNS: [(&str, &[&str]); 17] = [
    ("€", &["EUR"]),
    ("£", &["GBP"]),
    ("₹", &["INR"]),
    ("₽", &["RUB"]),
    ("₩", &["KRW"]),
    ("₺", &["TRY"]),
    ("₴", &["UAH"]),
    ("฿", &["THB"]),
    ("₫", &["VND"]),
    ("₪", &["ILS"]),
    ("₱", &["PHP"]),
    ("₦", &["NGN"]),
    ("₸", &["KZT"]),
    ("₡", &["CRC"]),
    ("₲", &["PYG"]),
    ("¥", &["JPY", "CNY"]),
    (
        "$",
        &[
            "USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP", "BRL", "BBD", "BMD",
            "BND", "BSD", "BZD", "FJD", "GYD", "JMD", "KYD", "LRD", "NAD", "SBD", "SRD", "TTD", "UYU", "XCD",
        ],
    ),
];

/// The currency that a price names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedCurrency {
    One(Currency),
    /// A sign of several currencies, with their codes.
    Several(&'static str, &'static [&'static str]),
}

impl NamedCurrency {
    /// Returns true if this may stand for `currency`.
    pub(crate) fn fits(self, currency: Currency) -> bool {
        match self {
            Self::One(one) => one == currency,
            Self::Several(_, codes) => codes.contains(&currency.code()),
        }
    }
}

/// Returns true for the sign of a currency.
pub(super) fn is_sign(c: char) -> bool {
    let mut buffer = [0; 4];
    let text: &str = c.encode_utf8(&mut buffer);
    SIGNS.iter().any(|(sign, _)| *sign == text)
}

/// Returns the currency that a price names: `19.99 USD`, `EUR 5`, `5 €`, `$5`.
pub(crate) fn currency_in(text: &str) -> Option<NamedCurrency> {
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() == 3);
    if let Some(code) = words.find_map(|word| Currency::parse(&word.to_ascii_uppercase()).ok()) {
        return Some(NamedCurrency::One(code));
    }
    let (sign, codes) = SIGNS.into_iter().find(|(sign, _)| text.contains(sign))?;
    match codes {
        [code] => Currency::parse(code).ok().map(NamedCurrency::One),
        _ => Some(NamedCurrency::Several(sign, codes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_may_name_its_currency() {
        let one = |code: &str| Currency::parse(code).ok().map(NamedCurrency::One);
        for (text, code) in [("19.99 USD", "USD"), ("5,00 €", "EUR"), ("₹5", "INR"), ("$5 cad", "CAD")] {
            assert_eq!(currency_in(text), one(code), "{text}");
        }
        assert!(matches!(currency_in("$5"), Some(NamedCurrency::Several("$", _))));
        assert!(matches!(currency_in("¥5"), Some(NamedCurrency::Several("¥", ["JPY", "CNY"]))));
        assert_eq!((currency_in("5"), currency_in("5 pcs")), (None, None));
    }

    #[test]
    fn every_code_is_that_of_a_currency() {
        for code in SIGNS.iter().flat_map(|(_, codes)| codes.iter()) {
            assert!(Currency::parse(code).is_ok(), "{code}");
        }
    }
}
