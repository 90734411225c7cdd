//! The fields that a file has.

use domain::input::{FIELDS, READ_ONLY_FIELDS, RawObject};
use indexmap::IndexSet;

use crate::json::is_empty;

/// The fields and attributes that a file has, and that a record without a value for them clears.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Covered {
    pub(crate) fields: Vec<&'static str>,
    pub(crate) attributes: IndexSet<String>,
}

impl Covered {
    pub(crate) fn add_field(&mut self, field: &'static str) {
        if !self.fields.contains(&field) {
            self.fields.push(field);
        }
    }

    pub(crate) fn add_attribute(&mut self, key: &str) {
        if !self.attributes.contains(key) {
            self.attributes.insert(key.to_owned());
        }
    }

    /// Returns the fields and attributes of a JSON record that are null or empty.
    pub(crate) fn of_record(object: &RawObject<'_>) -> Self {
        let mut covered = Self::default();
        for (key, raw) in &object.0 {
            let field = FIELDS.iter().find(|field| field.eq_ignore_ascii_case(key));
            match field {
                Some(&"attributes") => {
                    let Ok(attributes) = serde_json::from_str::<RawObject<'_>>(raw.get()) else { continue };
                    let empty = attributes.0.iter().filter(|(_, raw)| is_empty(raw));
                    empty.for_each(|(key, _)| covered.add_attribute(key));
                }
                Some(&"id") => {}
                Some(field) if is_empty(raw) => covered.add_field(field),
                None if is_empty(raw) && !READ_ONLY_FIELDS.contains(&key.as_ref()) => {
                    covered.add_attribute(key);
                }
                _ => {}
            }
        }
        covered
    }
}
