//! The products of a file, for a synchronisation.

use std::borrow::Cow;

use domain::hash::fnv1a;
use domain::{Product, ProductId};
use serde::Deserialize;

/// The ids and skus of the products of a file, as hashes of 8 bytes. Two texts with one hash look like one, so a synchronisation may keep a
/// product that the file does not have, and never deletes one that it has.
#[derive(Debug, Default)]
pub struct KnownProducts {
    ids: Hashes,
    skus: Hashes,
}

/// The relation of a stored product to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The file has the product.
    Yes,
    /// The file does not have the product.
    No,
    /// The file has the sku of the product under another id. The product with that id could not be written, because the sku is taken.
    UnderAnotherId,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    sku: Option<Cow<'a, str>>,
}

impl KnownProducts {
    /// Adds a product, given as JSON. Returns false if it has no id that a product can have.
    pub fn add_json(&mut self, product: &[u8]) -> bool {
        let Ok(Named { id, sku }) = serde_json::from_slice(product) else { return false };
        sku.iter().for_each(|sku| self.skus.add(sku.trim()));
        self.add_id(&id)
    }

    /// Adds an id. Returns false if no product can have it.
    pub fn add_id(&mut self, id: &str) -> bool {
        let is_valid = ProductId::parse(id).is_ok();
        if is_valid {
            self.ids.add(id);
        }
        is_valid
    }

    /// Returns true if the file has no product.
    pub fn is_empty(&self) -> bool {
        self.ids.0.is_empty()
    }

    /// Prepares look-ups. Call it once all products are added.
    pub fn finish(&mut self) {
        self.ids.sort();
        self.skus.sort();
    }

    /// Looks up a stored product.
    pub fn find(&self, product: &Product) -> Known {
        let has_sku = || product.content.sku.as_ref().is_some_and(|sku| self.skus.contains(sku));
        match self.ids.contains(product.id.as_str()) {
            true => Known::Yes,
            false if has_sku() => Known::UnderAnotherId,
            false => Known::No,
        }
    }
}

#[derive(Debug, Default)]
struct Hashes(Vec<u64>);

impl Hashes {
    fn add(&mut self, text: &str) {
        self.0.push(fnv1a(text.as_bytes()));
    }

    fn sort(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
    }

    fn contains(&self, text: &str) -> bool {
        self.0.binary_search(&fnv1a(text.as_bytes())).is_ok()
    }
}
