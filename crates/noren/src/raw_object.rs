//! Fields of JSON objects by name.

use domain::input::RawObject;
use serde_json::value::RawValue;

/// The value of the first field with one of these names, in any case, that is not empty.
pub(crate) fn field<'a>(object: &RawObject<'a>, names: &[&str]) -> Option<&'a RawValue> {
    let found = |name: &&str| {
        let mut fields = object.0.iter();
        fields.find(|(key, raw)| key.eq_ignore_ascii_case(name) && !is_empty(raw)).map(|(_, raw)| *raw)
    };
    names.iter().find_map(found)
}

/// Nothing: null, an empty text or list or object.
pub(crate) fn is_empty(raw: &RawValue) -> bool {
    let json = raw.get();
    match json.as_bytes().first() {
        Some(b'n') => true,
        Some(b'"') => json == "\"\"" || (json.len() < 64 && json[1..json.len() - 1].trim().is_empty()),
        Some(b'[' | b'{') => json.len() < 64 && json[1..json.len() - 1].trim().is_empty(),
        _ => false,
    }
}
