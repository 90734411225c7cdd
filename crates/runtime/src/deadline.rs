//! The time by which a request must be answered, where the environment ends late requests.

use std::time::{Duration, Instant, SystemTime};

/// The time by which a response must be ready. On Lambda it is an extension of each request; a process has none, because
/// nothing ends its requests but its own time limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Instant);

impl Deadline {
    /// Returns the deadline that leaves `margin` before `end`.
    pub fn before(end: SystemTime, margin: Duration) -> Self {
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        Self(Instant::now() + left.saturating_sub(margin))
    }

    /// Returns the time that is left; zero once the deadline has passed.
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_not_part_of_what_is_left() {
        let end = SystemTime::now() + Duration::from_secs(10);
        let remaining = Deadline::before(end, Duration::from_secs(2)).remaining();
        assert!(remaining <= Duration::from_secs(8) && remaining > Duration::from_secs(5), "{remaining:?}");
        assert_eq!(Deadline::before(end, Duration::from_secs(60)).remaining(), Duration::ZERO);
        assert_eq!(Deadline::before(SystemTime::UNIX_EPOCH, Duration::ZERO).remaining(), Duration::ZERO);
    }
}
