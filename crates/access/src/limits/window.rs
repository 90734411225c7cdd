//! Windows of time on which all processes agree.

use jiff::Timestamp;

use super::decision::Decision;
use crate::RateLimit;

/// The window of a limit that contains the current time. Windows begin at multiples of their length since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    limit: RateLimit,
    /// The second at which this window ends and the next one begins.
    end: i64,
    now: i64,
}

impl Window {
    pub(super) fn new(limit: RateLimit, now: Timestamp) -> Self {
        let (now, length) = (now.as_second(), i64::from(limit.window_seconds.max(1)));
        Self { limit, end: now - now.rem_euclid(length) + length, now }
    }

    /// Returns true for the same window of the same limit.
    pub(super) fn is_same(self, other: Self) -> bool {
        (self.limit, self.end) == (other.limit, other.end)
    }

    /// Returns the time at which the window ends.
    pub(super) fn end(self) -> Timestamp {
        Timestamp::from_second(self.end).unwrap_or(Timestamp::MAX)
    }

    /// Returns the decision on a request, when `used` requests are counted in this window.
    pub(super) fn decide(self, policy: &'static str, used: u64, allowed: bool) -> Decision {
        let RateLimit { requests, window_seconds } = self.limit;
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        let reset_seconds = u32::try_from(self.end - self.now).unwrap_or(u32::MAX);
        Decision {
            policy,
            limit: requests,
            window_seconds: window_seconds.max(1),
            remaining: requests.saturating_sub(used),
            reset_seconds,
            allowed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_exactly_at_a_multiple_of_its_length() {
        let limit = RateLimit { requests: 5, window_seconds: 60 };
        let window = |milliseconds| Window::new(limit, Timestamp::from_millisecond(milliseconds).unwrap());
        for (milliseconds, end, reset) in
            [(0, 60, 60), (1_000, 60, 59), (59_000, 60, 1), (59_999, 60, 1), (60_000, 120, 60)]
        {
            let window = window(milliseconds);
            assert_eq!(window.end().as_second(), end, "{milliseconds}");
            assert_eq!(window.decide("key", 1, true).reset_seconds, reset, "{milliseconds}");
        }
    }
}
