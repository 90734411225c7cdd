//! Bounds the requests that wait for the index.

use std::time::Duration;

use runtime::Problem;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The most polls of the index per second by all waiting requests together; each is a request to the index.
const POLLS_PER_SECOND: f64 = 500.0;

/// The requests that wait for the index.
pub(crate) struct Waiters {
    permits: Semaphore,
    max: usize,
}

impl Waiters {
    /// Allows this many waiting requests at a time.
    pub(crate) fn new(max: usize) -> Self {
        Self { permits: Semaphore::new(max), max }
    }

    /// Adds a waiting request, which leaves when the permit is dropped.
    ///
    /// # Errors
    /// 503 if too many wait already.
    pub(crate) fn enter(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let detail =
            "too many searches wait for writes to be indexed; try again, or search without the token";
        self.permits.try_acquire().map_err(|_| Problem::unavailable(detail))
    }

    /// Returns the minimum poll interval of each request that keeps the total poll rate under the limit.
    pub(crate) fn min_poll_interval(&self) -> Duration {
        let waiting = self.max.saturating_sub(self.permits.available_permits());
        Duration::from_secs(1).mul_f64(waiting as f64 / POLLS_PER_SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;

    #[test]
    fn waiting_requests_are_bounded_in_number_and_in_polls() {
        let waiters = Waiters::new(100);
        assert_eq!(waiters.min_poll_interval(), Duration::ZERO);
        let mut permits: Vec<_> = (0..100).map(|_| waiters.enter().unwrap()).collect();
        assert_eq!(waiters.enter().unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            waiters.min_poll_interval(),
            Duration::from_millis(200),
            "100 waiters, 500 polls a second"
        );
        permits.truncate(1);
        assert_eq!(waiters.min_poll_interval(), Duration::from_millis(2));
        assert!(waiters.enter().is_ok());
    }
}
