//! The period in which a rule is active.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::{self, Date};
use jiff::tz::TimeZone;
use toml::de::DeValue;

use crate::fault::FaultLog;
use crate::reader::{Section, Value, wrong_kind};

/// A half-open period; a missing bound means unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Window {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// The position of a window relative to the current time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Upcoming,
    Active,
    Expired,
}

impl Window {
    /// Reads `from` and `until` of a rule.
    pub(crate) fn read(section: &mut Section<'_>, faults: &mut FaultLog) -> Self {
        let from =
            section.take("from").and_then(|value| Some((moment(&value, faults)?.begins, value.span())));
        let until =
            section.take("until").and_then(|value| Some((moment(&value, faults)?.ends, value.span())));
        if let (Some((from, _)), Some((until, at))) = (&from, &until)
            && until <= from
        {
            faults.add(at, "ends before it begins; write an `until` after `from`");
        }
        let bare = |end: Option<(Timestamp, Range<usize>)>| end.map(|(moment, _)| moment);
        Self { from: bare(from), until: bare(until) }
    }

    pub(crate) fn phase(&self, now: Timestamp) -> Phase {
        if self.until.is_some_and(|until| until <= now) {
            Phase::Expired
        } else if self.from.is_some_and(|from| now < from) {
            Phase::Upcoming
        } else {
            Phase::Active
        }
    }
}

/// A time in a file: a day, or a moment, which begins and ends at the same time.
struct Period {
    begins: Timestamp,
    ends: Timestamp,
}

/// Reads a day of UTC, or a time with its offset; also in quotes.
fn moment(value: &Value<'_>, faults: &mut FaultLog) -> Option<Period> {
    let text = match value.get_ref() {
        DeValue::Datetime(time) => time.to_string(),
        DeValue::String(text) => text.trim().to_owned(),
        _ => {
            return wrong_kind(
                value,
                "a day such as 2026-11-27, or a time such as 2026-11-27T08:00:00Z",
                faults,
            );
        }
    };
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(Period { begins: moment, ends: moment });
    }
    let has_time = text.contains(':');
    let day = text.parse::<Date>().ok().filter(|_| !has_time).and_then(day);
    if day.is_none() {
        let message = match has_time {
            true => {
                "is not a time with date and offset; write 2026-11-27T08:00:00Z for UTC, or +09:00 instead of Z"
            }
            false => "is not a calendar day; write one such as 2026-11-27",
        };
        faults.add(&value.span(), message);
    }
    day
}

fn day(date: Date) -> Option<Period> {
    let midnight = |date: Date| TimeZone::UTC.to_timestamp(date.to_datetime(civil::Time::midnight())).ok();
    Some(Period { begins: midnight(date)?, ends: midnight(date.tomorrow().ok()?)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader;

    fn window(toml: &str) -> Window {
        let mut faults = FaultLog::default();
        let window = Window::read(&mut reader::parse(toml, &mut faults).unwrap(), &mut faults);
        assert_eq!(faults.len(), 0, "{toml}: {faults:?}");
        window
    }

    #[test]
    fn a_window_includes_its_days_and_ends_before_its_last_moment() {
        let days = window("from = 2026-11-27\nuntil = 2026-11-28");
        let hours = window("from = 2026-11-27T08:00:00+09:00\nuntil = \"2026-11-27T10:00:00.5+09:00\"");
        let short = window("until = 2026-11-27 08:00Z");
        for (window, now, phase) in [
            (days, "2026-11-26T23:59:59.999Z", Phase::Upcoming),
            (days, "2026-11-27T00:00:00Z", Phase::Active),
            (days, "2026-11-28T23:59:59.999Z", Phase::Active),
            (days, "2026-11-29T00:00:00Z", Phase::Expired),
            (hours, "2026-11-26T22:59:59Z", Phase::Upcoming),
            (hours, "2026-11-26T23:00:00Z", Phase::Active),
            (hours, "2026-11-27T01:00:00.5Z", Phase::Expired),
            (short, "2026-11-27T07:59:59Z", Phase::Active),
            (short, "2026-11-27T08:00:00Z", Phase::Expired),
            (Window::default(), "2026-11-27T08:00:00Z", Phase::Active),
        ] {
            assert_eq!(window.phase(now.parse().unwrap()), phase, "{now}");
        }
        let day = window("from = 2026-11-27\nuntil = 2026-11-27");
        assert_eq!(day.phase("2026-11-27T12:00:00Z".parse().unwrap()), Phase::Active);
    }
}
