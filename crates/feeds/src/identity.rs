//! The id of a product that has none in its file. It is derived from fields that stay the same when price, stock or description
//! change, so the next import finds the same product.

use std::borrow::Cow;

use domain::input::RawObject;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::json::field;

/// Fields that hold a global trade item number.
pub(crate) const ARTICLE_NUMBERS: [&str; 4] = ["gtin", "ean", "upc", "isbn"];

/// The origin of the id of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdOrigin {
    /// The record has an id.
    #[default]
    Given,
    /// Derived from its sku or article number.
    Code,
    /// Derived from its name, brand, model and image.
    Texts,
    /// The record has none of these, so it may be any product.
    Nothing,
}

impl IdOrigin {
    /// Returns true if the record has an id.
    pub fn is_given(&self) -> bool {
        *self == Self::Given
    }
}

/// Derives the id: the first 128 bits, as 32 hexadecimal digits, of the SHA-256 of the sku; without a sku, of the
/// article number; without that, of name, brand, model and first image together.
pub(crate) fn derive_id(object: &RawObject<'_>) -> (String, IdOrigin) {
    let mut hash = Sha256::new();
    let mut add = |kind: &str, value: &str| {
        hash.update(kind.as_bytes());
        hash.update([0]);
        hash.update(value.trim().as_bytes());
        hash.update([0]);
    };
    let value = |names: &[&str]| field(object, names).and_then(first_text);
    let origin = if let Some(sku) = value(&["sku"]) {
        add("sku", &sku);
        IdOrigin::Code
    } else if let Some(number) = value(&ARTICLE_NUMBERS) {
        add("gtin", &number);
        IdOrigin::Code
    } else {
        for field in ["name", "brand", "model", "images"] {
            add(field, &value(&[field]).unwrap_or_default());
        }
        if value(&["name"]).is_some() { IdOrigin::Texts } else { IdOrigin::Nothing }
    };
    (hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect(), origin)
}

/// Returns a text, the first text of a list, or a number as it is written.
fn first_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
        b'[' => {
            let list: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let first = list.first().filter(|first| !first.get().starts_with('['))?;
            first_text(first).map(|text| Cow::Owned(text.into_owned()))
        }
        b'{' | b'n' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}
