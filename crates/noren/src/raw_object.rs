//! JSON objects cut into their fields, without a tree.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of a JSON object in the order they came, each still as JSON.
#[derive(Debug)]
pub(crate) struct RawObject<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl RawObject<'_> {
    /// The value of the first field with one of these names that is not empty.
    pub(crate) fn get(&self, names: &[&str]) -> Option<&RawValue> {
        let found = |name: &&str| {
            self.0
                .iter()
                .find(|(key, raw)| key.eq_ignore_ascii_case(name) && !is_empty(raw))
                .map(|(_, raw)| *raw)
        };
        names.iter().find_map(found)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = RawObject<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some((Key(key), raw)) = map.next_entry()? {
                    fields.push((key, raw));
                }
                Ok(RawObject(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A key that borrows from the line where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
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
