//! A cache of the last response to each search. It makes repeated searches cheap, and answers them while the index is unavailable.
//!
//! A response may be reused while the snapshot of the index that it reflects is the newest. With an index that does not identify its
//! snapshots, it may be reused for a short time instead.

use std::time::Duration;

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::http::EntityTag;
use crate::metrics::{CACHE_HITS, CACHE_MISSES, Outcome};

/// The approximate overhead of an entry, in addition to its body and its key.
const OVERHEAD_BYTES: usize = 128;
/// The assumed size of a response, to estimate the number of entries; larger responses are kept as well.
const TYPICAL_BYTES: u64 = 16 * 1024;

/// The maximum ages of responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetimes {
    /// The maximum age of a response if the index does not identify its snapshots.
    pub(crate) fresh: Duration,
    /// The maximum age of a response while the index is unavailable.
    pub(crate) stale: Duration,
}

/// A response body.
#[derive(Clone)]
pub(crate) struct CachedResponse {
    /// The body.
    pub(crate) json: Bytes,
    /// The result of the search, for metrics.
    pub(crate) outcome: Outcome,
    /// The entity tag.
    pub(crate) tag: EntityTag,
    /// The time of its rendering.
    rendered: Instant,
}

impl CachedResponse {
    pub(crate) fn new(json: Bytes, outcome: Outcome, tag: EntityTag) -> Self {
        Self { json, outcome, tag, rendered: Instant::now() }
    }

    pub(crate) fn age(&self) -> Duration {
        self.rendered.elapsed()
    }
}

/// Responses in memory, up to a number of bytes, each under its [cache key](crate::execute::cache_key).
pub(crate) struct ResponseCache {
    /// `None` if the cache is off.
    entries: Option<Cache<Box<str>, CachedResponse, BySize>>,
    lifetimes: Lifetimes,
}

#[derive(Clone)]
struct BySize;

impl Weighter<Box<str>, CachedResponse> for BySize {
    fn weight(&self, key: &Box<str>, response: &CachedResponse) -> u64 {
        (response.json.len() + key.len() + OVERHEAD_BYTES) as u64
    }
}

impl ResponseCache {
    /// Creates a cache of up to this many megabytes; 0 turns it off.
    pub(crate) fn of_megabytes(megabytes: u32, lifetimes: Lifetimes) -> Self {
        let bytes = u64::from(megabytes) * 1_000_000;
        let typical_count = usize::try_from(bytes / TYPICAL_BYTES).unwrap_or(usize::MAX);
        let entries = (bytes > 0).then(|| Cache::with_weighter(typical_count, bytes, BySize));
        Self { entries, lifetimes }
    }

    /// Returns the response that may be used now, and counts the hit or the miss. `newest` is the tag of the response on the newest
    /// snapshot, if the index identifies its snapshots.
    pub(crate) fn get(&self, key: &str, newest: Option<EntityTag>) -> Option<CachedResponse> {
        let kept = self.entries.as_ref()?.get(key);
        let response = kept.filter(|response| match newest {
            Some(tag) => response.tag == tag,
            None => response.age() < self.lifetimes.fresh,
        });
        let outcome = if response.is_some() { CACHE_HITS } else { CACHE_MISSES };
        metrics::counter!(outcome).increment(1);
        response
    }

    /// Returns the last response, if it is younger than the stale lifetime.
    pub(crate) fn last(&self, key: &str) -> Option<CachedResponse> {
        let response = self.entries.as_ref()?.get(key);
        response.filter(|response| response.age() < self.lifetimes.stale)
    }

    /// Keeps a response and replaces the last one.
    pub(crate) fn insert(&self, key: &str, response: CachedResponse) {
        if let Some(entries) = &self.entries {
            entries.insert(key.into(), response);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIMES: Lifetimes = Lifetimes { fresh: Duration::from_secs(1), stale: Duration::from_secs(60) };

    fn response(bytes: usize, snapshot: &str) -> CachedResponse {
        let tag = EntityTag::of_request(snapshot, "key");
        CachedResponse::new(vec![b'x'; bytes].into(), Outcome::Found, tag)
    }

    #[test]
    fn no_more_is_kept_than_was_allowed() {
        let responses = ResponseCache::of_megabytes(1, LIFETIMES);
        for number in 0..300 {
            responses.insert(&number.to_string(), response(10_000, "one"));
        }
        let kept = (0..300).filter(|number| responses.last(&number.to_string()).is_some()).count();
        assert!((20..100).contains(&kept), "{kept}");
        responses.insert("large", response(2_000_000, "one"));
        assert!(responses.last("large").is_none(), "one that does not fit");
    }

    #[test]
    fn a_response_of_an_earlier_snapshot_is_used_only_while_the_index_is_away() {
        let responses = ResponseCache::of_megabytes(1, LIFETIMES);
        let tag = |snapshot| Some(EntityTag::of_request(snapshot, "key"));
        responses.insert("key", response(1, "one"));
        assert!(responses.get("key", tag("one")).is_some());
        assert!(responses.get("key", tag("two")).is_none() && responses.last("key").is_some());
        responses.insert("key", response(1, "two"));
        assert!(responses.get("key", tag("one")).is_none() && responses.get("key", tag("two")).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn without_snapshots_a_response_is_used_for_a_time() {
        let responses = ResponseCache::of_megabytes(1, LIFETIMES);
        responses.insert("key", response(1, "one"));
        assert!(responses.get("key", None).is_some());
        tokio::time::advance(LIFETIMES.fresh).await;
        assert!(responses.get("key", None).is_none() && responses.last("key").is_some());
        tokio::time::advance(LIFETIMES.stale).await;
        assert!(responses.last("key").is_none());
    }

    #[test]
    fn nothing_is_kept_where_the_cache_is_off() {
        let responses = ResponseCache::of_megabytes(0, LIFETIMES);
        responses.insert("key", response(1, "one"));
        assert!(responses.last("key").is_none());
    }
}
