//! The product and its parts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::money::{Currency, Money};
use crate::status::Status;

/// The most bytes of a product as JSON, so that it fits one queue message and one database item.
pub const MAX_PRODUCT_BYTES: usize = 200 * 1024;

/// The id of a product: 1 to 128 ASCII letters, digits and `. _ - : ~`. It needs no escaping in a path of the API.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ProductId(String);

/// Path segments that are taken by the API.
const RESERVED_IDS: [&str; 6] = [".", "..", "search", "suggest", "facets", "bulk"];

impl ProductId {
    /// The most characters of an id.
    pub const MAX_CHARS: usize = 128;

    /// Generates a time-ordered id (UUIDv7).
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }

    /// Parses an id.
    ///
    /// # Errors
    /// Returns a message that follows the name of the field: `must have …`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '~');
        if text.is_empty() || text.len() > Self::MAX_CHARS {
            return Err(format!("must have 1 to {} characters", Self::MAX_CHARS));
        }
        if let Some(c) = text.chars().find(|c| !allowed(*c)) {
            return Err(format!(
                "must consist of ASCII letters, digits and `.`, `_`, `-`, `:`, `~`; found `{}`",
                c.escape_default()
            ));
        }
        if RESERVED_IDS.contains(&text) {
            return Err(format!("must not be `{text}`, which names a page of the API; choose another id"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for ProductId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Za-z0-9._:~-]+$"));
        Schema::from(text.min_length(Some(1)).max_length(Some(Self::MAX_CHARS)).build()).into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for ProductId {}

impl FromStr for ProductId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for ProductId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The version of a product: 1, 2, 3 … never reused, also across a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// The first version of a product.
    pub const FIRST: Self = Self(1);

    /// Returns the version that follows `current`; the first one if the product never existed.
    pub fn after(current: Option<Self>) -> Self {
        current.map_or(Self::FIRST, |Self(version)| Self(version + 1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A category as the path from the broadest to the narrowest, `Computers > Laptops` on the wire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CategoryPath(Vec<String>);

impl CategoryPath {
    /// The most levels of a path.
    pub const MAX_LEVELS: usize = 10;
    /// The most characters of a level.
    pub const MAX_LEVEL_CHARS: usize = 100;
    /// The separator between levels in JSON.
    pub const SEPARATOR: &'static str = " > ";

    /// Parses `Computers > Laptops`. Spaces around a level are removed.
    ///
    /// # Errors
    /// Returns a message that follows the name of the field: `must be …`.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::from_levels(text.split('>'))
    }

    /// Creates a path of the given levels, broad to narrow.
    ///
    /// # Errors
    /// Returns a message that follows the name of the field: `must be …`.
    pub fn from_levels<'a>(levels: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let levels: Vec<String> = levels.into_iter().map(|level| level.trim().to_owned()).collect();
        if levels.is_empty() || levels.iter().any(String::is_empty) {
            return Err("must be a path such as `Computers > Laptops` without empty levels".to_owned());
        }
        if levels.len() > Self::MAX_LEVELS {
            return Err(format!("must have at most {} levels", Self::MAX_LEVELS));
        }
        if levels.iter().any(|level| level.chars().count() > Self::MAX_LEVEL_CHARS) {
            return Err(format!("must have at most {} characters a level", Self::MAX_LEVEL_CHARS));
        }
        if levels.iter().any(|level| level.contains('>') || level.contains(char::is_control)) {
            return Err("must have neither `>` nor control characters inside a level".to_owned());
        }
        Ok(Self(levels))
    }

    /// Returns the levels, broad to narrow; at least one.
    pub fn levels(&self) -> &[String] {
        &self.0
    }

    /// Returns the path and its ancestors, the broadest first: `A`, `A > B`.
    pub fn with_ancestors(&self) -> impl Iterator<Item = String> + '_ {
        (1..=self.0.len()).map(|depth| self.0[..depth].join(Self::SEPARATOR))
    }

    /// Returns true if this path is `other` or a descendant of it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for CategoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(Self::SEPARATOR))
    }
}

impl Serialize for CategoryPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CategoryPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AttributeValue {
    /// A text.
    Text(String),
    /// A number that fits 64 bits.
    #[cfg_attr(feature = "openapi", schema(value_type = f64))]
    Number(serde_json::Number),
    /// True or false.
    Flag(bool),
    /// Several texts.
    List(Vec<String>),
}

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = AttributeValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true, false or a list of texts")
            }
            fn visit_str<E>(self, text: &str) -> Result<AttributeValue, E> {
                Ok(AttributeValue::Text(text.to_owned()))
            }
            fn visit_string<E>(self, text: String) -> Result<AttributeValue, E> {
                Ok(AttributeValue::Text(text))
            }
            fn visit_bool<E>(self, flag: bool) -> Result<AttributeValue, E> {
                Ok(AttributeValue::Flag(flag))
            }
            fn visit_u64<E>(self, number: u64) -> Result<AttributeValue, E> {
                Ok(AttributeValue::Number(number.into()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<AttributeValue, E> {
                Ok(AttributeValue::Number(number.into()))
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<AttributeValue, E> {
                serde_json::Number::from_f64(number)
                    .map(AttributeValue::Number)
                    .ok_or_else(|| E::custom("a number must be finite"))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<AttributeValue, A::Error> {
                let mut list = Vec::new();
                while let Some(text) = seq.next_element()? {
                    list.push(text);
                }
                Ok(AttributeValue::List(list))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// The part of a product that a caller writes: everything but its id, version and times. If two contents are equal, writing one
/// over the other changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// The name that shoppers see, 1 to 500 characters.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The shop's own code, unique in the catalogue when given.
    pub sku: Option<String>,
    /// The maker's name.
    pub brand: Option<String>,
    /// The category.
    pub category: Option<CategoryPath>,
    /// Distinct labels.
    pub tags: Vec<String>,
    /// The price.
    pub price: Option<Money>,
    /// Further data by arbitrary keys.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// Addresses of pictures, the main one first.
    pub images: Vec<String>,
    /// The pieces in stock; `None` if unknown.
    pub stock: Option<u64>,
    /// The visibility.
    pub status: Status,
    /// The feed or program that the product comes from. It is kept, and no search shows or finds it.
    pub source: Option<String>,
}

/// A product in the store and the API. As JSON it is one flat object in camelCase.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// The id.
    pub id: ProductId,
    /// The version.
    pub version: Version,
    /// The time of creation; if the product was deleted and created again, of the latest creation.
    pub created_at: Timestamp,
    /// The time at which this version was written.
    pub updated_at: Timestamp,
    /// The content that the caller wrote.
    pub content: Content,
}

/// A product, as it is read: one flat object.
// The type exists because `price` and `currency` are two fields in JSON and one `Money` here.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Product))]
pub(crate) struct ProductJson<'a> {
    /// Given by the caller, or a UUIDv7.
    #[cfg_attr(feature = "openapi", schema(value_type = String, examples("lamp-1")))]
    id: Cow<'a, ProductId>,
    /// The name that shoppers see.
    #[cfg_attr(feature = "openapi", schema(value_type = String, examples("Desk lamp")))]
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    description: Option<Cow<'a, str>>,
    /// The shop's own code, unique in the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    sku: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    brand: Option<Cow<'a, str>>,
    /// The path, broad to narrow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, examples("Home > Lamps")))]
    category: Option<Cow<'a, CategoryPath>>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    tags: Cow<'a, [String]>,
    /// An exact decimal number in `currency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>, examples(19.9)))]
    price: Option<Box<RawValue>>,
    /// The currency of the price, ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, examples("USD")))]
    currency: Option<Currency>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, AttributeValue>))]
    attributes: Cow<'a, BTreeMap<String, AttributeValue>>,
    /// Addresses of pictures, the main one first.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    images: Cow<'a, [String]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stock: Option<u64>,
    status: Status,
    /// The feed or program that the product comes from. Searches do not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    source: Option<Cow<'a, str>>,
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    version: Version,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    created_at: Timestamp,
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    updated_at: Timestamp,
}

impl Product {
    /// Serializes the product for shoppers: without its source.
    ///
    /// # Errors
    /// As [`serde_json::to_string`].
    pub fn to_public_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&ProductJson { source: None, ..self.as_json() })
    }

    fn as_json(&self) -> ProductJson<'_> {
        let content = &self.content;
        ProductJson {
            id: Cow::Borrowed(&self.id),
            name: Cow::Borrowed(&content.name),
            description: content.description.as_deref().map(Cow::Borrowed),
            sku: content.sku.as_deref().map(Cow::Borrowed),
            brand: content.brand.as_deref().map(Cow::Borrowed),
            category: content.category.as_ref().map(Cow::Borrowed),
            tags: Cow::Borrowed(&content.tags),
            price: content.price.map(Money::to_json_number),
            currency: content.price.map(Money::currency),
            attributes: Cow::Borrowed(&content.attributes),
            images: Cow::Borrowed(&content.images),
            stock: content.stock,
            status: content.status,
            source: content.source.as_deref().map(Cow::Borrowed),
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

impl Serialize for Product {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_json().serialize(serializer)
    }
}

/// Deserializes a serialized [`Product`]. Bodies of requests are read by [`crate::input`], which reports all faults at once.
impl<'de> Deserialize<'de> for Product {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = ProductJson::deserialize(deserializer)?;
        let price = match (json.price, json.currency) {
            (Some(price), Some(currency)) => {
                Some(Money::parse(price.get(), currency).map_err(D::Error::custom)?)
            }
            (None, _) => None,
            (Some(_), None) => return Err(D::Error::missing_field("currency")),
        };
        Ok(Self {
            id: json.id.into_owned(),
            version: json.version,
            created_at: json.created_at,
            updated_at: json.updated_at,
            content: Content {
                name: json.name.into_owned(),
                description: json.description.map(Cow::into_owned),
                sku: json.sku.map(Cow::into_owned),
                brand: json.brand.map(Cow::into_owned),
                category: json.category.map(Cow::into_owned),
                tags: json.tags.into_owned(),
                price,
                attributes: json.attributes.into_owned(),
                images: json.images.into_owned(),
                stock: json.stock,
                status: json.status,
                source: json.source.map(Cow::into_owned),
            },
        })
    }
}

#[cfg(feature = "openapi")]
mod openapi {
    use super::{Product, ProductJson};
    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::Schema;

    impl utoipa::PartialSchema for Product {
        fn schema() -> RefOr<Schema> {
            ProductJson::schema()
        }
    }

    impl utoipa::ToSchema for Product {
        fn name() -> std::borrow::Cow<'static, str> {
            "Product".into()
        }
        fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            ProductJson::schemas(schemas);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_category_path_reads_back_what_it_shows(levels in prop::collection::vec("[a-zA-Z&ア][a-zA-Z &ア]{0,20}", 1..10)) {
            let path = CategoryPath::from_levels(levels.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(CategoryPath::parse(&path.to_string()), Ok(path.clone()));
            prop_assert_eq!(path.with_ancestors().last(), Some(path.to_string()));
            for ancestor in path.with_ancestors() {
                prop_assert!(path.is_within(&CategoryPath::parse(&ancestor).unwrap()));
            }
        }

        #[test]
        fn no_text_makes_parsing_a_path_panic(text in ".{0,60}") {
            let _ = CategoryPath::parse(&text);
        }

        #[test]
        fn an_id_is_safe_in_a_path(text in ".{0,140}") {
            if let Ok(id) = ProductId::parse(&text) {
                prop_assert!(!id.as_str().contains(['/', '?', '#', '%', ' ', '\\', '"']));
            }
        }
    }

    #[test]
    fn a_sibling_with_the_same_beginning_is_not_within() {
        let path = |text| CategoryPath::parse(text).unwrap();
        assert!(!path("Computers > Laptops").is_within(&path("Comp")));
        assert!(!path("Laptops and more").is_within(&path("Laptops")));
    }
}
