//! Numbers as people write them: `12,50`, `$19.99`, `19.99 USD`, `1,299.00`.

use domain::Currency;
use serde::{Deserialize, Serialize};

use super::currency_signs::is_sign;

/// The readings of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It can be read in one way. `convention` is the decimal mark that the text gives away, if it does.
    One { digits: String, convention: Option<Mark> },
    /// It can be read with either decimal mark: `1.299` is 1.299 or 1299.
    Two { as_decimal: String, as_thousands: String, mark: Mark },
    /// It is no number.
    None,
}

/// A decimal mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// `12,50`
    Comma,
    /// `12.50`
    Point,
}

impl Mark {
    fn of(c: char) -> Self {
        if c == ',' { Self::Comma } else { Self::Point }
    }

    fn other(self) -> Self {
        match self {
            Self::Comma => Self::Point,
            Self::Point => Self::Comma,
        }
    }
}

/// The decimal marks that the numbers of a column give away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    comma: bool,
    point: bool,
}

impl Evidence {
    /// Adds the mark that a number gives away.
    pub(crate) fn add(&mut self, convention: Option<Mark>) {
        self.comma |= convention == Some(Mark::Comma);
        self.point |= convention == Some(Mark::Point);
    }

    /// Adds the marks of another column.
    pub(crate) fn join(&mut self, other: Self) {
        self.comma |= other.comma;
        self.point |= other.point;
    }

    /// Returns true if no number gave a mark away.
    pub(crate) fn is_empty(self) -> bool {
        !self.comma && !self.point
    }

    /// Returns the mark if all numbers agree.
    pub(crate) fn mark(self) -> Option<Mark> {
        match (self.comma, self.point) {
            (true, false) => Some(Mark::Comma),
            (false, true) => Some(Mark::Point),
            _ => None,
        }
    }
}

/// Reads a number. A currency sign or code around it is left out.
pub(crate) fn read_number(text: &str) -> Reading {
    let (sign, digits) = match bare(text) {
        bare if bare.starts_with(['-', '−']) => {
            ("-", bare.trim_start_matches(['-', '−']).trim().to_owned())
        }
        bare => ("", bare.strip_prefix('+').map_or(bare.clone(), str::to_owned)),
    };
    match read_digits(&digits) {
        Reading::One { digits, convention } => Reading::One { digits: format!("{sign}{digits}"), convention },
        Reading::Two { as_decimal, as_thousands, mark } => Reading::Two {
            as_decimal: format!("{sign}{as_decimal}"),
            as_thousands: format!("{sign}{as_thousands}"),
            mark,
        },
        Reading::None => Reading::None,
    }
}

/// Returns the text without a currency, and without the spaces and apostrophes that group digits.
fn bare(text: &str) -> String {
    let text = text.trim();
    let is_code = |word: &str| word.len() == 3 && Currency::parse(&word.to_ascii_uppercase()).is_ok();
    let text = match text.get(..3) {
        Some(code) if is_code(code) => &text[3..],
        _ => text,
    };
    let text = match text.len().checked_sub(3).and_then(|at| text.get(at..)) {
        Some(code) if is_code(code) => &text[..text.len() - 3],
        _ => text,
    };
    let is_sign = |c: char| is_sign(c) || c.is_whitespace();
    let text = text.trim_matches(is_sign);
    let text = match text.strip_prefix('-') {
        Some(rest) => format!("-{}", rest.trim_matches(is_sign)),
        None => text.to_owned(),
    };
    without_group_spaces(&text).unwrap_or(text)
}

/// Removes spaces and apostrophes if each is followed by a group of three digits.
fn without_group_spaces(text: &str) -> Option<String> {
    let mut groups = text.split([' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '’']);
    let mut joined = groups.next()?.to_owned();
    for group in groups {
        let digits = group.bytes().take_while(u8::is_ascii_digit).count();
        if digits != 3 {
            return None;
        }
        joined.push_str(group);
    }
    Some(joined)
}

fn read_digits(text: &str) -> Reading {
    let is_allowed = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    if !text.contains(|c: char| c.is_ascii_digit()) || !text.chars().all(is_allowed) {
        return Reading::None;
    }
    let marks: Vec<char> = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let Some(last) = marks.last().copied() else { return one(text, "", None) };
    let repeats = marks.iter().filter(|mark| **mark == last).count() > 1;
    let (whole, fraction) = text.rsplit_once(last).unwrap_or((text, ""));
    let is_grouped = |text: &str, mark: char| {
        let mut groups = text.split(mark);
        let first = groups.next().unwrap_or_default();
        (1..=3).contains(&first.len())
            && !first.starts_with('0')
            && first.bytes().all(|byte| byte.is_ascii_digit())
            && groups.all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let plain = |text: &str, mark: char| text.replace(mark, "");
    if repeats {
        return match is_grouped(text, last) {
            true => one(&plain(text, last), "", Some(Mark::of(last).other())),
            false => Reading::None,
        };
    }
    if let Some(group) = marks.iter().copied().find(|mark| *mark != last) {
        return match is_grouped(whole, group) {
            true => one(&plain(whole, group), fraction, Some(Mark::of(last))),
            false => Reading::None,
        };
    }
    if fraction.len() == 3 && is_grouped(text, last) {
        return Reading::Two {
            as_decimal: canonical(whole, fraction),
            as_thousands: format!("{whole}{fraction}"),
            mark: Mark::of(last),
        };
    }
    one(whole, fraction, Some(Mark::of(last)))
}

fn one(whole: &str, fraction: &str, convention: Option<Mark>) -> Reading {
    Reading::One { digits: canonical(whole, fraction), convention }
}

/// Returns a JSON number with the same value. Trailing zeros after the second decimal are left out.
fn canonical(whole: &str, fraction: &str) -> String {
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let used = fraction.trim_end_matches('0').len().max(fraction.len().min(2));
    match &fraction[..used] {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> String {
        match read_number(text) {
            Reading::One { digits, .. } => digits,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_number_that_can_be_read_in_one_way_is_read() {
        for (text, number) in [
            ("12,50", "12.50"),
            ("$19.99", "19.99"),
            ("19.99 USD", "19.99"),
            ("EUR 5", "5"),
            ("5 €", "5"),
            ("1,299.00", "1299.00"),
            ("1.299,00", "1299.00"),
            ("1 299,5", "1299.5"),
            ("1'299.00", "1299.00"),
            ("1.299.000", "1299000"),
            ("34.000000", "34.00"),
            ("0.250", "0.25"),
            ("007", "7"),
            (".5", "0.5"),
            ("-3.0000", "-3.00"),
            ("-$5", "-5"),
        ] {
            assert_eq!(digits(text), number, "{text}");
        }
    }

    #[test]
    fn a_number_that_can_be_read_in_two_ways_has_both() {
        let two = |as_decimal: &str, as_thousands: &str, mark| Reading::Two {
            as_decimal: as_decimal.to_owned(),
            as_thousands: as_thousands.to_owned(),
            mark,
        };
        assert_eq!(read_number("1.299"), two("1.299", "1299", Mark::Point));
        assert_eq!(read_number("10,000"), two("10.00", "10000", Mark::Comma));
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in
            ["", "in stock", "1e3", "4.00638E+12", "1,2,3", "12-50", "1.2.3", "1,29.000,0", "5 pieces", "."]
        {
            assert_eq!(read_number(text), Reading::None, "{text}");
        }
    }
}
