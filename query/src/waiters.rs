//! Bounds the requests that wait for the index.
//!
//! Clients that may only search are the public. All of them together get half of the slots, and each network a tenth, so that they
//! cannot keep the programs of a shop from reading their own writes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use runtime::Problem;

/// The most polls of the index per second by all waiting requests together; each is a request to the index.
const POLLS_PER_SECOND: f64 = 500.0;

/// The class of a waiting client, which decides its share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Waiter {
    /// A client that may read or write products.
    Trusted,
    /// A client that may only search, with its network if that is known.
    Public(Option<IpAddr>),
}

/// The requests that wait for the index.
pub(crate) struct Waiters {
    max: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    all: usize,
    public: usize,
    by_network: HashMap<Option<IpAddr>, usize>,
}

/// The slot of a waiting request. Dropping it frees the slot.
pub(crate) struct Permit<'a> {
    waiters: &'a Waiters,
    waiter: Waiter,
}

impl Waiters {
    /// Creates a limit of this many concurrent waiting requests.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, waiting: Mutex::default() }
    }

    /// Adds a waiting request.
    ///
    /// # Errors
    /// 503 if too many wait already.
    pub(crate) fn enter(&self, waiter: Waiter) -> Result<Permit<'_>, Problem> {
        let mut waiting = self.lock();
        let has_room = waiting.all < self.max
            && match waiter {
                Waiter::Trusted => true,
                Waiter::Public(network) => {
                    let of_network = waiting.by_network.get(&network).copied().unwrap_or(0);
                    waiting.public < self.max.div_ceil(2) && of_network < self.max.div_ceil(10)
                }
            };
        if !has_room {
            let detail =
                "too many searches wait for writes to be indexed; try again, or search without the token";
            return Err(Problem::unavailable(detail));
        }
        waiting.all += 1;
        if let Waiter::Public(network) = waiter {
            waiting.public += 1;
            *waiting.by_network.entry(network).or_default() += 1;
        }
        Ok(Permit { waiters: self, waiter })
    }

    /// Returns the minimum poll interval of each request that keeps the total poll rate under the limit.
    pub(crate) fn min_poll_interval(&self) -> Duration {
        Duration::from_secs(1).mul_f64(self.lock().all as f64 / POLLS_PER_SECOND)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut waiting = self.waiters.lock();
        waiting.all -= 1;
        let Waiter::Public(network) = self.waiter else { return };
        waiting.public -= 1;
        if let Some(of_network) = waiting.by_network.get_mut(&network) {
            *of_network -= 1;
            if *of_network == 0 {
                waiting.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;

    fn entered(waiters: &Waiters, number: usize, waiter: Waiter) -> Vec<Permit<'_>> {
        (0..number).map(|_| waiters.enter(waiter).unwrap()).collect()
    }

    fn is_full_for(waiters: &Waiters, waiter: Waiter) -> bool {
        waiters.enter(waiter).is_err_and(|problem| problem.status() == StatusCode::SERVICE_UNAVAILABLE)
    }

    fn at(last: u8) -> Waiter {
        Waiter::Public(Some(IpAddr::from([192, 0, 2, last])))
    }

    #[test]
    fn waiting_requests_are_bounded_in_number_and_in_polls() {
        let waiters = Waiters::new(100);
        assert_eq!(waiters.min_poll_interval(), Duration::ZERO);
        let mut permits = entered(&waiters, 100, Waiter::Trusted);
        assert!(is_full_for(&waiters, Waiter::Trusted) && is_full_for(&waiters, at(1)));
        assert_eq!(
            waiters.min_poll_interval(),
            Duration::from_millis(200),
            "100 waiters, 500 polls a second"
        );
        permits.truncate(1);
        assert_eq!(waiters.min_poll_interval(), Duration::from_millis(2));
        assert!(!is_full_for(&waiters, Waiter::Trusted));
    }

    #[test]
    fn a_network_that_may_only_search_gets_a_tenth_and_all_of_them_a_half() {
        let waiters = Waiters::new(100);
        let first = entered(&waiters, 10, at(1));
        assert!(is_full_for(&waiters, at(1)) && !is_full_for(&waiters, at(2)));
        let others: Vec<_> = (2..=5).flat_map(|last| entered(&waiters, 10, at(last))).collect();
        assert!(is_full_for(&waiters, at(6)) && is_full_for(&waiters, Waiter::Public(None)));
        let trusted = entered(&waiters, 50, Waiter::Trusted);
        assert!(is_full_for(&waiters, Waiter::Trusted));
        drop((first, others, trusted));
        assert!(waiters.lock().by_network.is_empty(), "networks that do not wait are forgotten");
        let (all, public) = {
            let left = waiters.lock();
            (left.all, left.public)
        };
        assert_eq!((all, public), (0, 0));
    }
}
