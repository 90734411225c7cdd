//! The state that all handlers share.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::ports::SearchIndex;
use domain::{Currency, Language};
use observed_ports::ObservedIndex;
use runtime::config::DEFAULT_ANSWER_CACHE_MB;
use storefront::Storefront;

use crate::circuit::Circuit;
use crate::response_cache::{Lifetimes, ResponseCache};
use crate::restrictions::Restrictions;
use crate::shop_rules::ShopRules;
use crate::waiters::Waiters;

/// The most concurrent requests that wait until the index holds the writes of their sync tokens.
const MAX_WAITING: usize = 1000;

/// The settings of the read side.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The currency of prices, unless a request names another.
    pub currency: Currency,
    /// The language of product texts.
    pub language: Language,
    /// Seconds for which caches may serve a response without revalidating it; with 0 they always revalidate.
    pub cache_seconds: u32,
    /// Megabytes of responses to keep in memory; 0 turns this off. If the index [identifies its snapshots](SearchIndex::snapshot), they
    /// are used while it does not change.
    pub answer_cache_mb: u32,
    /// Seconds for which a response in memory may be used with an index that does not identify its snapshots; 0 turns this off.
    pub answer_cache_seconds: u32,
    /// Seconds for which a response may be used while the index is unavailable; 0 turns this off.
    pub stale_seconds: u32,
    /// The shop's search rules, if it has any.
    pub rules: Option<Arc<ShopRules>>,
    /// The storefront, if the service has one.
    pub storefront: Option<Storefront>,
}

impl Default for Settings {
    /// Returns the settings of a process without configuration: no caching by clients, no rules and no storefront.
    fn default() -> Self {
        Self {
            currency: Currency::USD,
            language: Language::default(),
            cache_seconds: 0,
            answer_cache_mb: DEFAULT_ANSWER_CACHE_MB,
            answer_cache_seconds: 0,
            stale_seconds: 3600,
            rules: None,
            storefront: None,
        }
    }
}

/// The index, the settings and the caches that handlers use.
pub(crate) struct SearchService {
    pub(crate) index: Arc<dyn SearchIndex>,
    pub(crate) settings: Settings,
    pub(crate) responses: ResponseCache,
    pub(crate) restrictions: Restrictions,
    pub(crate) waiters: Waiters,
    /// The time of the last warning that the index is unavailable.
    pub(crate) warned: Mutex<Option<Instant>>,
}

impl SearchService {
    /// Creates the state for searches in this index.
    pub(crate) fn new(index: Arc<dyn SearchIndex>, settings: Settings) -> Self {
        let index = ObservedIndex::around(Circuit::before(index));
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let lifetimes = Lifetimes {
            fresh: seconds(settings.answer_cache_seconds),
            stale: seconds(settings.stale_seconds),
        };
        let responses = ResponseCache::of_megabytes(settings.answer_cache_mb, lifetimes);
        let restrictions = Restrictions::new(settings.currency);
        Self {
            index,
            settings,
            responses,
            restrictions,
            waiters: Waiters::new(MAX_WAITING),
            warned: Mutex::default(),
        }
    }
}
