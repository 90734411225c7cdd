//! Columns of a CSV file: the field that each name stands for, and the type that a cell has.

use domain::input::{FIELDS, READ_ONLY_FIELDS};

use crate::identity::ARTICLE_NUMBERS;

/// Prefix of the columns that a rejects file adds. They are not data.
pub(crate) const REJECTS_PREFIX: &str = "noren.";

/// Column that holds the line of a rejected row in its file.
pub(crate) const LINE_COLUMN: &str = "noren.line";
/// Column that holds the faults of a rejected row.
pub(crate) const FAULTS_COLUMN: &str = "noren.faults";

/// The meaning of a column.
#[derive(Debug, PartialEq)]
pub(crate) enum Column {
    /// A field with one value. The mapping turns the text of a price or stock into a number.
    Text(String),
    /// A field with a list of texts.
    List(String),
    /// An attribute, by its key.
    Attribute(String),
    /// A column that is ignored.
    Ignored,
}

impl Column {
    /// Returns the meaning of a column with this name.
    pub(crate) fn of(name: &str) -> Self {
        let name = name.trim();
        let lower = name.to_ascii_lowercase();
        match lower.as_str() {
            "tags" | "images" | "categories" => Self::List(lower),
            "attributes" | "" => Self::Ignored,
            _ if lower.starts_with(REJECTS_PREFIX) => Self::Ignored,
            _ if READ_ONLY_FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name)) => Self::Ignored,
            _ if FIELDS.contains(&lower.as_str()) => Self::Text(lower),
            // Codes stay texts: as numbers they would lose leading zeros.
            "model" => Self::Text(lower),
            _ if ARTICLE_NUMBERS.contains(&lower.as_str()) => Self::Text(lower),
            _ if lower.starts_with("attributes.") => Self::Attribute(name["attributes.".len()..].to_owned()),
            _ => Self::Attribute(name.to_owned()),
        }
    }

    /// Returns the name of the field or attribute, empty if the column is ignored.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Text(name) | Self::List(name) | Self::Attribute(name) => name,
            Self::Ignored => "",
        }
    }
}

/// Returns true if the text of an attribute is a flag, or a number that a float keeps exactly: at most 15 digits in
/// plain notation. `007` and `1e5` are codes, not numbers.
pub(crate) fn is_flag_or_number(text: &str) -> bool {
    if text == "true" || text == "false" {
        return true;
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole)
        && fraction.is_none_or(is_digits)
        && (whole == "0" || !whole.starts_with('0'))
        && whole.len() + fraction.map_or(0, str::len) <= 15
}

/// Returns the delimiter that occurs most often in the first line.
pub(crate) fn delimiter_of(beginning: &[u8]) -> u8 {
    let first_line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| first_line.iter().filter(|byte| **byte == delimiter).count();
    // `max_by_key` returns the last of equals, so a comma wins a tie.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_stay_exact_are_numbers() {
        for number in ["0", "-1", "13.30", "true", "123456789012345"] {
            assert!(is_flag_or_number(number), "{number}");
            assert!(serde_json::from_str::<serde_json::Value>(number).is_ok());
        }
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "007",
            "1e5",
            "+1",
            "1,5",
            "0.123456789012345",
            "1234567890123456",
            "True",
            "NaN",
        ] {
            assert!(!is_flag_or_number(text), "{text}");
        }
    }

    #[test]
    fn the_delimiter_is_the_one_of_the_first_line() {
        assert_eq!(delimiter_of(b"name\tprice\nA;;;;"), b'\t');
    }
}
