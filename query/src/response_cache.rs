//! Keeps responses in memory until the index changes, so that a repeated search costs microseconds.
//!
//! A response is kept under its entity tag: a hash of the snapshot of the index and of the request. After a commit the
//! snapshot has another name, so a response of an earlier snapshot is never served again. Those responses are dropped all at
//! once when the first response of a new snapshot is kept: evicted one by one, they would fill the cache under steady writes.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::http::EntityTag;
use crate::metrics::{CACHE_HITS, CACHE_MISSES};

/// The approximate size of an entry in addition to its body: the key and the bookkeeping of the cache.
const OVERHEAD_BYTES: u64 = 128;
/// The assumed size of a response, to estimate the number of entries; larger responses are kept as well.
const TYPICAL_BYTES: u64 = 16 * 1024;

/// A response body.
#[derive(Clone)]
pub(crate) struct CachedResponse {
    /// The body.
    pub(crate) json: Bytes,
    /// True for a search with words that found nothing.
    pub(crate) found_nothing: bool,
}

/// Responses in memory, up to a number of bytes.
pub(crate) struct ResponseCache {
    /// `None` if the cache is off.
    entries: Option<Cache<EntityTag, CachedResponse, BySize>>,
    /// The snapshot of the index that all entries reflect.
    snapshot: Mutex<String>,
}

#[derive(Clone)]
struct BySize;

impl Weighter<EntityTag, CachedResponse> for BySize {
    fn weight(&self, _: &EntityTag, response: &CachedResponse) -> u64 {
        response.json.len() as u64 + OVERHEAD_BYTES
    }
}

impl ResponseCache {
    /// Creates a cache of up to this many megabytes; 0 turns it off.
    pub(crate) fn of_megabytes(megabytes: u32) -> Self {
        let bytes = u64::from(megabytes) * 1_000_000;
        let typical_count = usize::try_from(bytes / TYPICAL_BYTES).unwrap_or(usize::MAX);
        let entries = (bytes > 0).then(|| Cache::with_weighter(typical_count, bytes, BySize));
        Self { entries, snapshot: Mutex::default() }
    }

    /// Returns the response with this tag, and counts the hit or the miss.
    pub(crate) fn get(&self, tag: &EntityTag) -> Option<CachedResponse> {
        let response = self.entries.as_ref()?.get(tag);
        let outcome = if response.is_some() { CACHE_HITS } else { CACHE_MISSES };
        metrics::counter!(outcome).increment(1);
        response
    }

    /// Keeps a response that reflects `snapshot`, and drops the responses of other snapshots.
    pub(crate) fn insert(&self, snapshot: &str, tag: EntityTag, response: CachedResponse) {
        let Some(entries) = &self.entries else { return };
        let mut current = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != snapshot {
            entries.clear();
            snapshot.clone_into(&mut current);
        }
        entries.insert(tag, response);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(bytes: usize) -> CachedResponse {
        CachedResponse { json: vec![b'x'; bytes].into(), found_nothing: false }
    }

    fn tag(number: usize) -> EntityTag {
        EntityTag::of_request("state", &number.to_string())
    }

    #[test]
    fn no_more_is_kept_than_was_allowed() {
        let responses = ResponseCache::of_megabytes(1);
        for number in 0..300 {
            responses.insert("state", tag(number), response(10_000));
        }
        let kept = (0..300).filter(|number| responses.get(&tag(*number)).is_some()).count();
        assert!((20..100).contains(&kept), "{kept}");
        responses.insert("state", tag(1000), response(2_000_000));
        assert!(responses.get(&tag(1000)).is_none(), "one that does not fit");
    }

    #[test]
    fn responses_of_a_snapshot_are_dropped_when_the_next_one_has_an_response() {
        let responses = ResponseCache::of_megabytes(1);
        responses.insert("one", tag(1), response(1));
        responses.insert("one", tag(2), response(1));
        assert!(responses.get(&tag(1)).is_some() && responses.get(&tag(2)).is_some());
        responses.insert("two", tag(3), response(1));
        assert!(responses.get(&tag(1)).is_none() && responses.get(&tag(3)).is_some());
    }

    #[test]
    fn nothing_is_kept_where_the_cache_is_off() {
        let responses = ResponseCache::of_megabytes(0);
        responses.insert("state", tag(1), response(1));
        assert!(responses.get(&tag(1)).is_none());
    }
}
