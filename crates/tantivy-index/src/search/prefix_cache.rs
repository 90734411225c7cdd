//! A cache of the words that begin with a short prefix. There are many such words, so reading them from the index is slow.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::postings::TermInfo;
use text::dictionary::Dictionary;

/// The longest prefix, in bytes, that is cached. A longer one has few words, which are read quickly.
const MAX_CACHED_BYTES: usize = 3;
/// The maximum number of cached prefixes per segment. A full cache is cleared.
const MAX_CACHED_PREFIXES: usize = 128;

/// The words of a segment that begin with a prefix.
pub(crate) struct PrefixWords {
    pub(crate) words: Vec<PrefixWord>,
    /// True if rarer words were left out.
    pub(crate) is_truncated: bool,
}

/// A word of a segment that begins with a prefix.
pub(crate) struct PrefixWord {
    pub(crate) dictionary: Dictionary,
    pub(crate) text: Vec<u8>,
    pub(crate) info: TermInfo,
}

/// The words of a segment by prefix.
#[derive(Default)]
pub(crate) struct PrefixCache(Mutex<HashMap<String, Arc<PrefixWords>>>);

impl PrefixCache {
    /// Returns the words for a prefix, from the cache if possible.
    pub(crate) fn get_or_read(
        &self,
        prefix: &str,
        read: impl FnOnce() -> tantivy::Result<PrefixWords>,
    ) -> tantivy::Result<Arc<PrefixWords>> {
        if prefix.len() > MAX_CACHED_BYTES {
            return Ok(Arc::new(read()?));
        }
        let cache = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = cache().get(prefix) {
            return Ok(Arc::clone(known));
        }
        let words = Arc::new(read()?);
        let mut cache = cache();
        if cache.len() >= MAX_CACHED_PREFIXES {
            cache.clear();
        }
        cache.insert(prefix.to_owned(), Arc::clone(&words));
        Ok(words)
    }
}
