//! Maps a record of a foreign catalogue to a product, from JSON to JSON: values keep their digits, and no tree is built.
//! `docs/IMPORT.md` describes the rules.

use domain::input::{READ_ONLY_FIELDS, RawObject};
use domain::{Currency, Fault, FaultKind, Faults};

use crate::identity::IdOrigin;
use crate::json::is_empty;
use crate::product::ProductBuilder;
use crate::values::may_have_controls;

/// A record mapped to a product.
#[derive(Debug)]
pub struct Mapped {
    /// The product as JSON, with an id; `None` if the record itself is that already.
    pub rewritten: Option<Vec<u8>>,
    /// The JSON of its id.
    pub id: String,
    /// The origin of the id.
    pub origin: IdOrigin,
}

/// Maps one record, given as JSON. A price without a currency gets `currency`, if there is one.
///
/// # Errors
/// The faults of a record that is not a JSON object or has values that no product can hold. Validation of the product's
/// own fields is left to the catalogue.
pub fn map_record(json: &[u8], currency: Option<Currency>) -> Result<Mapped, Vec<Fault>> {
    map_object(&parse_record(json)?, json.len(), currency)
}

/// Parses a record.
///
/// # Errors
/// The fault of a record that is not a JSON object.
pub(crate) fn parse_record(json: &[u8]) -> Result<RawObject<'_>, Vec<Fault>> {
    serde_json::from_slice(json).map_err(|error| vec![not_an_object(json, &error)])
}

/// Maps one record, whose JSON has `length` bytes.
///
/// # Errors
/// As [`map_record`].
pub(crate) fn map_object(
    object: &RawObject<'_>,
    length: usize,
    currency: Option<Currency>,
) -> Result<Mapped, Vec<Fault>> {
    if let Some(id) = id_of_complete_product(object, currency) {
        return Ok(Mapped { rewritten: None, id: id.to_owned(), origin: IdOrigin::Given });
    }
    let mut product = ProductBuilder::default();
    for (key, raw) in &object.0 {
        product.add(key, raw);
    }
    let built = product.build(object, length, currency).map_err(Faults::into_list)?;
    Ok(Mapped { rewritten: Some(built.json), id: built.id, origin: built.origin })
}

fn not_an_object(json: &[u8], error: &serde_json::Error) -> Fault {
    match error.classify() {
        // The parser reports invalid UTF-8 only inside of texts.
        _ if std::str::from_utf8(json).is_err() => {
            Fault::new("", FaultKind::Malformed, "is not UTF-8; save the file as UTF-8")
        }
        serde_json::error::Category::Data => {
            Fault::new("", FaultKind::WrongType, "must be a JSON object, one product per line")
        }
        _ => {
            let what = error.to_string();
            // The parser sees one line only, so its line number is always 1.
            let what = what.replace(" at line 1 column ", " at character ");
            Fault::new("", FaultKind::Malformed, format!("is not valid JSON: {what}; correct the line"))
        }
    }
}

/// Returns the JSON of the id if no field of the record has to change. Most records are of this kind, and for them this
/// check is all of the mapping.
fn id_of_complete_product<'a>(object: &RawObject<'a>, currency: Option<Currency>) -> Option<&'a str> {
    let mut id = None;
    let (mut has_price, mut has_currency) = (false, currency.is_none());
    for (key, raw) in &object.0 {
        let json = raw.get();
        let is_text = || json.starts_with('"') && !is_empty(raw);
        let fits = match key.as_ref() {
            "id" => {
                id = Some(json);
                is_text()
            }
            "price" => {
                has_price = true;
                !json.starts_with(['"', 'n'])
            }
            "currency" => {
                has_currency = true;
                is_text()
            }
            "stock" => !json.starts_with('"'),
            "name" | "brand" | "category" | "sku" | "source" => is_text() && !may_have_controls(json),
            "description" | "status" => is_text(),
            // Among attributes, only lists and objects may have to change.
            "attributes" => {
                json.starts_with('{') && !json.as_bytes()[1..].iter().any(|byte| matches!(byte, b'[' | b'{'))
            }
            "tags" | "images" => true,
            "categories" => json.starts_with('[') && !may_have_controls(json),
            key => READ_ONLY_FIELDS.contains(&key),
        };
        if !fits {
            return None;
        }
    }
    id.filter(|_| has_currency || !has_price)
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
