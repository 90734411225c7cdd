//! JSON objects, and nothing that serde reads in their place.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A value that is read from a JSON object only. A derived `Deserialize` would also accept an array of the fields in the order of
/// their declaration, which no interface documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object<T>(
    /// The value.
    pub T,
);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RateLimit;

    #[test]
    fn an_array_is_no_object() {
        let limit = RateLimit { requests: 5, window_seconds: 60 };
        let object = r#"{"requests":5,"windowSeconds":60}"#;
        assert_eq!(serde_json::from_str::<Object<RateLimit>>(object).unwrap(), Object(limit));
        assert_eq!(serde_json::from_str::<RateLimit>(object).unwrap(), limit);
        assert_eq!(serde_json::to_string(&limit).unwrap(), object);
        for text in ["[5,60]", "[]"] {
            let error = serde_json::from_str::<RateLimit>(text).unwrap_err().to_string();
            assert!(error.contains("invalid type: sequence, expected an object"), "{error}");
        }
    }
}
