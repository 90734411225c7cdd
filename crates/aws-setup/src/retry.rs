//! Trying again what the SDK does not: parts of a batch, and transactions that met another one.

use std::time::Duration;

/// How often something is tried before it is given up as throttled.
const MAX_ATTEMPTS: u32 = 12;
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_millis(800);

/// Pauses that double, each of a length that chance decides, so that those who met do not meet again.
#[derive(Debug, Default)]
pub struct Backoff(u32);

impl Backoff {
    /// Waits before the next attempt; false when there was the last one: all pauses together are at most 6 s.
    pub async fn pause(&mut self) -> bool {
        self.0 += 1;
        if self.0 >= MAX_ATTEMPTS {
            return false;
        }
        tokio::time::sleep(longest_pause(self.0).mul_f64(fastrand::f64())).await;
        true
    }
}

fn longest_pause(attempt: u32) -> Duration {
    (FIRST_PAUSE * (1 << attempt.min(16))).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pauses_together_are_short() {
        let all: Duration = (1..MAX_ATTEMPTS).map(longest_pause).sum();
        assert!(all <= Duration::from_secs(6), "{all:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_attempt_is_followed_by_no_other() {
        let (mut backoff, mut attempts) = (Backoff::default(), 1);
        while backoff.pause().await {
            attempts += 1;
        }
        assert_eq!(attempts, MAX_ATTEMPTS);
    }
}
