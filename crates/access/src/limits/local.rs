//! The default limit, counted by each process for itself.

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;

use super::client::{Client, MAX_CLIENTS};
use super::decision::Decision;
use crate::RateLimit;

const POLICY: &str = "default";

type Limiter<C> = RateLimiter<NotKeyed, InMemoryState, C, StateInformationMiddleware>;

/// Counts requests by client.
pub(super) struct LocalLimit<C: Clock> {
    limit: RateLimit,
    quota: Quota,
    /// The time after which one more request passes.
    interval: Duration,
    clock: C,
    limiters: Cache<Client, Arc<Limiter<C>>>,
}

impl<C: Clock + Clone> LocalLimit<C> {
    pub(super) fn new(limit: RateLimit, clock: C) -> Self {
        let requests = NonZeroU32::new(limit.requests).unwrap_or(NonZeroU32::MIN);
        let window = Duration::from_secs(limit.window_seconds.max(1).into());
        let interval = (window / requests.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(interval).unwrap_or_else(|| Quota::per_second(requests));
        let quota = quota.allow_burst(requests);
        Self { limit, quota, interval, clock, limiters: Cache::new(MAX_CLIENTS) }
    }

    pub(super) fn count(&self, client: &Client) -> Decision {
        let new = || RateLimiter::direct_with_clock(self.quota, self.clock.clone()).with_middleware();
        let Ok(limiter) = self.limiters.get_or_insert_with(client, || Ok::<_, Infallible>(Arc::new(new())));
        let (remaining, wait, allowed) = match limiter.check() {
            Ok(state) => (state.remaining_burst_capacity(), self.interval, true),
            Err(not_until) => (0, not_until.wait_time_from(self.clock.now()), false),
        };
        Decision {
            policy: POLICY,
            limit: self.limit.requests,
            window_seconds: self.limit.window_seconds.max(1),
            remaining,
            reset_seconds: whole_seconds(wait),
            allowed,
        }
    }

    #[cfg(test)]
    pub(super) fn clients(&self) -> usize {
        self.limiters.len()
    }
}

/// Rounds up to whole seconds, at least 1.
fn whole_seconds(duration: Duration) -> u32 {
    let rounded = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(rounded.max(1)).unwrap_or(u32::MAX)
}
