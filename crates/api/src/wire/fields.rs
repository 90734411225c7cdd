//! The choice of the fields of the products in a response: `fields=id,name,attributes.colour`.

use std::borrow::Cow;
use std::fmt;

use domain::Product;
use domain::input::{FIELDS, READ_ONLY_FIELDS, RawObject};
use serde::de::DeserializeOwned;
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

/// The field that every product keeps.
const ID: &str = "id";
/// The field with the attributes, which may also be chosen one by one.
const ATTRIBUTES: &str = "attributes";
/// The prefix of the name of one attribute.
const ATTRIBUTE_PREFIX: &str = "attributes.";
/// The field that the parameter `explain` adds; the choice of fields does not affect it.
const EXPLANATION: &str = "explanation";
/// The fields that a search adds to a product.
const OF_SEARCH: [&str; 2] = ["score", "highlights"];

/// A field that a client chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChosenField {
    /// A field of a product or of a hit.
    Whole(&'static str),
    /// One attribute, by its key.
    Attribute(String),
}

impl ChosenField {
    /// Returns the names that can be chosen, without those of single attributes.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        FIELDS.iter().chain(&READ_ONLY_FIELDS).chain(&OF_SEARCH).copied()
    }

    /// Parses a name; `None` if no field has it.
    pub fn parse(name: &str) -> Option<Self> {
        match name.strip_prefix(ATTRIBUTE_PREFIX) {
            Some(key) if !key.is_empty() => Some(Self::Attribute(key.to_owned())),
            _ => Self::names().find(|known| *known == name).map(Self::Whole),
        }
    }

    fn is_whole(&self, name: &str) -> bool {
        matches!(self, Self::Whole(known) if *known == name)
    }

    fn is_attribute(&self) -> bool {
        matches!(self, Self::Attribute(_))
    }

    fn is_attribute_of(&self, key: &str) -> bool {
        matches!(self, Self::Attribute(known) if known == key)
    }
}

impl fmt::Display for ChosenField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(name) => f.write_str(name),
            Self::Attribute(key) => write!(f, "{ATTRIBUTE_PREFIX}{key}"),
        }
    }
}

/// The products of a response, serialized with their `id` and the chosen fields; with all fields if none was chosen.
#[derive(Debug)]
pub struct Chosen<'a, T> {
    /// The products.
    pub hits: Vec<T>,
    /// The chosen fields.
    pub fields: Cow<'a, [ChosenField]>,
}

impl<T: Serialize> Serialize for Chosen<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.hits.len()))?;
        for hit in &self.hits {
            match self.fields.is_empty() {
                true => list.serialize_element(hit)?,
                false => list.serialize_element(&ChosenHit { hit, fields: &self.fields })?,
            }
        }
        list.end()
    }
}

/// Reads products with all their fields.
impl<'de, T: DeserializeOwned> Deserialize<'de> for Chosen<'_, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hits = Vec::deserialize(deserializer)?;
        Ok(Self { hits, fields: Cow::Borrowed(&[]) })
    }
}

/// One product with its chosen fields.
struct ChosenHit<'a, T> {
    hit: &'a T,
    fields: &'a [ChosenField],
}

impl<T: Serialize> Serialize for ChosenHit<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The values stay JSON text, so prices keep their digits.
        let json = serde_json::to_string(self.hit).map_err(S::Error::custom)?;
        let RawObject(all) = serde_json::from_str(&json).map_err(S::Error::custom)?;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in all {
            let is_chosen = self.fields.iter().any(|field| field.is_whole(&name));
            if is_chosen || name == ID || name == EXPLANATION {
                map.serialize_entry(&name, value)?;
            } else if name == ATTRIBUTES && self.fields.iter().any(ChosenField::is_attribute) {
                map.serialize_entry(&name, &ChosenAttributes { all: value, fields: self.fields })?;
            }
        }
        map.end()
    }
}

/// The chosen attributes of a product.
struct ChosenAttributes<'a> {
    all: &'a RawValue,
    fields: &'a [ChosenField],
}

impl Serialize for ChosenAttributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let RawObject(all) = serde_json::from_str(self.all.get()).map_err(S::Error::custom)?;
        let is_chosen = |key: &str| self.fields.iter().any(|field| field.is_attribute_of(key));
        serializer.collect_map(all.into_iter().filter(|(key, _)| is_chosen(key)))
    }
}

/// Returns the schema of a product with the additional fields of `T`. Only `id` is required, because clients may choose the fields.
pub(super) fn product_with<T: PartialSchema>(about: &str) -> RefOr<Schema> {
    let (product, further) = (Product::schema(), T::schema());
    let (RefOr::T(Schema::Object(mut product)), RefOr::T(Schema::Object(further))) = (product, further)
    else {
        unreachable!("products and what a search adds to them are objects")
    };
    product.properties.extend(further.properties);
    product.required = vec![ID.to_owned()];
    product.description = Some(about.to_owned());
    RefOr::T(Schema::Object(product))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_field_is_found_by_the_name_that_it_is_shown_by() {
        let attribute = "attributes.a,b".to_owned();
        for name in ChosenField::names().map(str::to_owned).chain([attribute]) {
            assert_eq!(ChosenField::parse(&name).map(|field| field.to_string()), Some(name));
        }
        for unknown in ["", "nmae", "attributes.", "explanation", "Name"] {
            assert_eq!(ChosenField::parse(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_hit_has_the_chosen_fields_in_its_own_order() {
        let hit = r#"{"id":"a","name":"Lamp","price":4503599627370.49,"attributes":{"a":1.0,"b,c":"x"},"score":1.5}"#;
        let hit: Box<RawValue> = serde_json::from_str(hit).unwrap();
        let chosen = |names: &[&str]| {
            let fields = names.iter().filter_map(|name| ChosenField::parse(name)).collect();
            let hits = vec![&hit];
            serde_json::to_string(&Chosen { hits, fields: Cow::Owned(fields) }).unwrap()
        };
        assert_eq!(chosen(&["price", "id"]), r#"[{"id":"a","price":4503599627370.49}]"#);
        assert_eq!(chosen(&["score", "name"]), r#"[{"id":"a","name":"Lamp","score":1.5}]"#);
        assert_eq!(chosen(&["attributes.b,c"]), r#"[{"id":"a","attributes":{"b,c":"x"}}]"#);
        assert_eq!(chosen(&["attributes.none"]), r#"[{"id":"a","attributes":{}}]"#);
        assert_eq!(
            chosen(&["attributes", "attributes.a"]),
            r#"[{"id":"a","attributes":{"a":1.0,"b,c":"x"}}]"#
        );
        assert_eq!(chosen(&["stock"]), r#"[{"id":"a"}]"#);
        assert_eq!(chosen(&[]), format!("[{hit}]"));
    }

    #[test]
    fn products_are_read_with_all_their_fields() {
        let read: Chosen<'_, serde_json::Value> = serde_json::from_str(r#"[{"id":"a"}]"#).unwrap();
        assert_eq!((read.hits, read.fields.len()), (vec![json!({"id": "a"})], 0));
    }
}
