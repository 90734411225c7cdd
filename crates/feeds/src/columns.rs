//! The delimiter of a table, the type of a cell, and the columns that a rejects file adds.

use domain::input::MAX_KEY_CHARS;

/// Separates several values of one element or field in a cell. No text contains it.
pub(crate) const REPEATED: char = '\u{1f}';

/// Names of what a product costs the shop, without letter case, spaces and signs.
const COST_NAMES: [&str; 27] = [
    "cost",
    "costs",
    "costprice",
    "priceofcost",
    "costperitem",
    "costpriceperitem",
    "itemcost",
    "unitcost",
    "productcost",
    "averagecost",
    "landedcost",
    "suppliercost",
    "supplierprice",
    "purchaseprice",
    "purchasecost",
    "buyingprice",
    "buyprice",
    "costofgoods",
    "costofgoodssold",
    "cogs",
    "margin",
    "profitmargin",
    "einkaufspreis",
    "ekpreis",
    "prixdachat",
    "preciodecompra",
    "inkoopprijs",
];

/// Returns true for the name of a column or field that says what a product costs the shop. It is not published.
pub(crate) fn is_cost_name(name: &str) -> bool {
    let letters: String = name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    COST_NAMES.contains(&letters.as_str())
}

/// Prefix of the columns that a rejects file adds. They are not data.
pub(crate) const REJECTS_PREFIX: &str = "noren.";

/// Column that holds the line of a rejected row in its file.
pub(crate) const LINE_COLUMN: &str = "noren.line";
/// Column that holds the faults of a rejected row.
pub(crate) const FAULTS_COLUMN: &str = "noren.faults";

/// Returns the flag that a text means in every column: `true` as programs write it, or `TRUE` as spreadsheets do.
pub(crate) fn written_flag(text: &str) -> Option<bool> {
    match text {
        "true" | "TRUE" => Some(true),
        "false" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Returns true if the text of an attribute is a number that a float keeps exactly: at most 15 digits in plain notation. `007` and
/// `1e5` are codes, not numbers.
pub(crate) fn is_exact_number(text: &str) -> bool {
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

/// Returns the delimiter that occurs most often in the first line outside of quotation marks.
pub(crate) fn delimiter_of(beginning: &[u8]) -> u8 {
    let mut counts = [(b'\t', 0), (b';', 0), (b',', 0)];
    let mut is_quoted = false;
    for byte in beginning {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' | b'\r' if !is_quoted => break,
            _ if is_quoted => {}
            _ => counts
                .iter_mut()
                .filter(|(delimiter, _)| delimiter == byte)
                .for_each(|(_, count)| *count += 1),
        }
    }
    // Pipes separate columns only if nothing else does: cells may hold lists.
    if counts.iter().all(|(_, count)| *count == 0) && beginning_has_pipe(beginning) {
        return b'|';
    }
    // `max_by_key` returns the last of equals, so a comma wins a tie.
    counts.into_iter().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| delimiter)
}

fn beginning_has_pipe(beginning: &[u8]) -> bool {
    beginning.split(|byte| *byte == b'\n').next().is_some_and(|line| line.contains(&b'|'))
}

/// Returns the part of a name that reports show, because a file can have names of a megabyte.
pub(crate) fn beginning_of(name: &str) -> &str {
    name.char_indices().nth(MAX_KEY_CHARS).map_or(name, |(end, _)| &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_stay_exact_are_numbers() {
        for number in ["0", "-1", "13.30", "123456789012345"] {
            assert!(is_exact_number(number), "{number}");
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
            assert!(!is_exact_number(text), "{text}");
        }
    }

    #[test]
    fn the_delimiter_is_the_one_of_the_first_line() {
        assert_eq!(delimiter_of(b"name\tprice\nA;;;;"), b'\t');
        assert_eq!((delimiter_of(b"id|name\na|b"), delimiter_of(b"id,a|b|c\n")), (b'|', b','));
        assert_eq!(delimiter_of(b"\"GTIN, EAN, UPC\";name\n"), b';');
    }
}
