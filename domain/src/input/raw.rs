//! JSON objects and lists, split into parts that stay JSON text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::error::InputError;
use crate::fault::{Fault, FaultKind};

/// The fields of a JSON object in order. Values stay JSON text, so numbers keep their digits.
#[derive(Debug)]
pub struct RawObject<'a>(pub Vec<Field<'a>>);

/// A field of an object: its name, and its value as JSON text.
pub type Field<'a> = (Cow<'a, str>, &'a RawValue);

impl<'a> RawObject<'a> {
    /// Splits the body of a request.
    ///
    /// # Errors
    /// Returns [`InputError::Syntax`] if the body is not JSON, and a fault if it is not an object.
    pub fn parse(json: &'a [u8]) -> Result<Self, InputError> {
        serde_json::from_slice(json).map_err(|error| not_an_object(&error))
    }

    /// Splits the body of a request that has at most `max` fields. `what` names the body in the fault: `a product`.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse); more fields are one fault, and none of them is looked at.
    pub fn parse_at_most(json: &'a [u8], max: usize, what: &str) -> Result<Self, InputError> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let counted = FirstParts(max).deserialize(&mut deserializer);
        let counted = counted.and_then(|counted| deserializer.end().map(|()| counted));
        match counted.map_err(|error| not_an_object(&error))? {
            Counted { first: Parts::Fields(fields), count } if count <= max => Ok(Self(fields)),
            Counted { first: Parts::Fields(_), count } => Err(too_many_fields(what, max, count).into()),
            Counted { .. } => Err(not_an_object(&serde_json::Error::custom("a list"))),
        }
    }
}

/// Returns the fault of an object with more fields than allowed. `what` names it: `a product`.
pub(super) fn too_many_fields(what: &str, max: usize, count: usize) -> Fault {
    let message = format!("{what} has at most {max} fields; this one has {count}");
    Fault::new("", FaultKind::OutOfRange, message)
}

fn not_an_object(error: &serde_json::Error) -> InputError {
    match error.classify() {
        serde_json::error::Category::Data => {
            Fault::new("", FaultKind::WrongType, "the body must be a JSON object").into()
        }
        _ => InputError::Syntax(format!("the body is not valid JSON: {error}")),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match FirstParts(usize::MAX).deserialize(deserializer)?.first {
            Parts::Fields(fields) => Ok(Self(fields)),
            Parts::Elements(_) => Err(D::Error::custom("a list is not an object")),
        }
    }
}

/// The first parts of a list or an object, and the number of all parts. Those after the first ones are counted but not kept, so that
/// checking a length needs no memory for them.
#[derive(Debug)]
pub struct Counted<T> {
    /// The first parts.
    pub first: T,
    /// The number of all parts.
    pub count: usize,
}

impl<'a> Counted<Vec<&'a RawValue>> {
    /// Splits a list, and keeps the first `max` elements. `None` if the value is not a list.
    pub fn list(raw: &'a RawValue, max: usize) -> Option<Self> {
        match FirstParts(max).of(raw, '[')? {
            Counted { first: Parts::Elements(first), count } => Some(Self { first, count }),
            Counted { .. } => None,
        }
    }
}

impl<'a> Counted<Vec<Field<'a>>> {
    /// Splits an object, and keeps the first `max` fields. `None` if the value is not an object.
    pub fn object(raw: &'a RawValue, max: usize) -> Option<Self> {
        match FirstParts(max).of(raw, '{')? {
            Counted { first: Parts::Fields(first), count } => Some(Self { first, count }),
            Counted { .. } => None,
        }
    }
}

/// The parts of a list or an object.
enum Parts<'a> {
    Elements(Vec<&'a RawValue>),
    Fields(Vec<Field<'a>>),
}

/// Splits a list or an object, and keeps at most this many parts.
struct FirstParts(usize);

impl FirstParts {
    /// Splits a value that begins with `open`.
    fn of<'a>(self, raw: &'a RawValue, open: char) -> Option<Counted<Parts<'a>>> {
        if !raw.get().starts_with(open) {
            return None;
        }
        self.deserialize(&mut serde_json::Deserializer::from_str(raw.get())).ok()
    }
}

impl<'de> DeserializeSeed<'de> for FirstParts {
    type Value = Counted<Parts<'de>>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FirstParts {
    type Value = Counted<Parts<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object or list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut first = Vec::new();
        while first.len() < self.0 {
            let Some(element) = list.next_element()? else {
                let count = first.len();
                return Ok(Counted { first: Parts::Elements(first), count });
            };
            first.push(element);
        }
        let mut count = first.len();
        while list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Counted { first: Parts::Elements(first), count })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut first = Vec::with_capacity(16);
        while first.len() < self.0 {
            let Some((Key(key), value)) = object.next_entry()? else {
                let count = first.len();
                return Ok(Counted { first: Parts::Fields(first), count });
            };
            first.push((key, value));
        }
        let mut count = first.len();
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Counted { first: Parts::Fields(first), count })
    }
}

/// A key that borrows from the input unless it has escapes. serde's own `Cow` never borrows.
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

/// Returns the type of a JSON value for a message: `a text`.
pub fn json_type(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'"') => "a text",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn parts_beyond_the_first_are_counted() {
        let list = |max| Counted::list(raw("[1, [2], {\"a\": 3}, \"x\"]"), max).unwrap();
        let first = |max| list(max).first.iter().map(|part| part.get()).collect::<Vec<_>>();
        assert_eq!((first(2), list(2).count), (vec!["1", "[2]"], 4));
        assert_eq!((first(4).len(), list(4).count, first(9).len(), list(0).count), (4, 4, 4, 4));
        let object = Counted::object(raw(r#"{"a":1,"b":{"c":[2]},"a":3}"#), 2).unwrap();
        assert_eq!(
            (object.first[1].0.as_ref(), object.first[1].1.get(), object.count),
            ("b", r#"{"c":[2]}"#, 3)
        );
        assert!(Counted::list(raw("{}"), 1).is_none() && Counted::object(raw("[]"), 1).is_none());
        assert!(Counted::list(raw("1"), 1).is_none() && Counted::object(raw("\"x\""), 1).is_none());
    }

    #[test]
    fn an_object_with_too_many_fields_is_one_fault() {
        let parse = |json: &'static str| RawObject::parse_at_most(json.as_bytes(), 2, "a thing");
        assert_eq!(parse(r#"{"a":1,"b":2}"#).unwrap().0.len(), 2);
        let error = parse(r#"{"a":1,"b":2,"c":3}"#).unwrap_err();
        assert_eq!(error.to_string(), "a thing has at most 2 fields; this one has 3");
        for (json, is_syntax) in [("[1]", false), ("1", false), ("{\"a\":1,\"b\":2,", true), ("{} x", true)] {
            let error = parse(json).unwrap_err();
            assert_eq!(matches!(error, InputError::Syntax(_)), is_syntax, "{json}: {error}");
        }
    }
}
