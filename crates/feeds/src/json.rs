//! JSON handled as text, so that values keep the digits they came with.

use domain::input::RawObject;
use serde_json::value::RawValue;

/// Returns the value of the first of these fields that is present and not empty. Names are compared without case.
pub(crate) fn field<'a>(object: &RawObject<'a>, names: &[&str]) -> Option<&'a RawValue> {
    let value = |name: &&str| {
        let mut fields = object.0.iter();
        fields.find(|(key, raw)| key.eq_ignore_ascii_case(name) && !is_empty(raw)).map(|(_, raw)| *raw)
    };
    names.iter().find_map(value)
}

/// Returns true for null, a blank text, an empty list and an empty object.
pub(crate) fn is_empty(raw: &RawValue) -> bool {
    let json = raw.get();
    match json.as_bytes().first() {
        Some(b'n') => true,
        Some(b'"') => json == "\"\"" || (json.len() < 64 && json[1..json.len() - 1].trim().is_empty()),
        Some(b'[' | b'{') => json.len() < 64 && json[1..json.len() - 1].trim().is_empty(),
        _ => false,
    }
}

/// Returns the text as a JSON string.
pub(crate) fn text_json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Returns the texts as a JSON list.
pub(crate) fn list_json(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}

/// Appends a field with its JSON to an object that was opened with `{`.
pub(crate) fn write_field(key: &str, json: &str, out: &mut Vec<u8>) {
    write_key(key, out);
    out.extend_from_slice(json.as_bytes());
}

/// Appends a key, after a comma unless it is the first one.
pub(crate) fn write_key(key: &str, out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    write_text(key, out);
    out.push(b':');
}

/// Appends the text as a JSON string.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing to memory cannot fail, and every text has a JSON form.
    let _ = serde_json::to_writer(out, text);
}
