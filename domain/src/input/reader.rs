//! Reads a product field by field.

use std::collections::{BTreeMap, HashSet};

use serde_json::value::RawValue;

use super::error::InputError;
use super::label::parse_label;
use super::limits::{
    FIELDS, MAX_ATTRIBUTE_VALUES, MAX_ATTRIBUTES, MAX_CATEGORIES, MAX_FIELDS, MAX_IMAGE_CHARS, MAX_KEY_CHARS,
    MAX_LABEL_CHARS, MAX_LIST_LENGTH, MAX_NAME_CHARS, MAX_STOCK, READ_ONLY_FIELDS,
};
use super::raw::{Counted, Field, RawObject, json_type, too_many_fields};
use crate::category_path::CategoryPath;
use crate::fault::{Fault, FaultKind, Faults};
use crate::money::{Currency, Money, MoneyError};
use crate::product::{AttributeValue, Content, MAX_PRODUCT_BYTES, Product, ProductId, Version};
use crate::status::Status;

/// A product as a caller wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductInput {
    /// The id, if the body has one.
    pub id: Option<ProductId>,
    /// Everything else.
    pub content: Content,
}

/// Reads a product from the JSON body of a request. A price without a currency is in `default_currency`.
///
/// # Errors
/// Returns [`InputError::Syntax`] if the body is not JSON, otherwise the faults of all fields at once. A list that is too long is one
/// fault, and none of its elements is read.
pub fn read_product(body: &[u8], default_currency: Currency) -> Result<ProductInput, InputError> {
    let object = RawObject::parse_at_most(body, MAX_FIELDS, PRODUCT)?;
    read_product_object(&object, body.len(), default_currency)
}

/// Reads a product from the object of a body of `bytes` bytes, as [`read_product`] does.
///
/// # Errors
/// As [`read_product`]; the body is JSON already.
pub fn read_product_object(
    object: &RawObject<'_>,
    bytes: usize,
    default_currency: Currency,
) -> Result<ProductInput, InputError> {
    if object.0.len() > MAX_FIELDS {
        return Err(too_many_fields(PRODUCT, MAX_FIELDS, object.0.len()).into());
    }
    let mut reader = FieldReader::default();
    let input = reader.product(object, default_currency);
    if reader.faults.is_empty()
        && let Some(input) = &input
        && bytes > MAX_PRODUCT_BYTES / LARGEST_GROWTH
    {
        reader.check_size(input);
    }
    match input {
        Some(input) if reader.faults.is_empty() => Ok(input),
        _ => Err(reader.faults.into()),
    }
}

/// The name of a body in faults.
const PRODUCT: &str = "a product";

/// An upper bound of the factor by which a product grows when it is serialized again: a number such as `1e15` grows the most.
const LARGEST_GROWTH: usize = 6;

/// Reads fields and collects their faults.
#[derive(Default)]
struct FieldReader {
    faults: Faults,
}

impl FieldReader {
    fn fault(&mut self, field: &str, kind: FaultKind, message: impl Into<String>) {
        self.faults.add_with(|| Fault::new(field, kind, message));
    }

    fn product(&mut self, object: &RawObject<'_>, default_currency: Currency) -> Option<ProductInput> {
        let mut fields = BTreeMap::new();
        for (key, raw) in &object.0 {
            if FIELDS.contains(&key.as_ref()) {
                if fields.insert(key.as_ref(), *raw).is_some() {
                    self.fault(key, FaultKind::Repeated, "is given twice; give it once");
                }
            } else if !READ_ONLY_FIELDS.contains(&key.as_ref()) {
                self.faults.add_with(|| unknown_field(key));
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
        let categories = self.categories(take("category"), take("categories"));
        let tags = take("tags").map(|raw| self.tags(raw)).unwrap_or_default();
        let price = self.money(take("price"), take("currency"), default_currency);
        let attributes = take("attributes").map(|raw| self.attributes(raw)).unwrap_or_default();
        let images = take("images").map(|raw| self.images(raw)).unwrap_or_default();
        let stock = take("stock").and_then(|raw| self.stock(raw));
        let status =
            take("status").and_then(|raw| self.parsed("status", raw, Status::parse)).unwrap_or_default();
        let source = take("source").and_then(|raw| self.label("source", raw, MAX_LABEL_CHARS));
        let content = Content {
            name: name?,
            description,
            sku,
            brand,
            categories,
            tags,
            price,
            attributes,
            images,
            stock,
            status,
            source,
        };
        Some(ProductInput { id, content })
    }

    /// Reads a text, which may be empty.
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

    /// Reads a text of one line that is not empty. Surrounding spaces are removed.
    fn label(&mut self, field: &str, raw: &RawValue, max_chars: usize) -> Option<String> {
        let text = self.text(field, raw)?;
        parse_label(&text, max_chars).map_err(|(kind, message)| self.fault(field, kind, message)).ok()
    }

    /// Reads a text and parses it.
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
                    let message = "is required where a currency is given; without a price, leave out `currency` or set it to null";
                    self.fault("price", FaultKind::Missing, message);
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
        // With a faulty currency the sign is still checked, so that both faults are reported at once.
        match Money::parse(price.get(), currency.unwrap_or(default_currency)) {
            Ok(money) => currency.map(|_| money),
            Err(MoneyError::TooManyDecimals { .. }) if currency.is_none() => None,
            Err(error) => {
                self.fault("price", FaultKind::OutOfRange, error.to_string());
                None
            }
        }
    }

    /// Reads the main category and the list of all. Either may be omitted; if both are given, they must agree.
    fn categories(&mut self, main: Option<&RawValue>, all: Option<&RawValue>) -> Vec<CategoryPath> {
        let main = main.and_then(|raw| self.parsed("category", raw, CategoryPath::parse));
        let Some(all) = all else { return main.into_iter().collect() };
        let faults_before = self.faults.count();
        let list = self.list("categories", all, MAX_CATEGORIES);
        let mut paths = Vec::with_capacity(list.len());
        for (at, raw) in list.into_iter().enumerate() {
            let path = self.parsed(&format!("categories.{at}"), raw, CategoryPath::parse);
            paths.extend(path.filter(|path| !paths.contains(path)));
        }
        // A list with a fault of its own is not compared.
        if self.faults.count() == faults_before
            && let Some(main) = main
            && paths.first() != Some(&main)
        {
            let first = paths.first().map_or("which is empty".to_owned(), |first| format!("`{first}`"));
            let message = format!("must be the first of `categories`, {first}; leave out one of the two");
            self.fault("category", FaultKind::Malformed, message);
        }
        paths
    }

    /// Splits a list of at most `max` elements. Of a list that is too long, the elements are not looked at.
    fn list<'a>(&mut self, field: &str, raw: &'a RawValue, max: usize) -> Vec<&'a RawValue> {
        match Counted::list(raw, max) {
            Some(Counted { first, count }) if count <= max => first,
            Some(Counted { count, .. }) => {
                let message = format!("must have at most {max} elements; it has {count}");
                self.fault(field, FaultKind::OutOfRange, message);
                Vec::new()
            }
            None => {
                let message = format!("must be a list of texts, not {}", json_type(raw));
                self.fault(field, FaultKind::WrongType, message);
                Vec::new()
            }
        }
    }

    fn tags(&mut self, raw: &RawValue) -> Vec<String> {
        let list = self.list("tags", raw, MAX_LIST_LENGTH);
        let mut seen = HashSet::new();
        let tags = list.into_iter().enumerate();
        tags.filter_map(|(at, raw)| self.label(&format!("tags.{at}"), raw, MAX_LABEL_CHARS))
            .filter(|tag| seen.insert(tag.clone()))
            .collect()
    }

    fn images(&mut self, raw: &RawValue) -> Vec<String> {
        let list = self.list("images", raw, MAX_LIST_LENGTH);
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

    /// Splits the object of attributes. If it has too many keys, they are not looked at.
    fn keys_and_values<'a>(&mut self, raw: &'a RawValue) -> Vec<Field<'a>> {
        match Counted::object(raw, MAX_ATTRIBUTES) {
            Some(Counted { first, count }) if count <= MAX_ATTRIBUTES => first,
            Some(Counted { count, .. }) => {
                let message = format!("must have at most {MAX_ATTRIBUTES} keys; it has {count}");
                self.fault("attributes", FaultKind::OutOfRange, message);
                Vec::new()
            }
            None => {
                let message = format!("must be an object of keys and values, not {}", json_type(raw));
                self.fault("attributes", FaultKind::WrongType, message);
                Vec::new()
            }
        }
    }

    fn attributes(&mut self, raw: &RawValue) -> BTreeMap<String, AttributeValue> {
        let mut attributes = BTreeMap::new();
        for (key, raw) in self.keys_and_values(raw) {
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

    /// Reads an attribute; null is the same as omitting it.
    fn attribute(&mut self, key: &str, raw: &RawValue) -> Option<AttributeValue> {
        if raw.get() == "null" {
            return None;
        }
        if let Some(Counted { count, .. }) = Counted::list(raw, 0)
            && count > MAX_ATTRIBUTE_VALUES
        {
            let message = format!("must have at most {MAX_ATTRIBUTE_VALUES} elements; it has {count}");
            self.fault(&format!("attributes.{key}"), FaultKind::OutOfRange, message);
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

    /// Rejects a product whose JSON, with the fields that the catalogue sets, is too large.
    fn check_size(&mut self, input: &ProductInput) {
        if let Some(fault) = size_fault(input.id.as_ref(), &input.content) {
            self.faults.add(fault);
        }
    }
}

/// Returns the fault of a product whose JSON, with the fields that the catalogue sets, is too large.
pub fn size_fault(id: Option<&ProductId>, content: &Content) -> Option<Fault> {
    let product = Product {
        id: id.cloned().unwrap_or_else(ProductId::generate),
        version: Version::FIRST,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        updated_at: jiff::Timestamp::UNIX_EPOCH,
        content: content.clone(),
    };
    let bytes = serde_json::to_vec(&product).map_or(usize::MAX, |json| json.len());
    let message = || format!("a product has at most {MAX_PRODUCT_BYTES} bytes as JSON; this one has {bytes}");
    (bytes > MAX_PRODUCT_BYTES).then(|| Fault::new("", FaultKind::OutOfRange, message()))
}

fn unknown_field(key: &str) -> Fault {
    let wrong_case = FIELDS.iter().find(|field| field.eq_ignore_ascii_case(key));
    let message = match wrong_case {
        Some(field) => format!("is not a field of a product; write `{field}`"),
        None => "is not a field of a product; put free data under `attributes`".to_owned(),
    };
    let shown: String = key.chars().take(MAX_KEY_CHARS).collect();
    Fault::new(shown, FaultKind::Unknown, message)
}
