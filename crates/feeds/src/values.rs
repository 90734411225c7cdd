//! Values of a foreign catalogue in the type that a product field has.

use std::borrow::Cow;

use domain::CategoryPath;
use domain::input::MAX_CATEGORIES;
use indexmap::IndexSet;
use serde_json::value::RawValue;

use crate::json::{list_json, text_json};
use crate::table::{Reading, read_number};

/// Returns the JSON of a field, converted to the type of the product field where the meaning is clear. Other values are
/// returned unchanged and rejected by validation.
pub(crate) fn field_value<'a>(field: &str, raw: &'a RawValue) -> Cow<'a, str> {
    let json = raw.get();
    let is_number = |json: &str| json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    match field {
        "price" | "stock" if json.starts_with('"') => {
            let digits = json[1..json.len() - 1].trim();
            let is_json_number = is_number(digits) && serde_json::from_str::<&RawValue>(digits).is_ok();
            match read_number(digits) {
                _ if is_json_number => Cow::Borrowed(digits),
                Reading::One { digits, .. } => Cow::Owned(digits),
                _ => Cow::Borrowed(json),
            }
        }
        "id" | "sku" if is_number(json) => Cow::Owned(format!("\"{json}\"")),
        "category" if json.starts_with('[') => category_text(raw).map_or(Cow::Borrowed(json), Cow::Owned),
        "name" | "brand" | "category" | "sku" if may_have_controls(json) => {
            let text = serde_json::from_str::<String>(json);
            text.map_or(Cow::Borrowed(json), |text| Cow::Owned(text_json(&without_controls(&text))))
        }
        _ => Cow::Borrowed(json),
    }
}

/// The meaning of the field `categories` of a record, as JSON.
#[derive(Debug, PartialEq)]
pub(crate) enum Categories {
    /// The levels of one path, broad to narrow.
    Path(String),
    /// Several paths, of which the first is the main one. `others` are those that a product cannot have.
    Paths { paths: String, others: Option<String> },
    /// None of these.
    Unclear,
}

impl Categories {
    /// Reads the field of a record with the category `main`, as JSON. A list has paths if
    ///
    /// 1. `is_own`: the record has no other fields than a product,
    /// 2. it has `main`, or
    /// 3. one of its texts has several levels.
    ///
    /// Otherwise it has the levels of the category, if there is no `main`.
    pub(crate) fn read(raw: &RawValue, main: Option<&str>, is_own: bool) -> Self {
        let json = raw.get();
        let Ok(list) = serde_json::from_str::<Vec<Cow<'_, str>>>(json) else {
            return match category_text(raw).filter(|_| main.is_none()) {
                Some(path) => Self::Path(path),
                None => Self::Unclear,
            };
        };
        let list: Vec<String> =
            list.iter().map(|path| one_path(path)).filter(|path| !path.is_empty()).collect();
        if is_own {
            // Validation says if there are too many, or if they do not agree with the main one.
            return Self::Paths { paths: list_json(&list), others: None };
        }
        let main = main.map(|main| one_path(&serde_json::from_str::<Cow<'_, str>>(main).unwrap_or_default()));
        let has_main = main.as_ref().is_some_and(|main| list.contains(main));
        if !has_main && !list.iter().any(|path| path.contains('>')) {
            return match category_text(raw).filter(|_| main.is_none()) {
                Some(path) => Self::Path(path),
                None => Self::Unclear,
            };
        }
        let paths: IndexSet<String> = main.into_iter().chain(list).collect();
        let mut paths: Vec<String> = paths.into_iter().collect();
        let others = paths.split_off(paths.len().min(MAX_CATEGORIES));
        Self::Paths { paths: list_json(&paths), others: (!others.is_empty()).then(|| list_json(&others)) }
    }
}

/// Returns a path in the form of a product: ` > ` between the levels, and no control characters.
fn one_path(text: &str) -> String {
    let text = without_controls(text);
    text.split('>').map(str::trim).collect::<Vec<_>>().join(CategoryPath::SEPARATOR)
}

/// Returns the category path of a list of levels, broad to narrow, as a JSON string. A `>` inside a level would be read
/// as two levels, so it becomes a `/`.
pub(crate) fn category_text(raw: &RawValue) -> Option<String> {
    if raw.get().starts_with('"') {
        return Some(raw.get().to_owned());
    }
    let levels: Vec<Cow<'_, str>> = serde_json::from_str(raw.get()).ok()?;
    let levels = levels.iter().map(|level| without_controls(level).trim().replace('>', "/"));
    let path = levels.filter(|level| !level.is_empty()).collect::<Vec<_>>().join(CategoryPath::SEPARATOR);
    Some(text_json(&path))
}

/// Returns true if a JSON string may contain control characters, raw or escaped. False positives are possible.
pub(crate) fn may_have_controls(json: &str) -> bool {
    let bytes = json.as_bytes();
    bytes.contains(&b'\\')
        || bytes.windows(2).any(|pair| pair[0] == 0xc2 && (0x80..=0x9f).contains(&pair[1]))
        || bytes.contains(&0x7f)
}

/// The characters that Windows-1252 has at 0x80 to 0x9F; text decoded as Latin-1 has control characters there. Spaces
/// mark the five unassigned codes.
const WINDOWS_1252: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/// Returns the text as one line: line breaks and other control characters become single spaces, and characters decoded
/// as Latin-1 become those of Windows-1252.
fn without_controls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        let shown = match u32::from(c) {
            code @ 0x80..=0x9f => WINDOWS_1252.chars().nth(code as usize - 0x80).unwrap_or(' '),
            _ if c.is_control() => ' ',
            _ => c,
        };
        if shown == c || shown != ' ' || !clean.ends_with(' ') {
            clean.push(shown);
        }
    }
    clean
}

/// Returns a JSON array as an array of texts. Numbers and flags become texts as they are written; nulls are dropped.
/// Returns `None` if an element is an array or object.
pub(crate) fn list_of_texts(json: &str) -> Option<String> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let mut list = String::with_capacity(json.len() + 2 * elements.len());
    list.push('[');
    for element in elements.into_iter().filter(|element| element.get() != "null") {
        let element = element.get();
        if list.len() > 1 {
            list.push(',');
        }
        match element.as_bytes().first() {
            Some(b'"') => list.push_str(element),
            Some(b'[' | b'{') | None => return None,
            Some(_) => list.push_str(&format!("\"{element}\"")),
        }
    }
    list.push(']');
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_windows_1252_is_complete() {
        assert_eq!(WINDOWS_1252.chars().count(), 32);
    }
}
