//! The cells of a spreadsheet as people see them.

use calamine::{DataRef, ExcelDateTime};
use rust_decimal::{Decimal, RoundingStrategy};

/// The number from which on a spreadsheet has lost digits: it keeps 15.
const MAX_EXACT: f64 = 1e15;
const SECONDS_PER_DAY: f64 = 86_400.0;

/// Returns the text of a cell; `format` is its number format.
///
/// # Errors
/// The error value of a formula, such as `#N/A`.
pub(super) fn cell_text(value: &DataRef<'_>, format: Option<&str>) -> Result<String, String> {
    Ok(match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number_text(*number as f64, format),
        DataRef::Float(number) => number_text(*number, format),
        DataRef::Bool(flag) => flag.to_string(),
        DataRef::DateTime(time) => time_text(time),
        DataRef::DateTimeIso(text) => text.trim_end_matches("T00:00:00").to_owned(),
        DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => return Err(error.to_string()),
    })
}

fn time_text(time: &ExcelDateTime) -> String {
    let days = time.as_f64();
    if time.is_duration() {
        let seconds = (days * SECONDS_PER_DAY).round() as i64;
        return format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    match (days < 1.0, clock.as_str()) {
        (true, _) => clock,
        (false, "00:00:00") => date,
        (false, _) => format!("{date}T{clock}"),
    }
}

/// Returns a number without thousands separators, with the digits that a cell of this format shows:
///
/// 1. 15 significant digits; later ones are noise of the arithmetic. A larger number is in scientific notation, because its last
///    digits are lost.
/// 2. A format with two or more decimals rounds to them, and one with zeros only, such as `00000000`, fills up with zeros.
/// 3. The currency of the format follows, such as `12.5 EUR`.
fn number_text(number: f64, format: Option<&str>) -> String {
    if number.abs() >= MAX_EXACT {
        return format!("{number:E}").replace('E', "E+");
    }
    let Ok(mut decimal) = Decimal::from_scientific(&format!("{number:.14e}")) else {
        return number.to_string();
    };
    let shape = format.and_then(Shape::of).unwrap_or_default();
    if shape.decimals >= 2 {
        decimal = decimal.round_dp_with_strategy(shape.decimals, RoundingStrategy::MidpointAwayFromZero);
    }
    let mut text = decimal.normalize().to_string();
    if decimal.is_integer() && !decimal.is_sign_negative() {
        text = format!("{text:0>width$}", width = shape.zeros);
    }
    match shape.currency {
        Some(currency) => format!("{text} {currency}"),
        None => text,
    }
}

/// The digits and the currency that a number format shows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shape {
    decimals: u32,
    /// Number of digits that are always shown, if the format has no optional ones.
    zeros: usize,
    currency: Option<String>,
}

impl Shape {
    /// Reads the section for positive numbers. `None` for a format that shows another number or none, such as percent.
    fn of(format: &str) -> Option<Self> {
        let mut shape = Self::default();
        let (mut is_fraction, mut has_optional) = (false, false);
        let mut last = ' ';
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            match letter {
                ';' => break,
                '"' => {
                    let quoted: String = letters.by_ref().take_while(|letter| *letter != '"').collect();
                    shape.add_currency(quoted.trim());
                }
                '[' => {
                    let bracket: String = letters.by_ref().take_while(|letter| *letter != ']').collect();
                    if let Some(symbol) = bracket.strip_prefix('$') {
                        shape.add_currency(symbol.split('-').next().unwrap_or_default());
                    }
                }
                '\\' | '_' | '*' => drop(letters.next()),
                '0' if is_fraction => shape.decimals += 1,
                '0' => shape.zeros += 1,
                '#' | '?' if is_fraction => shape.decimals += 1,
                '#' | '?' | ',' => has_optional = true,
                // After the last digit, commas divide by thousands.
                '.' if last == ',' => return None,
                '.' => is_fraction = true,
                '€' | '£' => shape.add_currency(&letter.to_string()),
                '%' | '/' | '@' | 'E' | 'e' => return None,
                _ if letter.is_ascii_alphabetic() => return None,
                _ => {}
            }
            last = letter;
        }
        if has_optional || is_fraction || shape.zeros < 2 {
            shape.zeros = 0;
        }
        (last != ',').then_some(shape)
    }

    fn add_currency(&mut self, symbol: &str) {
        let code = match symbol {
            "€" => "EUR",
            "£" => "GBP",
            code if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) => code,
            _ => return,
        };
        self.currency = Some(code.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_people_see_them() {
        for (number, format, text) in [
            (12.5, "General", "12.5"),
            (0.1 + 0.2, "General", "0.3"),
            (19.99 - 2e-15, "General", "19.99"),
            (23.7881, "#,##0.00", "23.79"),
            (2.675, "0.00", "2.68"),
            (12.5, "0", "12.5"),
            (0.19, "0%", "0.19"),
            (1_234_567.0, "0.00,,", "1234567"),
            (12_345_678_905.0, "0000000000000", "0012345678905"),
            (4_006_381_333_931.0, "General", "4006381333931"),
            (1.5e20, "General", "1.5E+20"),
            (-3.0, "0", "-3"),
            (12.5, "[$€-407] #,##0.00", "12.5 EUR"),
            (12.5, "#,##0.00\\ \"€\"", "12.5 EUR"),
            (12.5, "[$CHF-807] #,##0.00", "12.5 CHF"),
            (12.5, "\"$\"#,##0.00", "12.5"),
            (5.0, "0\" pcs\"", "5"),
        ] {
            assert_eq!(number_text(number, Some(format)), text, "{number} as {format}");
        }
    }

    #[test]
    fn times_are_in_iso_format() {
        let text = |value, kind| time_text(&ExcelDateTime::new(value, kind, false));
        use calamine::ExcelDateTimeType::{DateTime, TimeDelta};
        assert_eq!(text(46_354.0, DateTime), "2026-11-28");
        assert_eq!(text(46_354.5, DateTime), "2026-11-28T12:00:00");
        assert_eq!(text(0.25, DateTime), "06:00:00");
        assert_eq!(text(1.5, TimeDelta), "36:00:00");
    }

    #[test]
    fn an_error_value_is_a_fault() {
        assert_eq!(cell_text(&DataRef::Error(calamine::CellErrorType::NA), None), Err("#N/A".to_owned()));
    }
}
