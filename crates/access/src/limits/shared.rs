//! Limits of principals, counted by all processes in the access store.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use quick_cache::sync::Cache;

use super::client::MAX_CLIENTS;
use super::decision::Decision;
use super::window::Window;
use crate::store::within;
use crate::{AccessStore, AccessStoreError, Identity, RateLimit};

/// The time limit of counting a request.
const TIMEOUT: Duration = Duration::from_secs(2);
const POLICY: &str = "key";

/// Counts requests in the access store.
pub(super) struct SharedLimits {
    store: Option<Arc<dyn AccessStore>>,
    /// The exhausted windows with their counts, by counter name, so that a principal over its limit does not load the store.
    exhausted: Cache<String, (Window, u64)>,
}

impl SharedLimits {
    pub(super) fn new(store: Option<Arc<dyn AccessStore>>) -> Self {
        Self { store, exhausted: Cache::new(MAX_CLIENTS) }
    }

    pub(super) async fn count(
        &self,
        identity: &Identity,
        limit: RateLimit,
        now: Timestamp,
    ) -> Result<Decision, AccessStoreError> {
        let window = Window::new(limit, now);
        // Windows of different lengths may end at the same time.
        let name = format!("{identity}/{}", limit.window_seconds);
        if let Some((exhausted, used)) = self.exhausted.get(&name)
            && exhausted.is_same(window)
        {
            return Ok(window.decide(POLICY, used, false));
        }
        let store = self
            .store
            .as_ref()
            .ok_or_else(|| AccessStoreError::new("there is no access store to count requests in"))?;
        let used = within(TIMEOUT, store.count(&name, window.end())).await?;
        let allowed = used <= u64::from(limit.requests);
        if !allowed {
            self.exhausted.insert(name, (window, used));
        }
        Ok(window.decide(POLICY, used, allowed))
    }
}
