//! Reading the product that a caller sent, so that every fault is reported at once and prices stay exact.
//!
//! The body is split into its fields as raw JSON first; each field is then read on its own. A price never
//! becomes a float on the way.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::fault::{Fault, FaultKind, Faults};
use crate::money::{Currency, Money};
use crate::product::{AttributeValue, CategoryPath, Content, MAX_PRODUCT_BYTES, ProductId, Status};

/// The most characters a name may have.
pub const MAX_NAME_CHARS: usize = 500;
/// The most characters a sku, a brand or a tag may have.
pub const MAX_LABEL_CHARS: usize = 128;
/// The most tags, and the most images, a product may have.
pub const MAX_LIST_LENGTH: usize = 100;
/// The most attributes a product may have.
pub const MAX_ATTRIBUTES: usize = 1000;
/// The most characters an attribute's key may have.
pub const MAX_KEY_CHARS: usize = 128;
/// The most characters the address of an image may have.
pub const MAX_IMAGE_CHARS: usize = 2048;
/// The most pieces in stock: above it, a JavaScript client would not read the number exactly.
pub const MAX_STOCK: u64 = 9_007_199_254_740_991;

/// The fields that a caller may write, in the order of the documents.
pub const FIELDS: [&str; 13] = [
    "id",
    "name",
    "description",
    "sku",
    "brand",
    "category",
    "tags",
    "price",
    "currency",
    "attributes",
    "images",
    "stock",
    "status",
];

/// The fields that the catalogue sets. They are accepted and ignored, so that what was read or exported can be
/// sent back as it is.
pub const READ_ONLY_FIELDS: [&str; 3] = ["version", "createdAt", "updatedAt"];

/// Why a body is no product.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Not JSON; the text says where.
    #[error("{0}")]
    Syntax(String),
    /// JSON, but not a product.
    #[error(transparent)]
    Faults(#[from] Faults),
}

/// A product as a caller wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductInput {
    /// The identity, where the body names one.
    pub id: Option<ProductId>,
    /// Everything else.
    pub content: Content,
}

/// The body that callers send, for the description of the API; [`read_product`] reads it.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[schema(as = ProductInput, rename_all = "camelCase")]
#[expect(dead_code, reason = "its fields are only described")]
pub struct ProductBody {
    /// 1 to 128 ASCII letters, digits and `.`, `_`, `-`, `:`, `~`.
    #[schema(examples("lamp-1"))]
    id: Option<String>,
    /// The name that shoppers see, 1 to 500 characters.
    #[schema(examples("Desk lamp"))]
    name: String,
    description: Option<String>,
    /// The shop's own code, unique in the catalogue.
    sku: Option<String>,
    brand: Option<String>,
    /// The path, broad to narrow, at most 10 levels.
    #[schema(examples("Home > Lamps"))]
    category: Option<String>,
    tags: Option<Vec<String>>,
    /// Not negative, with no more decimals than the currency has.
    #[schema(examples(19.9))]
    price: Option<f64>,
    /// The currency of the price, ISO 4217; the catalogue's unless given.
    #[schema(examples("USD"))]
    currency: Option<String>,
    /// At most 1,000 free keys.
    attributes: Option<BTreeMap<String, AttributeValue>>,
    /// Addresses that start with `https://` or `http://`, the main one first.
    images: Option<Vec<String>>,
    stock: Option<u64>,
    /// `active` unless given.
    status: Option<Status>,
}

/// Reads a product from the JSON of a request. A price without a currency is in `default_currency`.
///
/// # Errors
/// [`InputError::Syntax`] for a body that is not JSON, else all faults of all fields at once.
pub fn read_product(body: &[u8], default_currency: Currency) -> Result<ProductInput, InputError> {
    let object = RawObject::parse(body)?;
    let mut reader = FieldReader::default();
    let input = reader.product(&object, default_currency);
    if reader.faults.is_empty()
        && let Some(input) = &input
        && body.len() > MAX_PRODUCT_BYTES / LARGEST_GROWTH
    {
        reader.check_size(input);
    }
    match input {
        Some(input) if reader.faults.is_empty() => Ok(input),
        _ => Err(Faults(reader.faults).into()),
    }
}

/// How much longer a product can be when it is written again: a number such as `1e15` grows the most.
const LARGEST_GROWTH: usize = 6;

/// The fields of a JSON object in the order they came, each still as JSON, so that numbers keep their digits.
#[derive(Debug)]
pub struct RawObject<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> RawObject<'a> {
    /// Splits the body of a request.
    ///
    /// # Errors
    /// [`InputError::Syntax`] for a body that is not JSON, a fault for JSON that is no object.
    pub fn parse(json: &'a [u8]) -> Result<Self, InputError> {
        serde_json::from_slice(json).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => {
                Fault::new("", FaultKind::WrongType, "the body must be a JSON object").into()
            }
            _ => InputError::Syntax(format!("the body is not valid JSON: {error}")),
        })
    }
}

impl From<Fault> for InputError {
    fn from(fault: Fault) -> Self {
        Self::Faults(fault.into())
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
                let mut fields = Vec::with_capacity(map.size_hint().unwrap_or(16));
                while let Some((Key(key), value)) = map.next_entry()? {
                    fields.push((key, value));
                }
                Ok(RawObject(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A key that borrows from the input where it has no escapes, which serde's own `Cow` does not.
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

/// Reads fields and gathers what is wrong with them.
#[derive(Default)]
struct FieldReader {
    faults: Vec<Fault>,
}

impl FieldReader {
    fn fault(&mut self, field: &str, kind: FaultKind, message: impl Into<String>) {
        self.faults.push(Fault::new(field, kind, message));
    }

    fn product(&mut self, object: &RawObject<'_>, default_currency: Currency) -> Option<ProductInput> {
        let mut fields = BTreeMap::new();
        for (key, raw) in &object.0 {
            if FIELDS.contains(&key.as_ref()) {
                if fields.insert(key.as_ref(), *raw).is_some() {
                    self.fault(key, FaultKind::Repeated, "is given twice; give it once");
                }
            } else if !READ_ONLY_FIELDS.contains(&key.as_ref()) {
                let shown: String = key.chars().take(MAX_KEY_CHARS).collect();
                self.fault(&shown, FaultKind::Unknown, unknown_field_message(key));
            }
        }
        let mut take = |field: &str| fields.remove(field).filter(|raw| raw.get() != "null");
        let id = take("id").and_then(|raw| self.parsed("id", raw, ProductId::parse));
        let name = match take("name") {
            Some(raw) => self.label("name", raw, MAX_NAME_CHARS),
            None => {
                self.fault("name", FaultKind::Missing, "is required");
                None
            }
        };
        let description = take("description").and_then(|raw| self.text("description", raw));
        let sku = take("sku").and_then(|raw| self.label("sku", raw, MAX_LABEL_CHARS));
        let brand = take("brand").and_then(|raw| self.label("brand", raw, MAX_LABEL_CHARS));
        let category = take("category").and_then(|raw| self.parsed("category", raw, CategoryPath::parse));
        let tags = take("tags").map(|raw| self.tags(raw)).unwrap_or_default();
        let price = self.money(take("price"), take("currency"), default_currency);
        let attributes = take("attributes").map(|raw| self.attributes(raw)).unwrap_or_default();
        let images = take("images").map(|raw| self.images(raw)).unwrap_or_default();
        let stock = take("stock").and_then(|raw| self.stock(raw));
        let status =
            take("status").and_then(|raw| self.parsed("status", raw, parse_status)).unwrap_or_default();
        let content = Content {
            name: name?,
            description,
            sku,
            brand,
            category,
            tags,
            price,
            attributes,
            images,
            stock,
            status,
        };
        Some(ProductInput { id, content })
    }

    /// Any text, also an empty one.
    fn text(&mut self, field: &str, raw: &RawValue) -> Option<String> {
        if !raw.get().starts_with('"') {
            self.fault(field, FaultKind::WrongType, format!("must be a text, not {}", json_type(raw)));
            return None;
        }
        match serde_json::from_str::<String>(raw.get()) {
            Ok(text) if text.contains('\0') => {
                self.fault(field, FaultKind::Malformed, "must not contain the NUL character");
                None
            }
            Ok(text) => Some(text),
            Err(error) => {
                self.fault(field, FaultKind::Malformed, format!("is not a valid JSON text: {error}"));
                None
            }
        }
    }

    /// A text of one line that is not empty; spaces at its ends do not count.
    fn label(&mut self, field: &str, raw: &RawValue, max_chars: usize) -> Option<String> {
        let mut text = self.text(field, raw)?;
        if text.trim().len() < text.len() {
            text = text.trim().to_owned();
        }
        let chars = text.chars().count();
        if chars == 0 || chars > max_chars {
            let message = format!("must have 1 to {max_chars} characters; it has {chars}");
            self.fault(field, FaultKind::OutOfRange, message);
            return None;
        }
        if text.contains(char::is_control) {
            self.fault(field, FaultKind::Malformed, "must not contain control characters or line breaks");
            return None;
        }
        Some(text)
    }

    /// A text that `parse` turns into something of the domain.
    fn parsed<T>(
        &mut self,
        field: &str,
        raw: &RawValue,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(field, raw)?;
        parse(&text).map_err(|message| self.fault(field, FaultKind::Malformed, message)).ok()
    }

    fn money(
        &mut self,
        price: Option<&RawValue>,
        currency: Option<&RawValue>,
        default_currency: Currency,
    ) -> Option<Money> {
        let currency = match currency {
            None => Some(default_currency),
            Some(raw) => {
                if price.is_none() {
                    self.fault("price", FaultKind::Missing, "is required where a currency is given");
                }
                self.parsed("currency", raw, |code| Currency::parse(code).map_err(|error| error.to_string()))
            }
        };
        let price = price?;
        if !price.get().starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            let message = format!("must be a number such as 19.99, not {}", json_type(price));
            self.fault("price", FaultKind::WrongType, message);
            return None;
        }
        // With a faulty currency the sign can still be checked, so that both faults are reported at once.
        match Money::parse(price.get(), currency.unwrap_or(default_currency)) {
            Ok(money) => currency.map(|_| money),
            Err(crate::MoneyError::TooManyDecimals { .. }) if currency.is_none() => None,
            Err(error) => {
                self.fault("price", FaultKind::OutOfRange, error.to_string());
                None
            }
        }
    }

    /// The elements of a list, each still as JSON.
    fn list<'a>(&mut self, field: &str, raw: &'a RawValue) -> Vec<&'a RawValue> {
        if !raw.get().starts_with('[') {
            self.fault(
                field,
                FaultKind::WrongType,
                format!("must be a list of texts, not {}", json_type(raw)),
            );
            return Vec::new();
        }
        let list: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
        list
    }

    fn tags(&mut self, raw: &RawValue) -> Vec<String> {
        let list = self.list("tags", raw);
        self.check_length("tags", list.len());
        let mut seen = HashSet::new();
        let tags = list.into_iter().enumerate();
        tags.filter_map(|(at, raw)| self.label(&format!("tags.{at}"), raw, MAX_LABEL_CHARS))
            .filter(|tag| seen.insert(tag.clone()))
            .collect()
    }

    fn images(&mut self, raw: &RawValue) -> Vec<String> {
        let list = self.list("images", raw);
        self.check_length("images", list.len());
        let mut images = Vec::with_capacity(list.len());
        for (at, raw) in list.into_iter().enumerate() {
            let field = format!("images.{at}");
            let Some(image) = self.label(&field, raw, MAX_IMAGE_CHARS) else { continue };
            let address = image.strip_prefix("https://").or_else(|| image.strip_prefix("http://"));
            if address.is_none_or(str::is_empty) || image.contains(char::is_whitespace) {
                let message = "must be an address that starts with https:// or http:// and has no spaces";
                self.fault(&field, FaultKind::Malformed, message);
                continue;
            }
            images.push(image);
        }
        images
    }

    fn check_length(&mut self, field: &str, length: usize) {
        if length > MAX_LIST_LENGTH {
            let message = format!("must have at most {MAX_LIST_LENGTH} elements; it has {length}");
            self.fault(field, FaultKind::OutOfRange, message);
        }
    }

    fn attributes(&mut self, raw: &RawValue) -> BTreeMap<String, AttributeValue> {
        let Ok(RawObject(fields)) = serde_json::from_str::<RawObject<'_>>(raw.get()) else {
            let message = format!("must be an object of keys and values, not {}", json_type(raw));
            self.fault("attributes", FaultKind::WrongType, message);
            return BTreeMap::new();
        };
        if fields.len() > MAX_ATTRIBUTES {
            let message = format!("must have at most {MAX_ATTRIBUTES} keys; it has {}", fields.len());
            self.fault("attributes", FaultKind::OutOfRange, message);
        }
        let mut attributes = BTreeMap::new();
        for (key, raw) in fields {
            let chars = key.chars().count();
            if chars == 0 || chars > MAX_KEY_CHARS || key.contains(char::is_control) {
                let message = format!(
                    "must have keys of 1 to {MAX_KEY_CHARS} characters without control characters; found `{}`",
                    key.chars().take(MAX_KEY_CHARS).collect::<String>().escape_default()
                );
                self.fault("attributes", FaultKind::Malformed, message);
            } else if let Some(value) = self.attribute(&key, raw)
                && attributes.insert(key.to_string(), value).is_some()
            {
                self.fault(&format!("attributes.{key}"), FaultKind::Repeated, "is given twice; give it once");
            }
        }
        attributes
    }

    /// One attribute; null is the same as leaving it out.
    fn attribute(&mut self, key: &str, raw: &RawValue) -> Option<AttributeValue> {
        if raw.get() == "null" {
            return None;
        }
        match serde_json::from_str::<AttributeValue>(raw.get()) {
            Ok(AttributeValue::Text(text)) if text.contains('\0') => {
                let message = "must not contain the NUL character";
                self.fault(&format!("attributes.{key}"), FaultKind::Malformed, message);
                None
            }
            Ok(AttributeValue::List(list)) if list.iter().any(|text| text.contains('\0')) => {
                let message = "must not contain the NUL character";
                self.fault(&format!("attributes.{key}"), FaultKind::Malformed, message);
                None
            }
            Ok(value) => Some(value),
            Err(_) => {
                let message = format!(
                    "must be a text, a number that fits 64 bits, true, false or a list of texts, not {}",
                    json_type(raw)
                );
                self.fault(&format!("attributes.{key}"), FaultKind::WrongType, message);
                None
            }
        }
    }

    fn stock(&mut self, raw: &RawValue) -> Option<u64> {
        match raw.get().parse::<u64>() {
            Ok(stock) if stock <= MAX_STOCK => Some(stock),
            _ if raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                let message = format!("must be a whole number from 0 to {MAX_STOCK}");
                self.fault("stock", FaultKind::OutOfRange, message);
                None
            }
            _ => {
                let message = format!("must be a whole number, not {}", json_type(raw));
                self.fault("stock", FaultKind::WrongType, message);
                None
            }
        }
    }

    /// Refuses a product that would not fit one message. The catalogue's own fields are left out of the count
    /// by the caller's view of it, so they are allowed for here.
    fn check_size(&mut self, input: &ProductInput) {
        let product = crate::Product {
            id: input.id.clone().unwrap_or_else(ProductId::generate),
            version: crate::Version::FIRST,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            updated_at: jiff::Timestamp::UNIX_EPOCH,
            content: input.content.clone(),
        };
        let bytes = serde_json::to_vec(&product).map_or(usize::MAX, |json| json.len());
        if bytes > MAX_PRODUCT_BYTES {
            let message =
                format!("a product has at most {MAX_PRODUCT_BYTES} bytes as JSON; this one has {bytes}");
            self.fault("", FaultKind::OutOfRange, message);
        }
    }
}

fn parse_status(text: &str) -> Result<Status, String> {
    Status::ALL
        .iter()
        .find_map(|(name, status)| (*name == text).then_some(*status))
        .ok_or_else(|| "must be `active`, `draft` or `archived`".to_owned())
}

fn unknown_field_message(key: &str) -> String {
    let wrong_case = FIELDS.iter().find(|field| field.eq_ignore_ascii_case(key));
    match wrong_case {
        Some(field) => format!("is not a field of a product; write `{field}`"),
        None => "is not a field of a product; put free data under `attributes`".to_owned(),
    }
}

/// What a JSON value is, for a message: `a text`.
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

    fn faults(json: &str) -> Vec<(String, FaultKind)> {
        match read_product(json.as_bytes(), Currency::USD) {
            Err(InputError::Faults(Faults(faults))) => {
                faults.into_iter().map(|fault| (fault.field, fault.kind)).collect()
            }
            other => panic!("expected faults, got {other:?}"),
        }
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let found = faults(
            r#"{"id":"a/b","price":-1,"currency":"XXXX","tags":["ok",3],"colour":"red","stock":1.5,
                "attributes":{"size":{"w":1}},"images":["ftp://x"],"status":"sold","Brand":"x"}"#,
        );
        let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
        let expected = [
            "colour",
            "Brand",
            "id",
            "name",
            "tags.1",
            "currency",
            "price",
            "attributes.size",
            "images.0",
            "stock",
            "status",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_price_keeps_its_digits() {
        let input = read_product(br#"{"name":"x","price":4503599627370.49}"#, Currency::USD).unwrap();
        assert_eq!(input.content.price.unwrap().minor_units(), 450_359_962_737_049);
        assert_eq!(faults(r#"{"name":"x","price":1.234}"#), [("price".to_owned(), FaultKind::OutOfRange)]);
        assert_eq!(faults(r#"{"name":"x","price":"1"}"#), [("price".to_owned(), FaultKind::WrongType)]);
    }

    #[test]
    fn what_was_read_can_be_sent_back() {
        let json =
            r#"{"name":"x","version":3,"createdAt":"2026-01-01T00:00:00Z","updatedAt":null,"sku":null}"#;
        assert_eq!(read_product(json.as_bytes(), Currency::USD).unwrap().content.sku, None);
    }

    #[test]
    fn broken_json_says_where() {
        let error = read_product(b"{\"name\": \"x\",\n}", Currency::USD).unwrap_err();
        assert!(matches!(&error, InputError::Syntax(text) if text.contains("line 2")), "{error}");
        assert_eq!(faults("[1]"), [(String::new(), FaultKind::WrongType)]);
        assert_eq!(faults(r#"{"name":"x","name":"y"}"#), [("name".to_owned(), FaultKind::Repeated)]);
    }

    #[test]
    fn a_product_over_the_limit_is_refused() {
        let json = |length| format!(r#"{{"name":"x","description":"{}"}}"#, "a".repeat(length));
        assert!(read_product(json(199 * 1024).as_bytes(), Currency::USD).is_ok());
        assert_eq!(faults(&json(201 * 1024)), [(String::new(), FaultKind::OutOfRange)]);
    }
}
