//! The reading side of the catalogue: parameters of a request become one search of the index, its answer becomes
//! JSON. Nothing here reaches the store, and no text of a caller reaches a query parser or a regular expression.

#![warn(missing_docs)]

pub mod answer;
mod asking;
mod awaited;
pub mod body;
mod cache;
mod category_tree;
mod explain;
mod explanation;
mod facets;
mod hint;
mod http;
mod parameter_docs;
pub mod params;
mod picks;
mod query_string;
mod search;
pub mod service;
pub mod shop_rules;
mod similar;
mod suggest;

use std::sync::Arc;

use domain::ports::SearchIndex;
use domain::{Currency, Language};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use shop_rules::{Locale, ShopRules};

use crate::awaited::{MAX_WAITING, Waiting};
use crate::cache::AnswerCache;

/// What an operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The currency of prices where a request names none.
    pub currency: Currency,
    /// What the texts of products are analysed as.
    pub language: Language,
    /// How long a cache may give out an answer without asking again, in seconds; with 0 it always asks.
    pub cache_seconds: u32,
    /// Megabytes of answers that are kept to be given again while the index is in the same state; with 0 every search
    /// is made anew. It needs an index that [names its state](SearchIndex::snapshot).
    pub answer_cache_mb: u32,
    /// What the shop decided about searches.
    pub rules: Option<Arc<ShopRules>>,
}

/// What the handlers share.
struct Service {
    index: Arc<dyn SearchIndex>,
    settings: Settings,
    answers: AnswerCache,
    waiting: Waiting,
}

/// What is asked of an index, `/products/search` and the like, with its part of the OpenAPI document.
pub fn routes(index: Arc<dyn SearchIndex>, settings: Settings) -> OpenApiRouter {
    metrics::describe_histogram!(
        SEARCH_SECONDS,
        metrics::Unit::Seconds,
        "time that the index needed for a search or for the values of a facet, by `kind`"
    );
    metrics::describe_counter!(
        EMPTY_SEARCHES,
        "searches with words that found nothing: what shoppers look for in vain"
    );
    awaited::describe_metrics();
    cache::describe_metrics();
    let answers = AnswerCache::of_megabytes(settings.answer_cache_mb);
    OpenApiRouter::default()
        .routes(routes!(search::search, search::search_by_body))
        .routes(routes!(facets::facet_values))
        .routes(routes!(suggest::suggest))
        .routes(routes!(similar::similar))
        .routes(routes!(explain::explain))
        .with_state(Arc::new(Service { index, settings, answers, waiting: Waiting::new(MAX_WAITING) }))
}

const SEARCH_SECONDS: &str = "noren_search_seconds";
const EMPTY_SEARCHES: &str = "noren_searches_without_result_total";

#[cfg(test)]
#[cfg(feature = "embedded")]
mod router_tests;
