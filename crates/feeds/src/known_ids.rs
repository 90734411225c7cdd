//! The ids of a file, for a synchronisation.

use domain::hash::fnv1a;

/// The ids of a file, as hashes of 8 bytes. Two ids with one hash look like one, so a product may count as one of the file that is none: it
/// is kept, never deleted, by a synchronisation.
#[derive(Debug, Default)]
pub struct KnownIds {
    /// Sorted from the first look-up on.
    hashes: Vec<u64>,
    is_sorted: bool,
}

impl KnownIds {
    /// Adds an id.
    pub fn add(&mut self, id: &str) {
        self.hashes.push(fnv1a(id.as_bytes()));
        self.is_sorted = false;
    }

    /// Prepares the ids for look-ups.
    pub fn finish(&mut self) {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        self.is_sorted = true;
    }

    /// Returns true if the file has the id. [`finish`](Self::finish) comes before.
    pub fn contains(&self, id: &str) -> bool {
        debug_assert!(self.is_sorted);
        self.hashes.binary_search(&fnv1a(id.as_bytes())).is_ok()
    }
}
