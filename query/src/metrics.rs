//! The metrics of the read side.

/// Durations of calls to the index.
pub(crate) const SEARCH_SECONDS: &str = "noren_search_seconds";
/// Searches that found nothing.
pub(crate) const EMPTY_SEARCHES: &str = "noren_searches_without_result_total";
/// Events of shoppers that clients of Algolia's protocol sent.
pub(crate) const SHOPPER_EVENTS: &str = "noren_shopper_events_total";
/// Waiting times of requests with sync tokens.
pub(crate) const SYNC_WAIT_SECONDS: &str = "noren_sync_wait_seconds";
/// Responses from memory.
pub(crate) const CACHE_HITS: &str = "noren_answer_cache_hits_total";
/// Responses that were not in memory.
pub(crate) const CACHE_MISSES: &str = "noren_answer_cache_misses_total";

/// Registers the descriptions.
pub(crate) fn describe() {
    metrics::describe_histogram!(
        SEARCH_SECONDS,
        metrics::Unit::Seconds,
        "time that the index needed for a search or for the values of a facet, by `kind`"
    );
    metrics::describe_counter!(
        EMPTY_SEARCHES,
        "searches with words that found nothing: what shoppers look for in vain"
    );
    metrics::describe_counter!(
        SHOPPER_EVENTS,
        "clicks, conversions and views that InstantSearch reported, by `type`"
    );
    metrics::describe_histogram!(
        SYNC_WAIT_SECONDS,
        metrics::Unit::Seconds,
        "time that requests with sync tokens waited for the index"
    );
    metrics::describe_counter!(CACHE_HITS, "responses that came from memory");
    metrics::describe_counter!(CACHE_MISSES, "responses that were not in memory");
}
