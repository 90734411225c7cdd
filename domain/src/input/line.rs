//! Reads a line of a bulk write.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::error::InputError;
use super::limits::{MAX_FIELDS, MAX_KEY_CHARS};
use super::raw::{RawObject, json_type};
use super::reader::{ProductInput, read_product_object};
use crate::fault::{Fault, FaultKind, Faults};
use crate::money::Currency;
use crate::product::{ProductId, Version};

/// The field that makes a line a delete.
const DELETE: &str = "delete";
/// The fields of a line that deletes.
const DELETE_FIELDS: [&str; 3] = ["id", DELETE, "ifVersion"];

/// A line of a bulk write.
#[derive(Debug, Clone, PartialEq)]
pub enum LineInput {
    /// Creates or replaces a product.
    Product(Box<ProductInput>),
    /// Deletes a product.
    Delete(DeleteInput),
}

/// A delete: `{"id": "lamp-1", "delete": true}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteInput {
    /// The product.
    pub id: ProductId,
    /// The version that the product must have, from the field `ifVersion`.
    pub if_version: Option<Version>,
}

impl DeleteInput {
    /// Returns the line. An id needs no escaping in JSON.
    pub fn to_json(&self) -> String {
        match self.if_version {
            Some(version) => format!("{{\"id\":\"{}\",\"delete\":true,\"ifVersion\":{version}}}", self.id),
            None => format!("{{\"id\":\"{}\",\"delete\":true}}", self.id),
        }
    }
}

impl LineInput {
    /// Returns the id, if the line has one.
    pub fn id(&self) -> Option<&ProductId> {
        match self {
            Self::Product(product) => product.id.as_ref(),
            Self::Delete(delete) => Some(&delete.id),
        }
    }
}

/// Reads a line of a bulk write: a product, or a delete.
///
/// # Errors
/// The faults of the product, as [`read_product`](super::read_product), or of the delete.
pub fn read_line(line: &[u8], default_currency: Currency) -> Result<LineInput, InputError> {
    let object = RawObject::parse_at_most(line, MAX_FIELDS, "a product")?;
    if object.0.iter().any(|(name, _)| name == DELETE) {
        Ok(LineInput::Delete(read_delete(&object)?))
    } else {
        read_product_object(&object, line.len(), default_currency)
            .map(|product| LineInput::Product(product.into()))
    }
}

fn read_delete(object: &RawObject<'_>) -> Result<DeleteInput, Faults> {
    let mut faults = Faults::default();
    let mut fields: BTreeMap<&str, &RawValue> = BTreeMap::new();
    for (name, raw) in &object.0 {
        if !DELETE_FIELDS.contains(&name.as_ref()) {
            let message =
                "is no field of a line that deletes; such a line has `id`, `delete` and `ifVersion`";
            let shown = || name.chars().take(MAX_KEY_CHARS).collect::<String>();
            faults.add_with(|| Fault::new(shown(), FaultKind::Unknown, message));
        } else if fields.insert(name, raw).is_some() {
            faults
                .add_with(|| Fault::new(name.as_ref(), FaultKind::Repeated, "is given twice; give it once"));
        }
    }
    let mut fault = |field: &str, kind, message: String| faults.add_with(|| Fault::new(field, kind, message));
    if fields.get(DELETE).is_some_and(|raw| raw.get() != "true") {
        fault(DELETE, FaultKind::Malformed, "must be `true`; leave it out to write the product".to_owned());
    }
    let id = match fields.get("id") {
        None => {
            fault("id", FaultKind::Missing, "is required".to_owned());
            None
        }
        Some(raw) => match serde_json::from_str::<String>(raw.get()).map(|text| ProductId::parse(&text)) {
            Ok(Ok(id)) => Some(id),
            Ok(Err(message)) => {
                fault("id", FaultKind::Malformed, message);
                None
            }
            Err(_) => {
                fault("id", FaultKind::WrongType, format!("must be a text, not {}", json_type(raw)));
                None
            }
        },
    };
    let if_version = fields.get("ifVersion").and_then(|raw| match raw.get().parse() {
        Ok(version) if version > 0 => Some(Version(version)),
        _ => {
            fault("ifVersion", FaultKind::WrongType, "must be a version, a whole number from 1".to_owned());
            None
        }
    });
    match id {
        Some(id) if faults.is_empty() => Ok(DeleteInput { id, if_version }),
        _ => Err(faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(line: &str) -> Vec<String> {
        match read_line(line.as_bytes(), Currency::USD).unwrap_err() {
            InputError::Faults(faults) => faults.into_list().into_iter().map(|fault| fault.field).collect(),
            InputError::Syntax(message) => panic!("{message}"),
        }
    }

    #[test]
    fn a_line_is_a_product_or_a_delete() {
        let id = ProductId::parse("a").unwrap();
        for (line, if_version) in [
            (r#"{"id":"a","delete":true}"#, None),
            (r#"{"delete":true, "ifVersion":7, "id":"a"}"#, Some(Version(7))),
        ] {
            let delete = DeleteInput { id: id.clone(), if_version };
            assert_eq!(
                read_line(delete.to_json().as_bytes(), Currency::USD).unwrap(),
                LineInput::Delete(delete.clone())
            );
            let expected = LineInput::Delete(delete);
            assert_eq!(read_line(line.as_bytes(), Currency::USD).unwrap(), expected);
        }
        let product = read_line(br#"{"id":"a","name":"Lamp"}"#, Currency::USD).unwrap();
        assert!(matches!(&product, LineInput::Product(_)) && product.id() == Some(&id));
    }

    #[test]
    fn a_delete_with_a_fault_deletes_nothing() {
        for (line, field) in [
            (r#"{"delete":true}"#, "id"),
            (r#"{"id":7,"delete":true}"#, "id"),
            (r#"{"id":"a b","delete":true}"#, "id"),
            (r#"{"id":"a","id":"b","delete":true}"#, "id"),
            (r#"{"id":"a","delete":false}"#, "delete"),
            (r#"{"id":"a","delete":"true"}"#, "delete"),
            (r#"{"id":"a","delete":true,"name":"Lamp"}"#, "name"),
            (r#"{"id":"a","delete":true,"ifVersion":0}"#, "ifVersion"),
            (r#"{"id":"a","delete":true,"ifVersion":"7"}"#, "ifVersion"),
        ] {
            assert_eq!(faults(line), [field], "{line}");
        }
    }
}
