//! A cache of the documents of a segment that have a phrase of a query. Finding them is slow, because it reads stored products.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::DocId;

/// The maximum number of cached phrases per segment. A full cache is cleared.
const MAX_CACHED: usize = 64;
/// The most documents of a phrase that is cached, so that the cache of a segment takes at most 2.5 MB.
const MAX_DOCUMENTS: usize = 10_000;

/// The documents with each phrase that were found by reading products, ascending. A segment never changes, except that documents
/// are deleted.
#[derive(Default)]
pub(crate) struct SequenceCache(Mutex<HashMap<String, Arc<[DocId]>>>);

impl SequenceCache {
    /// Returns the documents with a phrase, if they are cached.
    pub(crate) fn get(&self, key: &str) -> Option<Arc<[DocId]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Adds the documents with a phrase.
    pub(crate) fn insert(&self, key: String, documents: &Arc<[DocId]>) {
        if documents.len() > MAX_DOCUMENTS {
            return;
        }
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        cache.insert(key, Arc::clone(documents));
    }
}
