//! The first reading of a file: statistics of its columns, which decide how ambiguous cells are read.

use domain::Currency;

use super::numbers::{Evidence, Reading, read_number};
use crate::columns::REPEATED;
use crate::publication::{is_word, status_of};

/// Maximum length of an example in characters.
const MAX_EXAMPLE_CHARS: usize = 40;

/// Statistics of one column.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnStats {
    /// Number of cells with text.
    pub(crate) filled: u64,
    /// The first text.
    pub(crate) example: String,
    /// The decimal marks of its numbers.
    pub(crate) evidence: Evidence,
    pub(crate) has_pipe: bool,
    pub(crate) has_comma: bool,
    flag_words: u64,
    zeros: u64,
    ones: u64,
    publication_values: u64,
    publication_words: u64,
    currencies: u64,
    availability_values: u64,
}

impl ColumnStats {
    /// Counts a cell with text. Of several values, the first tells the type.
    pub(crate) fn add(&mut self, cell: &str) {
        self.has_pipe |= cell.contains('|');
        self.has_comma |= cell.contains(',');
        let cell = cell.split(REPEATED).next().unwrap_or(cell);
        self.filled += 1;
        if self.example.is_empty() {
            self.example = example_of(cell);
        }
        if cell.len() <= 32 {
            if let Reading::One { convention, .. } = read_number(cell) {
                self.evidence.add(convention);
            }
            self.flag_words += u64::from(flag(cell).is_some() && !matches!(cell, "0" | "1"));
            self.zeros += u64::from(cell == "0");
            self.ones += u64::from(cell == "1");
            let is_publication = status_of(cell).is_some();
            self.publication_values += u64::from(is_publication);
            self.publication_words += u64::from(is_publication && is_word(cell));
            self.currencies +=
                u64::from(cell.len() == 3 && Currency::parse(&cell.to_ascii_uppercase()).is_ok());
            self.availability_values += u64::from(availability(cell) != Availability::Unknown);
        }
    }

    /// Returns true if all cells are `true`, `false`, 1 or 0. A column that has 1 only, or 0 only, holds numbers.
    pub(crate) fn is_flag(&self) -> bool {
        self.filled > 0
            && self.flag_words + self.zeros + self.ones == self.filled
            && (self.flag_words > 0 || (self.zeros > 0 && self.ones > 0))
    }

    /// Returns true if at least half of the cells say whether a product is public. The others are faults of their rows.
    pub(crate) fn is_publication(&self) -> bool {
        self.filled > 0 && self.publication_values * 2 >= self.filled
    }

    /// As [`is_publication`](Self::is_publication), for a column whose flags would mean something else.
    pub(crate) fn is_publication_word(&self) -> bool {
        self.filled > 0 && self.publication_words * 2 >= self.filled
    }

    /// Returns true if all cells are codes of currencies.
    pub(crate) fn is_currency(&self) -> bool {
        self.filled > 0 && self.currencies == self.filled
    }

    /// Returns true if all cells say whether a product can be bought.
    pub(crate) fn is_availability(&self) -> bool {
        self.filled > 0 && self.availability_values == self.filled
    }
}

/// Returns the start of a text, in one line.
pub(crate) fn example_of(text: &str) -> String {
    let line = text.split(['\n', '\r']).next().unwrap_or_default();
    let mut example: String = line.chars().take(MAX_EXAMPLE_CHARS).collect();
    if example.len() < text.len() {
        example.push('…');
    }
    example
}

/// Returns the flag that a cell stands for in a column of flags.
pub(crate) fn flag(cell: &str) -> Option<bool> {
    match cell {
        "1" => Some(true),
        "0" => Some(false),
        _ if cell.eq_ignore_ascii_case("true") => Some(true),
        _ if cell.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The availability of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Availability {
    In,
    Out,
    /// It will not be sold again.
    Discontinued,
    Unknown,
}

/// Reads words such as `in stock`, `out_of_stock` and `https://schema.org/InStock`.
pub(crate) fn availability(cell: &str) -> Availability {
    let word = cell.rsplit('/').next().unwrap_or(cell).to_ascii_lowercase();
    let word: String = word.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    match word.as_str() {
        "1"
        | "true"
        | "yes"
        | "instock"
        | "available"
        | "limitedavailability"
        | "onlineonly"
        | "instoreonly"
        | "preorder"
        | "presale"
        | "backorder"
        | "onbackorder"
        | "madetoorder" => Availability::In,
        "0" | "false" | "no" | "outofstock" | "unavailable" | "soldout" => Availability::Out,
        "discontinued" => Availability::Discontinued,
        _ => Availability::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(cells: &[&str]) -> ColumnStats {
        let mut stats = ColumnStats::default();
        cells.iter().for_each(|cell| stats.add(cell));
        stats
    }

    #[test]
    fn a_column_of_flags_has_nothing_else() {
        assert!(stats(&["TRUE", "0"]).is_flag() && stats(&["1", "0"]).is_flag());
        assert!(!stats(&["1", "1"]).is_flag() && !stats(&["1", "0", "2"]).is_flag() && !stats(&[]).is_flag());
    }

    #[test]
    fn an_example_is_one_short_line() {
        assert_eq!(stats(&["a\nb", "c"]).example, "a…");
        assert_eq!(stats(&["1,5"]).evidence.mark(), Some(super::super::numbers::Mark::Comma));
    }
}
