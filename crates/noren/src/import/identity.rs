//! The id of a product that comes without one, made from what stays the same when its price, stock or description
//! change, so that the next import finds the same product.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use domain::input::RawObject;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::raw_object::field;

/// Fields that hold a worldwide number of the article.
pub(super) const ARTICLE_NUMBERS: [&str; 4] = ["gtin", "ean", "upc", "isbn"];

/// The id: 32 hexadecimal digits, the first 128 bits of the SHA-256 of the sku; without one, of the article number;
/// without one, of name, brand, model and first image together.
pub(super) fn made_id(object: &RawObject<'_>) -> String {
    let mut hash = Sha256::new();
    let mut add = |kind: &str, value: &str| {
        hash.update(kind.as_bytes());
        hash.update([0]);
        hash.update(value.trim().as_bytes());
        hash.update([0]);
    };
    let value = |names: &[&str]| field(object, names).and_then(first_text);
    if let Some(sku) = value(&["sku"]) {
        add("sku", &sku);
    } else if let Some(number) = value(&ARTICLE_NUMBERS) {
        add("gtin", &number);
    } else {
        for field in ["name", "brand", "model", "images"] {
            add(field, &value(&[field]).unwrap_or_default());
        }
    }
    hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text, the first text of a list, or a number as it is written.
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

/// The ids of one file, to notice two products under one id: one would silently replace the other, and every
/// import of the file would write both again. Takes some 30 bytes a product.
#[derive(Default)]
pub(super) struct SeenIds {
    hasher: RandomState,
    lines: HashMap<u64, Seen>,
}

struct Seen {
    line: u32,
    content: u32,
}

impl SeenIds {
    /// The earlier line with the same id but another content, if there is one. The same line twice is no harm.
    pub(super) fn earlier_line(&mut self, id: &str, product: &[u8], line: u64) -> Option<u64> {
        let content = self.hasher.hash_one(product) as u32;
        let seen = self
            .lines
            .entry(self.hasher.hash_one(id))
            .or_insert(Seen { line: u32::try_from(line).unwrap_or(u32::MAX), content });
        (seen.content != content).then_some(u64::from(seen.line))
    }
}
