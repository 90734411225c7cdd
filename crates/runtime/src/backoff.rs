//! Pauses between attempts while something is away.

use std::time::Duration;

/// The longest that the first pause may be.
const FIRST: Duration = Duration::from_millis(100);

/// Pauses that double up to a bound, each cut by chance, so that many who wait do not come back in step.
#[derive(Debug)]
pub struct Backoff {
    failures: u32,
    longest: Duration,
}

impl Backoff {
    /// Pauses of at most `longest`, from a tenth of a second on.
    pub fn up_to(longest: Duration) -> Self {
        Self { failures: 0, longest }
    }

    /// How long to wait now.
    pub fn next_pause(&mut self) -> Duration {
        let longest = self.longest.min(FIRST * 2_u32.saturating_pow(self.failures.min(10)));
        self.failures += 1;
        longest.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Waits.
    pub async fn pause(&mut self) {
        tokio::time::sleep(self.next_pause()).await;
    }

    /// Begins anew, after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound() {
        let longest = Duration::from_secs(10);
        let mut backoff = Backoff::up_to(longest);
        let pauses: Vec<Duration> = (0..40).map(|_| backoff.next_pause()).collect();
        assert!(pauses[0] <= FIRST && pauses[0] >= FIRST / 2);
        assert!(pauses[39] <= longest && pauses[39] >= longest / 2);
    }
}
