//! Detection of duplicate ids within a file.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

/// The ids of one file, to detect two different products with one id: one would silently replace the other, and every
/// import of the file would write both again. Uses about 30 bytes per product.
#[derive(Default)]
pub struct SeenIds {
    hasher: RandomState,
    lines: HashMap<u64, Seen>,
}

struct Seen {
    line: u32,
    content: u32,
}

impl SeenIds {
    /// Remembers a product. Returns the earlier line that has the same id and another content, if there is one; a
    /// repeated identical product is harmless.
    pub fn earlier_line(&mut self, id: &str, product: &[u8], line: u64) -> Option<u64> {
        let content = self.hasher.hash_one(product) as u32;
        let seen = self
            .lines
            .entry(self.hasher.hash_one(id))
            .or_insert(Seen { line: u32::try_from(line).unwrap_or(u32::MAX), content });
        (seen.content != content).then_some(u64::from(seen.line))
    }
}
