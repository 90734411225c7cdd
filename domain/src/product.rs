//! The product and its parts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::category_path::CategoryPath;
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
    /// Distinct categories, the main one first; at most [`MAX_CATEGORIES`](crate::input::MAX_CATEGORIES).
    pub categories: Vec<CategoryPath>,
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

impl Content {
    /// Returns the main category.
    pub fn category(&self) -> Option<&CategoryPath> {
        self.categories.first()
    }
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
    /// The path of the main category, broad to narrow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, examples("Home > Lamps")))]
    category: Option<Cow<'a, CategoryPath>>,
    /// All categories, the main one first; only if there are several.
    // So the JSON of a product with one category stays as it was when a product could have only one.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>, max_items = 10))]
    categories: Cow<'a, [CategoryPath]>,
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
            category: content.category().map(Cow::Borrowed),
            categories: match content.categories.as_slice() {
                [] | [_] => Cow::Borrowed(&[]),
                several => Cow::Borrowed(several),
            },
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
                categories: match json.categories.is_empty() {
                    true => json.category.into_iter().map(Cow::into_owned).collect(),
                    false => json.categories.into_owned(),
                },
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
        fn an_id_is_safe_in_a_path(text in ".{0,140}") {
            if let Ok(id) = ProductId::parse(&text) {
                prop_assert!(!id.as_str().contains(['/', '?', '#', '%', ' ', '\\', '"']));
            }
        }
    }

    fn product(categories: &[&str]) -> Product {
        let named = crate::input::read_product(br#"{"name":"Lamp"}"#, Currency::USD).unwrap().content;
        let categories = categories.iter().map(|path| CategoryPath::parse(path).unwrap()).collect();
        let content = Content { categories, ..named };
        let at = Timestamp::UNIX_EPOCH;
        let id = ProductId::parse("lamp-1").unwrap();
        Product { id, version: Version::FIRST, created_at: at, updated_at: at, content }
    }

    #[test]
    fn only_a_product_with_several_categories_lists_them() {
        let json = |categories: &[&str]| serde_json::to_value(product(categories)).unwrap();
        assert_eq!((json(&[]).get("category"), json(&[]).get("categories")), (None, None));
        let one = json(&["Home > Lamps"]);
        assert_eq!((&one["category"], one.get("categories")), (&"Home > Lamps".into(), None));
        let several = json(&["Home > Lamps", "Sale"]);
        assert_eq!(several["category"], "Home > Lamps");
        assert_eq!(several["categories"], serde_json::json!(["Home > Lamps", "Sale"]));
    }

    #[test]
    fn a_stored_product_of_before_stays_equal_to_the_byte() {
        let json = r#"{"id":"lamp-1","name":"Lamp","category":"Home > Lamps","tags":["oak"],"price":39.90,"currency":"USD","attributes":{"watts":8},"images":[],"stock":2,"status":"active","version":3,"createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-03T03:04:05Z"}"#;
        let product: Product = serde_json::from_str(json).unwrap();
        assert_eq!(product.content.categories, [CategoryPath::parse("Home > Lamps").unwrap()]);
        assert_eq!(serde_json::to_string(&product).unwrap(), json);
    }

    #[test]
    fn categories_read_back_what_they_show() {
        for categories in [&[][..], &["Home > Lamps"], &["Home > Lamps", "Sale", "Home"]] {
            let product = product(categories);
            let json = serde_json::to_string(&product).unwrap();
            assert_eq!(serde_json::from_str::<Product>(&json).unwrap(), product, "{json}");
        }
    }
}
