//! Limits of requests, and of failed attempts to authenticate.
//!
//! 1. **A principal with a limit of its own** is counted in the access store, by all processes together, in windows that begin at
//!    multiples of their length since 1970. No more requests than the limit pass in a window, in all processes together. A tenant
//!    also counts against the limit of its parent key, which all tenants of that key share.
//! 2. **Every other client** has the default limit, if one is configured. Each process counts for itself: by principal, or by
//!    network if the request has no credentials. A client may send a burst of the whole limit; after that, requests pass at an even
//!    rate.
//! 3. **Failed attempts to authenticate** are counted by network, by each process for itself.
//!
//! Each process counts at most 10,000 principals and networks for each limit, and forgets the rarely used ones first. A network is an IPv4
//! address or the /64 of an IPv6 address, which is what one customer usually has.

mod client;
mod decision;
mod failures;
mod local;
mod shared;
mod window;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use governor::clock::MonotonicClock;
use jiff::Timestamp;

pub use client::network_of;
pub use decision::{Decision, policy_header, rate_limit_header};

use crate::{AccessStore, AccessStoreError, Identity, Principal, RateLimit, Scope};
use client::Client;
use failures::Failures;
use local::LocalLimit;
use shared::SharedLimits;

/// The default limit of failed attempts to authenticate, for each network.
pub const DEFAULT_FAILURES: RateLimit = RateLimit { requests: 30, window_seconds: 60 };
/// The minimum number of seconds between two warnings that requests cannot be counted.
const WARNING_SECONDS: i64 = 60;

/// The options of [`Limits`].
pub struct LimitOptions {
    /// The limit of every client without a limit of its own, if there is one.
    pub default: Option<RateLimit>,
    /// The limit of failed attempts to authenticate; usually [`DEFAULT_FAILURES`].
    pub failures: RateLimit,
    /// The store that counts the requests of principals with a limit of their own.
    pub store: Option<Arc<dyn AccessStore>>,
    /// The requests of such principals that pass when the store fails.
    pub fail_open: FailOpen,
}

/// The kinds of requests that pass when they cannot be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailOpen {
    /// Requests to routes with the scopes `search` and `read`.
    pub reads: bool,
    /// Requests to routes with the scopes `write` and `admin`.
    pub writes: bool,
}

impl Default for FailOpen {
    /// Passes searches and reads only.
    fn default() -> Self {
        Self { reads: true, writes: false }
    }
}

impl FailOpen {
    fn passes(self, scope: Scope) -> bool {
        match scope {
            Scope::Search | Scope::Read => self.reads,
            Scope::Write | Scope::Admin => self.writes,
        }
    }
}

/// The limits of a process.
pub struct Limits {
    default: Option<LocalLimit<MonotonicClock>>,
    shared: SharedLimits,
    failures: Failures,
    fail_open: FailOpen,
    /// The second of the last warning that requests cannot be counted.
    warned_at: AtomicI64,
}

impl Limits {
    /// Creates the limits, with all counters of this process at zero.
    pub fn new(options: LimitOptions) -> Self {
        Self {
            default: options.default.map(|limit| LocalLimit::new(limit, MonotonicClock)),
            shared: SharedLimits::new(options.store),
            failures: Failures::new(options.failures),
            fail_open: options.fail_open,
            warned_at: AtomicI64::new(i64::MIN),
        }
    }

    /// Counts a request and decides on it. `address` is that of the client, `scope` that of the route.
    ///
    /// Returns `None` if no limit applies, or if the request could not be counted and passes by [`LimitOptions::fail_open`].
    ///
    /// # Errors
    /// If the request could not be counted and must not pass. The client did nothing wrong.
    pub async fn count(
        &self,
        principal: &Principal,
        address: Option<IpAddr>,
        scope: Scope,
        now: Timestamp,
    ) -> Result<Option<Decision>, AccessStoreError> {
        let own = principal.rate_limit.map(|limit| (principal.identity.clone(), limit));
        let parent = principal.parent_rate_limit.clone().map(|(id, limit)| (Identity::Key(id), limit));
        if own.is_some() || parent.is_some() {
            return self.count_shared(own.into_iter().chain(parent), scope, now).await;
        }
        if principal.identity == Identity::Internal {
            return Ok(None);
        }
        Ok(self.default.as_ref().map(|default| default.count(&Client::of(principal, address))))
    }

    /// Counts a request under each limit until one is exceeded, and returns the decision that leaves the fewest requests.
    async fn count_shared(
        &self,
        limits: impl Iterator<Item = (Identity, RateLimit)>,
        scope: Scope,
        now: Timestamp,
    ) -> Result<Option<Decision>, AccessStoreError> {
        let mut tightest: Option<Decision> = None;
        for (identity, limit) in limits {
            match self.shared.count(&identity, limit, now).await {
                Ok(decision) if !decision.allowed => return Ok(Some(decision)),
                Ok(decision) => {
                    let both = tightest.into_iter().chain([decision]);
                    tightest = both.min_by_key(|decision| decision.remaining);
                }
                Err(error) => self.decide_uncounted(scope, error, now)?,
            }
        }
        Ok(tightest)
    }

    /// Counts a request of an unauthenticated client, by its network.
    pub fn count_unknown(&self, address: Option<IpAddr>) -> Option<Decision> {
        self.default.as_ref().map(|default| default.count(&Client::at(address)))
    }

    /// Decides whether a client may try to authenticate, without counting. Call it before a key is looked up.
    pub fn may_authenticate(&self, address: Option<IpAddr>, now: Timestamp) -> Decision {
        self.failures.decide(&Client::at(address), now)
    }

    /// Counts a failed attempt to authenticate.
    pub fn count_failure(&self, address: Option<IpAddr>, now: Timestamp) {
        self.failures.count(&Client::at(address), now);
    }

    /// Decides on a request that could not be counted. Logs the cause, at most once a minute.
    fn decide_uncounted(
        &self,
        scope: Scope,
        error: AccessStoreError,
        now: Timestamp,
    ) -> Result<(), AccessStoreError> {
        let (second, before) = (now.as_second(), self.warned_at.load(Ordering::Relaxed));
        let is_due = second.saturating_sub(before) >= WARNING_SECONDS || second < before;
        let is_first = is_due
            && self.warned_at.compare_exchange(before, second, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_first {
            let FailOpen { reads, writes } = self.fail_open;
            tracing::warn!(error = %error.chain(), reads_pass = reads, writes_pass = writes, "cannot count requests");
        }
        if self.fail_open.passes(scope) { Ok(()) } else { Err(error) }
    }
}

/// The refused requests that each network may add to a log in a minute.
const LOGGED_REFUSALS: RateLimit = RateLimit { requests: 100, window_seconds: 60 };

/// Bounds the log entries about refused requests, so that nobody without rights fills the log.
pub struct LoggedRefusals(LocalLimit<MonotonicClock>);

impl Default for LoggedRefusals {
    fn default() -> Self {
        Self(LocalLimit::new(LOGGED_REFUSALS, MonotonicClock))
    }
}

impl LoggedRefusals {
    /// Counts a refused request. Returns true if it is to be logged.
    pub fn count(&self, address: Option<IpAddr>) -> bool {
        self.0.count(&Client::at(address)).allowed
    }
}

impl std::fmt::Debug for LoggedRefusals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoggedRefusals")
    }
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Limits")
    }
}

#[cfg(test)]
mod tests;
