//! Values in cells: lists, paths, attributes and codes.

use super::plan::Column;
use super::role::{Role, is_code_name};
use super::survey::flag;
use crate::columns::{is_exact_number, written_flag};
use crate::json::text_json;

/// Splits a list at a separator. Elements are trimmed, and empty ones are left out.
pub(crate) fn split_list(cell: &str, separator: &str) -> Vec<String> {
    let parts = cell.split(separator).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// Splits addresses at a separator that another address follows: addresses may contain commas themselves.
pub(crate) fn split_addresses(cell: &str, separator: &str) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for part in cell.split(separator) {
        let begins = part.trim_start();
        let is_address =
            begins.starts_with("http://") || begins.starts_with("https://") || begins.starts_with('/');
        match addresses.last_mut() {
            Some(last) if !is_address && last.starts_with("http") => {
                last.push_str(separator);
                last.push_str(part);
            }
            _ if begins.trim_end().is_empty() => {}
            _ => addresses.push(begins.to_owned()),
        }
    }
    addresses.iter().map(|address| address.trim().to_owned()).collect()
}

/// Returns category paths in the form `A > B`.
pub(crate) fn category_paths(cell: &str, path: Option<&str>, level: &str, root: Option<&str>) -> Vec<String> {
    let paths = match path {
        Some(separator) => split_list(cell, separator),
        None => vec![cell.to_owned()],
    };
    let path = |path: &String| {
        let mut levels = split_list(path, level);
        if levels.len() > 1 && levels.first().map(String::as_str) == root {
            levels.remove(0);
        }
        levels.iter().map(|level| level.replace('>', "/")).collect::<Vec<_>>().join(" > ")
    };
    paths.iter().map(path).filter(|path| !path.is_empty()).collect()
}

/// Splits `color=Blue,size=XS`; a comma that no `name=` follows belongs to the value.
pub(crate) fn entries(cell: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for part in cell.split(',') {
        match (part.split_once('='), entries.last_mut()) {
            (Some((key, value)), _) => entries.push((key.trim().to_owned(), value.trim().to_owned())),
            (None, Some((_, last))) => {
                last.push(',');
                last.push_str(part);
            }
            (None, None) => {}
        }
    }
    entries
}

/// Reads the options `Type=Rectangle|Name=Size|Value=S`, of which several follow each other.
pub(crate) fn named_options(cell: &str) -> Vec<(String, String)> {
    let option = |part: &str| {
        let (_, rest) = part.split_once("Name=")?;
        let (name, value) = rest.split_once("|Value=")?;
        let value = value.trim_end_matches(|c: char| matches!(c, '|' | ',' | ';') || c.is_whitespace());
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    cell.split("Type=")
        .filter_map(option)
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .collect()
}

/// Returns the JSON of an attribute: a flag, a number that a float keeps exactly, or else a text. `1` and `0` are flags only in a
/// column of flags.
pub(crate) fn attribute_json(column: &Column, cell: &str) -> String {
    let is_code = matches!(&column.role, Role::Attribute(key) if is_code_name(key));
    match written_flag(cell).or_else(|| flag(cell).filter(|_| column.is_flag)).filter(|_| !is_code) {
        Some(flag) => flag.to_string(),
        None if !is_code && is_exact_number(cell) => cell.to_owned(),
        None => text_json(cell),
    }
}

/// Returns true for `4.00638E+12`: a spreadsheet has rounded the code.
pub(crate) fn is_scientific(cell: &str) -> bool {
    let Some((digits, exponent)) = cell.split_once(['E', 'e']) else { return false };
    let Some(exponent) = exponent.strip_prefix('+') else { return false };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(exponent) && digits.contains(['.', ',']) && is_digits(&digits.replace(['.', ','], ""))
}

/// Stands for a comma that is no separator. No text contains it.
const COMMA: char = '\u{1e}';

/// Protects commas that a backslash escapes from being taken for separators, and removes the apostrophe before a formula.
pub(crate) fn protect(cell: &str) -> String {
    let is_formula = |text: &str| text.starts_with(['=', '+', '-', '@']);
    let cell = cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell);
    cell.replace("\\,", &COMMA.to_string())
}

/// Restores the commas of a text.
pub(crate) fn restored(text: String) -> String {
    if text.contains(COMMA) { text.replace(COMMA, ",") } else { text }
}

/// Returns a text with a line break for each `\n`, and `\n` for `\\n`.
pub(crate) fn with_line_breaks(text: &str) -> String {
    text.split(r"\\n").map(|part| part.replace(r"\n", "\n")).collect::<Vec<_>>().join(r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_their_commas() {
        let found = split_addresses("https://a/1,w=2.jpg, https://a/2.jpg,", ",");
        assert_eq!(found, ["https://a/1,w=2.jpg", "https://a/2.jpg,"]);
        assert_eq!(split_addresses("/m/1.jpg,/m/2.jpg", ","), ["/m/1.jpg", "/m/2.jpg"]);
    }

    #[test]
    fn paths_are_cut_at_the_separators_of_their_format() {
        let found = category_paths(
            "Default Category/Gear,Default Category/Gear/Bags",
            Some(","),
            "/",
            Some("Default Category"),
        );
        assert_eq!(found, ["Gear", "Gear > Bags"]);
        assert_eq!(category_paths("A & B>C", None, ">", None), ["A & B > C"]);
    }

    #[test]
    fn values_of_packed_attributes_keep_their_commas() {
        let found = entries("a=1,b=x, y,c=z");
        let expected =
            [("a", "1"), ("b", "x, y"), ("c", "z")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn rounded_codes_are_recognised() {
        assert!(is_scientific("4.00638E+12") && is_scientific("4,01e+12"));
        assert!(!is_scientific("4E12") && !is_scientific("ABE+1") && !is_scientific("4006381333931"));
    }
}
