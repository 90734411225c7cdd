//! When a rule holds.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::{self, Date};
use jiff::tz::TimeZone;
use toml::de::DeValue;

use crate::fault::Found;
use crate::reader::{Section, Value, wrong_kind};

/// From a moment until before another one; open where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Window {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// Where a window lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Ahead,
    Now,
    Over,
}

impl Window {
    /// Reads `from` and `until` of a rule.
    pub(crate) fn read(section: &mut Section<'_>, found: &mut Found) -> Self {
        let from = section.take("from").and_then(|value| Some((moment(&value, found)?.begins, value.span())));
        let until = section.take("until").and_then(|value| Some((moment(&value, found)?.ends, value.span())));
        if let (Some((from, _)), Some((until, at))) = (&from, &until)
            && until <= from
        {
            found.add(at, "ends before it begins; write an `until` behind `from`");
        }
        let bare = |end: Option<(Timestamp, Range<usize>)>| end.map(|(moment, _)| moment);
        Self { from: bare(from), until: bare(until) }
    }

    pub(crate) fn phase(&self, now: Timestamp) -> Phase {
        if self.until.is_some_and(|until| until <= now) {
            Phase::Over
        } else if self.from.is_some_and(|from| now < from) {
            Phase::Ahead
        } else {
            Phase::Now
        }
    }
}

/// What a file says of a time: a moment begins and ends at once, a day lasts.
struct Time {
    begins: Timestamp,
    ends: Timestamp,
}

/// A day of UTC, or a time with its offset; also in quotes, as other formats have it.
fn moment(value: &Value<'_>, found: &mut Found) -> Option<Time> {
    let text = match value.get_ref() {
        DeValue::Datetime(time) => time.to_string(),
        DeValue::String(text) => text.trim().to_owned(),
        _ => {
            return wrong_kind(
                value,
                "a day such as 2026-11-27, or a time such as 2026-11-27T08:00:00Z",
                found,
            );
        }
    };
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(Time { begins: moment, ends: moment });
    }
    let has_time = text.contains(':');
    let day = text.parse::<Date>().ok().filter(|_| !has_time).and_then(day);
    if day.is_none() {
        let message = match has_time {
            true => {
                "is no time with a day and an offset; write 2026-11-27T08:00:00Z for UTC, or +09:00 instead of Z"
            }
            false => "is no day of the calendar; write one such as 2026-11-27",
        };
        found.add(&value.span(), message);
    }
    day
}

fn day(date: Date) -> Option<Time> {
    let midnight = |date: Date| TimeZone::UTC.to_timestamp(date.to_datetime(civil::Time::midnight())).ok();
    Some(Time { begins: midnight(date)?, ends: midnight(date.tomorrow().ok()?)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader;

    fn window(toml: &str) -> Window {
        let mut found = Found::default();
        let window = Window::read(&mut reader::parse(toml, &mut found).unwrap(), &mut found);
        assert_eq!(found.len(), 0, "{toml}: {found:?}");
        window
    }

    #[test]
    fn a_window_includes_its_days_and_ends_before_its_last_moment() {
        let days = window("from = 2026-11-27\nuntil = 2026-11-28");
        let hours = window("from = 2026-11-27T08:00:00+09:00\nuntil = \"2026-11-27T10:00:00.5+09:00\"");
        let short = window("until = 2026-11-27 08:00Z");
        for (window, now, phase) in [
            (days, "2026-11-26T23:59:59.999Z", Phase::Ahead),
            (days, "2026-11-27T00:00:00Z", Phase::Now),
            (days, "2026-11-28T23:59:59.999Z", Phase::Now),
            (days, "2026-11-29T00:00:00Z", Phase::Over),
            (hours, "2026-11-26T22:59:59Z", Phase::Ahead),
            (hours, "2026-11-26T23:00:00Z", Phase::Now),
            (hours, "2026-11-27T01:00:00.5Z", Phase::Over),
            (short, "2026-11-27T07:59:59Z", Phase::Now),
            (short, "2026-11-27T08:00:00Z", Phase::Over),
            (Window::default(), "2026-11-27T08:00:00Z", Phase::Now),
        ] {
            assert_eq!(window.phase(now.parse().unwrap()), phase, "{now}");
        }
        let day = window("from = 2026-11-27\nuntil = 2026-11-27");
        assert_eq!(day.phase("2026-11-27T12:00:00Z".parse().unwrap()), Phase::Now);
    }
}
