//! The age of the oldest entry of a list, by a clock that may be set back.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Measures the age of the oldest entry each time it is asked for. If the clock was set back meanwhile, the age does not
/// shrink; if it was set back before the first measurement, the age counts from that measurement.
#[derive(Default)]
pub(crate) struct OldestAge(Mutex<Option<Measured>>);

/// A measurement. All times are in milliseconds since 1970.
#[derive(Clone, Copy)]
struct Measured {
    /// The recorded time of the entry, which identifies it.
    recorded: i64,
    /// The time of the entry by the clock as it is now.
    begun: i64,
    /// The time of the measurement.
    at: i64,
}

impl OldestAge {
    /// Returns the age at `now` of the entry that was recorded at `recorded`; `None` without an entry.
    pub(crate) fn age(&self, recorded: Option<i64>, now: i64) -> Option<Duration> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let measured = recorded.map(|recorded| {
            let begun = match *last {
                Some(last) if last.recorded == recorded => last.begun - (last.at - now).max(0),
                _ => recorded.min(now),
            };
            Measured { recorded, begun, at: now }
        });
        *last = measured;
        measured.map(|Measured { begun, .. }| Duration::from_millis((now - begun).max(0).cast_unsigned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_grows_whatever_the_clock_does() {
        let oldest = OldestAge::default();
        let age = |recorded, now| oldest.age(recorded, now).map(|age| age.as_millis());
        assert_eq!(age(None, 5_000), None);
        assert_eq!(age(Some(1_000), 6_000), Some(5_000));
        assert_eq!(age(Some(1_000), 4_000), Some(5_000), "set back by at least 2 s");
        assert_eq!(age(Some(1_000), 7_000), Some(8_000));
        assert_eq!(age(Some(9_000), 7_000), Some(0), "recorded before the clock was set back");
        assert_eq!(age(Some(9_000), 8_000), Some(1_000));
        assert_eq!(age(Some(1_000), 8_000), Some(7_000), "another entry");
    }
}
