//! The products of a file, for a synchronisation.

use std::borrow::Cow;

use domain::hash::fnv1a;
use domain::{Product, ProductId};
use serde::Deserialize;

use crate::identity::IdOrigin;
use crate::prepare::Preparer;
use crate::record::{FeedRecord, Rejected};

/// The ids and skus of the products of a file, as hashes of 8 bytes. Two texts with one hash look like one, so a synchronisation may keep a
/// product that the file does not have, and never deletes one that it has.
#[derive(Debug, Default)]
pub struct KnownProducts {
    ids: Hashes,
    skus: Hashes,
    /// True if a record is a product without faults.
    has_valid: bool,
    /// True if a record of this file has an id.
    has_given: bool,
    /// Line of the first record of this file that has none.
    first_derived: Option<u64>,
}

/// A record that may be any product, so that no product can be said to be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, so it may be any product; nothing was changed. Correct the line, or leave it out")]
pub struct Unidentified {
    /// Its line.
    pub line: u64,
    /// The reason, such as `has no readable id`.
    reason: &'static str,
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
    /// Begins another file, whose products may get their ids in another way.
    pub fn begin_file(&mut self) {
        (self.has_given, self.first_derived) = (false, None);
    }

    /// Prepares a record as an import does, and adds it.
    ///
    /// # Errors
    /// If the record may be any product.
    pub fn add_record(&mut self, record: &FeedRecord, preparer: &mut Preparer) -> Result<(), Unidentified> {
        match preparer.prepare(record) {
            Ok(prepared) => {
                let json = prepared.json.as_deref().or_else(|| record.json().ok());
                self.add(json.unwrap_or_default(), prepared.origin, record.line)
            }
            Err(Rejected { id, sku, origin, .. }) => {
                self.add_named(id.as_deref(), sku.as_deref(), origin, record.line)
            }
        }
    }

    /// Adds a product, given as JSON.
    ///
    /// # Errors
    /// If the record may be any product.
    pub fn add(&mut self, product: &[u8], origin: IdOrigin, line: u64) -> Result<(), Unidentified> {
        let named = serde_json::from_slice(product).ok();
        let (id, sku) = named.map_or((None, None), |Named { id, sku }| (Some(id), sku));
        self.has_valid = true;
        self.add_named(id.as_deref(), sku.as_deref(), origin, line)
    }

    /// Adds a record with faults by its id and sku, as far as they can be read.
    ///
    /// # Errors
    /// If the record may be any product: it has no id that a product can have, none of the fields that an id is derived from, or no id
    /// of its own, unlike other records of the file.
    pub fn add_named(
        &mut self,
        id: Option<&str>,
        sku: Option<&str>,
        origin: IdOrigin,
        line: u64,
    ) -> Result<(), Unidentified> {
        sku.iter().for_each(|sku| self.skus.add(sku.trim()));
        let id = id.filter(|id| origin != IdOrigin::Nothing && ProductId::parse(id).is_ok());
        let Some(id) = id else {
            return Err(Unidentified { line, reason: "has no readable id" });
        };
        self.ids.add(id);
        match origin.is_given() {
            true => self.has_given = true,
            false => _ = self.first_derived.get_or_insert(line),
        }
        match self.first_derived.filter(|_| self.has_given) {
            Some(line) => Err(Unidentified { line, reason: "has no id, unlike others of the file" }),
            None => Ok(()),
        }
    }

    /// Returns true if the file has no product without faults. Such a file may be the error message of a service.
    pub fn is_empty(&self) -> bool {
        !self.has_valid
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FeedReader, Rules, TableOptions};

    /// Reads the products of a table or of lines of JSON. The error is the reason with its line.
    fn read(content: &str) -> Result<KnownProducts, String> {
        let input = Box::new(std::io::Cursor::new(content.as_bytes().to_vec()));
        let mut reader =
            FeedReader::of(input, std::path::Path::new("file"), None, &TableOptions::default()).unwrap();
        let check = Some(domain::Currency::USD);
        let mut preparer = Preparer::new(Rules { currency: None, check, mode: reader.mode() });
        let mut known = KnownProducts::default();
        while let Some(record) = reader.next_record().unwrap() {
            let added = known.add_record(&record, &mut preparer);
            added.map_err(|error| format!("{} {error}", error.line))?;
        }
        known.finish();
        Ok(known)
    }

    #[test]
    fn a_record_that_may_be_any_product_stops_a_synchronisation() {
        for (file, line, reason) in [
            ("id,name,price\na,A,1\n,,5\n", 3, "no readable id"),
            ("id,name,price\na,A,1\n,B,5\n", 3, "no id, unlike others"),
            ("id,name,sku\n,A,S1\na,A,\n", 2, "no id, unlike others"),
            ("id,name,sku,price\na,A,,1\n,A,S1,x\n", 3, "no readable id"),
            ("id,name,sku,stock\na,A,,1\n,A,S1,-\n", 3, "no readable id"),
            ("name,price\nA,1\nB,-1\n", 3, "no readable id"),
            ("{\"id\":\"a\",\"name\":\"A\"}\n{\"name\":\"\",\"price\":1}\n", 2, "no readable id"),
            ("{\"price\":1}\n", 1, "no readable id"),
            ("{\"id\":\"a\",\"name\":\"A\"}\n{\"name\":\"B\"}\n", 2, "no id, unlike others"),
        ] {
            let error = read(file).err().unwrap_or_else(|| panic!("{file} was read"));
            assert!(error.starts_with(&line.to_string()) && error.contains(reason), "{file}: {error}");
        }
    }

    #[test]
    fn a_rejected_record_keeps_its_id_and_its_sku() {
        for file in [
            "id,name,sku,price\nk5,A,S5,x\n",
            "id,name,sku,price\nk5,A,S5,-1\n",
            "{\"id\":\"k5\",\"sku\":\"S5\",\"price\":\"x\"}\n",
            "ID,Type,SKU,Name,Published,Regular price\nk5,simple,S5,A,1,5x\n",
        ] {
            let known = read(file).unwrap();
            assert!(known.ids.contains("k5") && known.skus.contains("S5"), "{file}");
        }
        let derived = read("name,sku,price\nA,S5,-1\n").unwrap();
        assert!(derived.skus.contains("S5") && derived.is_empty());
    }
}
