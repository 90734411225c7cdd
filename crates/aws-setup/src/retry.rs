//! The backoff for retries that the SDK does not make: parts of a batch, and transactions that met a conflict.

use std::time::Duration;

use backon::{Backoff, BackoffBuilder as _, ExponentialBuilder};

/// Attempts before an operation fails as throttled, including the first.
const MAX_ATTEMPTS: usize = 12;
/// The upper bound of the first pause.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The upper bound of every pause.
const MAX_PAUSE: Duration = Duration::from_millis(800);

/// Returns exponential backoff with full jitter: each of up to 11 pauses has a random length below an upper bound that
/// doubles from 20 ms to 800 ms. All pauses together are at most 6 s.
///
/// Full jitter separates callers that met in a conflict, so that they do not meet again.
pub fn backoff() -> impl Backoff {
    longest_pauses().map(|longest| longest.mul_f64(fastrand::f64()))
}

fn longest_pauses() -> impl Backoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(MAX_PAUSE)
        .with_factor(2.0)
        .with_max_times(MAX_ATTEMPTS - 1)
        .build()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use backon::Retryable as _;

    use super::*;

    #[test]
    fn all_pauses_together_are_short() {
        let millis: Vec<_> = longest_pauses().map(|pause| pause.as_secs_f64() * 1000.0).collect();
        let expected = [20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 800.0, 800.0, 800.0, 800.0, 800.0];
        assert_eq!(millis.len(), expected.len());
        assert!(millis.iter().zip(expected).all(|(is, expected)| (is - expected).abs() < 0.1), "{millis:?}");
        assert!(longest_pauses().sum::<Duration>() <= Duration::from_secs(6));
        assert!(backoff().zip(longest_pauses()).all(|(pause, longest)| pause < longest));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_attempt_is_followed_by_no_other() {
        let attempts = Cell::new(0);
        let fail = async || {
            attempts.set(attempts.get() + 1);
            Err::<(), ()>(())
        };
        fail.retry(backoff()).await.unwrap_err();
        assert_eq!(attempts.get(), MAX_ATTEMPTS);
    }
}
