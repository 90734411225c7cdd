//! Retries with exponential backoff.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

/// The longest that the first pause can be.
const FIRST: Duration = Duration::from_millis(100);

/// Returns pauses that begin at 50 to 100 ms and double up to `longest`. The second half of each pause is random, so that clients
/// that failed together do not retry together.
fn pauses(longest: Duration) -> ExponentialBackoff {
    // The builder adds a jitter of up to the whole pause, so the pause given here is half of the longest.
    ExponentialBuilder::new()
        .with_min_delay(FIRST.min(longest) / 2)
        .with_max_delay(longest / 2)
        .without_max_times()
        .with_jitter()
        .build()
}

/// Retries of one operation, with growing pauses, until a token is cancelled.
#[derive(Debug)]
pub struct Retries<'a> {
    pauses: ExponentialBackoff,
    longest: Duration,
    stop: &'a CancellationToken,
}

impl<'a> Retries<'a> {
    /// Creates retries with pauses of at most `longest`.
    pub fn new(longest: Duration, stop: &'a CancellationToken) -> Self {
        Self { pauses: pauses(longest), longest, stop }
    }

    /// Waits until the next attempt is due. `None` if the token was cancelled.
    pub async fn pause(&mut self) -> Option<()> {
        let pause = self.pauses.next().unwrap_or(self.longest);
        self.stop.run_until_cancelled(tokio::time::sleep(pause)).await
    }

    /// Makes the next pause short again, after a success.
    pub fn reset(&mut self) {
        self.pauses = pauses(self.longest);
    }
}

/// Runs `attempt` until it succeeds or fails with an error that `is_retried` returns false for. `None` if `stop` was
/// cancelled during a pause; an attempt that runs is not interrupted.
///
/// `is_retried` is called once for each error, so it is the place to log it.
pub async fn retry<T, E, F>(
    longest: Duration,
    stop: &CancellationToken,
    mut attempt: impl FnMut() -> F,
    mut is_retried: impl FnMut(&E) -> bool,
) -> Option<Result<T, E>>
where
    F: Future<Output = Result<T, E>>,
{
    let mut retries = Retries::new(longest, stop);
    loop {
        match attempt().await {
            Err(error) if is_retried(&error) => retries.pause().await?,
            result => return Some(result),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn pauses_grow_up_to_a_bound() {
        let longest = Duration::from_secs(10);
        let pauses: Vec<Duration> = pauses(longest).take(40).collect();
        assert!(pauses[0] <= FIRST && pauses[0] >= FIRST / 2);
        assert!(pauses[39] <= longest && pauses[39] >= longest / 2);
    }

    #[tokio::test]
    async fn an_operation_is_retried_until_it_succeeds_or_fails_for_good() {
        let (stop, attempts) = (CancellationToken::new(), Cell::new(0));
        let attempt = || async {
            attempts.set(attempts.get() + 1);
            if attempts.get() < 3 { Err("busy") } else { Ok("done") }
        };
        let longest = Duration::from_millis(1);
        assert_eq!(retry(longest, &stop, attempt, |_| true).await, Some(Ok("done")));
        attempts.set(0);
        assert_eq!(retry(longest, &stop, attempt, |_| false).await, Some(Err("busy")));
        attempts.set(0);
        stop.cancel();
        assert_eq!(retry(longest, &stop, attempt, |_| true).await, None);
        assert_eq!(attempts.get(), 1);
    }
}
