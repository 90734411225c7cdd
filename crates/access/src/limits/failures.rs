//! Failed attempts to authenticate, counted by each process for itself.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use quick_cache::sync::Cache;

use super::client::{Client, MAX_CLIENTS};
use super::decision::Decision;
use super::window::Window;
use crate::RateLimit;

const POLICY: &str = "authentication";

/// Counts failures by client. `governor` does not fit here: it counts each request that it passes, but an attempt must be decided on
/// before its outcome is known, and counts only if it fails.
pub(super) struct Failures {
    limit: RateLimit,
    counts: Cache<Client, Arc<Mutex<Count>>>,
}

#[derive(Default)]
struct Count {
    window_end: Timestamp,
    failures: u32,
}

impl Failures {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self { limit, counts: Cache::new(MAX_CLIENTS) }
    }

    pub(super) fn decide(&self, client: &Client, now: Timestamp) -> Decision {
        let window = Window::new(self.limit, now);
        let failures = self.counts.get(client).map_or(0, |count| {
            let count = count.lock().unwrap_or_else(PoisonError::into_inner);
            if count.window_end == window.end() { count.failures } else { 0 }
        });
        window.decide(POLICY, failures.into(), failures < self.limit.requests)
    }

    pub(super) fn count(&self, client: &Client, now: Timestamp) {
        let window_end = Window::new(self.limit, now).end();
        let Ok(count) = self.counts.get_or_insert_with(client, || Ok::<_, Infallible>(Arc::default()));
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        if count.window_end != window_end {
            *count = Count { window_end, failures: 0 };
        }
        count.failures = count.failures.saturating_add(1);
    }

    #[cfg(test)]
    pub(super) fn clients(&self) -> usize {
        self.counts.len()
    }
}
