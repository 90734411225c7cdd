//! The metrics of the read side.

use domain::search::{SearchAnswer, SearchRequest};

/// Durations of calls to the index.
pub(crate) const SEARCH_SECONDS: &str = "noren_search_seconds";
/// Searches that found nothing.
const EMPTY_SEARCHES: &str = "noren_searches_without_result_total";
/// Events of shoppers that clients of Algolia's protocol sent.
pub(crate) const SHOPPER_EVENTS: &str = "noren_shopper_events_total";
/// Waiting times of requests with sync tokens.
pub(crate) const SYNC_WAIT_SECONDS: &str = "noren_sync_wait_seconds";
/// Responses from memory.
pub(crate) const CACHE_HITS: &str = "noren_answer_cache_hits_total";
/// Responses that were not in memory.
pub(crate) const CACHE_MISSES: &str = "noren_answer_cache_misses_total";

/// Searches, by kind.
const SEARCHES: &str = "noren_searches_total";
/// Searches that also returned products without all words.
const RELAXED_SEARCHES: &str = "noren_searches_relaxed_total";
/// Earlier responses that were sent again because the index was unavailable.
pub(crate) const STALE_ANSWERS: &str = "noren_stale_answers_total";
/// 1 while the index does not respond, else 0.
pub(crate) const CIRCUIT_OPEN: &str = "noren_index_circuit_open";

/// The kind of a search, as its metric names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Search,
    Suggest,
    Facet,
    Similar,
    Explain,
    /// Any of these through Algolia's protocol.
    Algolia,
    /// A page of the storefront.
    Storefront,
}

impl Kind {
    fn label(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Suggest => "suggest",
            Self::Facet => "facet",
            Self::Similar => "similar",
            Self::Explain => "explain",
            Self::Algolia => "algolia",
            Self::Storefront => "storefront",
        }
    }
}

/// The result of a search, as its metrics count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Products, or a response that is no list of products.
    Found,
    /// Products, some without all words.
    Relaxed,
    /// Nothing, although it had words.
    Nothing,
}

impl Outcome {
    pub(crate) fn of(request: &SearchRequest, answer: &SearchAnswer) -> Self {
        match answer.total + answer.relaxed_total.unwrap_or(0) {
            0 if !request.words.is_empty() => Self::Nothing,
            _ if !answer.relaxed.is_empty() => Self::Relaxed,
            _ => Self::Found,
        }
    }
}

/// Counts a search, also one that is answered from memory.
pub(crate) fn count(kind: Kind, outcome: Outcome) {
    metrics::counter!(SEARCHES, "kind" => kind.label()).increment(1);
    match outcome {
        Outcome::Found => {}
        Outcome::Relaxed => metrics::counter!(RELAXED_SEARCHES).increment(1),
        Outcome::Nothing => metrics::counter!(EMPTY_SEARCHES).increment(1),
    }
}

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
    metrics::describe_counter!(SEARCHES, "searches by `kind`, those that are answered from memory too");
    metrics::describe_counter!(RELAXED_SEARCHES, "searches that also returned products without all words");
    metrics::describe_counter!(
        STALE_ANSWERS,
        "searches that got their last response, because the index was away"
    );
    // Exported from the start, so that an alert on a rate sees the first increase.
    for counter in [EMPTY_SEARCHES, RELAXED_SEARCHES, STALE_ANSWERS, CACHE_HITS, CACHE_MISSES] {
        metrics::counter!(counter).increment(0);
    }
    metrics::describe_gauge!(CIRCUIT_OPEN, "1 while the index does not respond, else 0");
    metrics::describe_counter!(CACHE_HITS, "responses that came from memory");
    metrics::describe_counter!(CACHE_MISSES, "responses that were not in memory");
}
