//! Dates as values of attributes, their ranges and their facets.

use std::iter::successors;

use jiff::Timestamp;
use jiff::civil::{self, Date, DateTime};
use jiff::tz::TimeZone;

use crate::product::AttributeValue;

/// The milliseconds of a day.
const DAY: i64 = 24 * HOUR;
const HOUR: i64 = 3_600_000;
/// The first Monday after the epoch.
const FIRST_MONDAY: i64 = 4 * DAY;

/// The last moment of a bucket that reaches beyond the calendar: `9999-12-30T21:59:59.999Z`.
const LAST: i64 = 253_402_207_199_999;

/// The time that a date names, in milliseconds since 1970: the first and the last millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateSpan {
    /// The first millisecond.
    pub start: i64,
    /// The last millisecond: of the day, if the date has no time.
    pub end: i64,
}

impl DateSpan {
    /// Parses a date of ISO 8601: `2026-02-28`, `2026-02-28T10:30`, with or without seconds and offset. A time without an offset is
    /// in UTC. Returns `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let is_date = |(at, byte): (usize, u8)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        let (date, time) = text.split_at_checked(DATE_LENGTH)?;
        if !date.bytes().enumerate().all(is_date) {
            return None;
        }
        if time.is_empty() {
            let start = midnight(date.parse().ok()?)?;
            return Some(Self { start, end: start + DAY - 1 });
        }
        let is_time = |byte: u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'+' | b'-' | b'Z');
        let time = time.strip_prefix(['T', ' '])?;
        if !time.bytes().all(is_time) || !time.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let start = match text.parse::<Timestamp>() {
            Ok(timestamp) => timestamp,
            Err(_) => TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?,
        };
        let start = start.as_millisecond();
        Some(Self { start, end: start })
    }
}

/// The length of a date without time, in bytes.
const DATE_LENGTH: usize = 10;

fn midnight(date: Date) -> Option<i64> {
    let midnight = TimeZone::UTC.to_timestamp(date.to_datetime(civil::Time::midnight())).ok()?;
    Some(midnight.as_millisecond())
}

impl AttributeValue {
    /// Returns the value in milliseconds since 1970 if it is a [date](DateSpan::parse); for a day, its first millisecond.
    pub fn as_date(&self) -> Option<i64> {
        match self {
            Self::Text(text) => DateSpan::parse(text.trim()).map(|span| span.start),
            Self::Number(_) | Self::Flag(_) | Self::List(_) => None,
        }
    }
}

/// The dates that an attribute has in matching products, in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFacet {
    /// The earliest.
    pub min: i64,
    /// The latest.
    pub max: i64,
    /// The number of products that have a date.
    pub count: u64,
    /// Buckets from the earliest to the latest date without gaps, see [`date_facet`].
    pub histogram: Vec<DateBucket>,
}

/// The products with a date from `from` to `to` inclusive, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateBucket {
    /// The first millisecond of the bucket.
    pub from: i64,
    /// The last millisecond of the bucket.
    pub to: i64,
    /// The number of products in it.
    pub count: u64,
}

/// The most buckets in a histogram of dates.
pub const MAX_DATE_BUCKETS: usize = 10;

/// A width of the buckets of a histogram of dates.
#[derive(Debug, Clone, Copy)]
enum Width {
    /// Milliseconds, counted from this moment.
    Fixed {
        width: i64,
        from: i64,
    },
    Months(i64),
}

const WIDTHS: [Width; 14] = [
    Width::Fixed { width: HOUR, from: 0 },
    Width::Fixed { width: 6 * HOUR, from: 0 },
    Width::Fixed { width: DAY, from: 0 },
    Width::Fixed { width: 7 * DAY, from: FIRST_MONDAY },
    Width::Months(1),
    Width::Months(3),
    Width::Months(12),
    Width::Months(24),
    Width::Months(5 * 12),
    Width::Months(10 * 12),
    Width::Months(50 * 12),
    Width::Months(100 * 12),
    Width::Months(500 * 12),
    Width::Months(1000 * 12),
];

impl Width {
    /// Returns the start of the bucket that holds a moment; `None` beyond the calendar.
    fn start(self, moment: i64) -> Option<i64> {
        match self {
            Self::Fixed { width, from } => Some((moment - from).div_euclid(width) * width + from),
            Self::Months(width) => {
                let date = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(moment).ok()?);
                let month = i64::from(date.year()) * 12 + i64::from(date.month()) - 1;
                month_start(month.div_euclid(width) * width)
            }
        }
    }

    /// Returns the start of the bucket after the one with this start.
    fn next(self, start: i64) -> Option<i64> {
        match self {
            Self::Fixed { width, .. } => Some(start + width),
            Self::Months(width) => {
                let date = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(start).ok()?);
                month_start(i64::from(date.year()) * 12 + i64::from(date.month()) - 1 + width)
            }
        }
    }
}

/// Returns the start of a month, counted from the year 0.
fn month_start(month: i64) -> Option<i64> {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    midnight(Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()?)
}

/// Computes the facet of dates, given as pairs of a date in milliseconds since 1970 and its frequency; `None` without dates.
///
/// The histogram has at most [`MAX_DATE_BUCKETS`] buckets, all of one hour, six hours, a day, a week, a month, three months, or 1, 2,
/// 5, 10 … years, as short as possible. They begin as the calendar does in UTC, weeks on Mondays.
pub fn date_facet(dates: &[(i64, u64)]) -> Option<DateFacet> {
    let counted = || dates.iter().copied().filter(|(_, count)| *count > 0);
    let min = counted().map(|(date, _)| date).min()?;
    let max = counted().map(|(date, _)| date).max()?;
    let count = counted().map(|(_, count)| count).sum();
    let mut histogram = WIDTHS
        .into_iter()
        .find_map(|width| buckets(width, min, max))
        .unwrap_or_else(|| vec![DateBucket { from: min, to: max, count: 0 }]);
    for (date, count) in counted() {
        let at = histogram.partition_point(|bucket| bucket.from <= date).saturating_sub(1);
        if let Some(bucket) = histogram.get_mut(at) {
            bucket.count += count;
        }
    }
    Some(DateFacet { min, max, count, histogram })
}

/// Returns the buckets of a width from the lowest to the highest date; `None` if they are too many.
fn buckets(width: Width, min: i64, max: i64) -> Option<Vec<DateBucket>> {
    let starts = successors(Some(width.start(min)?), |start| width.next(*start));
    let mut buckets = Vec::with_capacity(MAX_DATE_BUCKETS);
    for start in starts.take_while(|start| *start <= max) {
        if buckets.len() == MAX_DATE_BUCKETS {
            return None;
        }
        // The last bucket may reach beyond the calendar.
        let to = width.next(start).map_or(LAST, |next| next - 1);
        buckets.push(DateBucket { from: start, to, count: 0 });
    }
    Some(buckets)
}

/// Formats a moment as facets show it, in UTC.
pub fn format_moment(moment: i64) -> String {
    Timestamp::from_millisecond(moment).map(|moment| moment.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moment(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn dates_are_those_of_iso_8601() {
        let span = |text: &str| DateSpan::parse(text).map(|span| (span.start, span.end));
        let day = (moment("2026-02-28T00:00:00Z"), moment("2026-02-28T23:59:59.999Z"));
        assert_eq!(span("2026-02-28"), Some(day));
        let ten = moment("2026-02-28T10:30:00Z");
        for text in [
            "2026-02-28T10:30:00Z",
            "2026-02-28T10:30",
            "2026-02-28 10:30:00",
            "2026-02-28T12:30:00+02:00",
            "2026-02-28T10:30:00.000Z",
        ] {
            assert_eq!(span(text), Some((ten, ten)), "{text}");
        }
        for text in [
            "",
            "2026",
            "2026-02",
            "20260228",
            "2026-02-30",
            "2026-2-28",
            "28.02.2026",
            "2026-02-28x",
            "2026-02-28T",
            "2026-02-28T25:00",
            "2026-02-28-1",
            "2026-02-28T10:30[Europe/Berlin]",
            "２０２６-02-28",
        ] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn buckets_begin_as_the_calendar_does() {
        let ends = |dates: &[&str]| {
            let dates: Vec<(i64, u64)> =
                dates.iter().map(|date| (DateSpan::parse(date).unwrap().start, 1)).collect();
            let facet = date_facet(&dates).unwrap();
            let bucket = |bucket: &DateBucket| {
                format!("{} {} {}", format_moment(bucket.from), format_moment(bucket.to), bucket.count)
            };
            facet.histogram.iter().map(bucket).collect::<Vec<_>>()
        };
        assert_eq!(
            ends(&["2026-01-31", "2026-03-01", "2026-05-15T12:00Z"])[..2],
            [
                "2026-01-01T00:00:00Z 2026-01-31T23:59:59.999Z 1",
                "2026-02-01T00:00:00Z 2026-02-28T23:59:59.999Z 0"
            ]
        );
        assert_eq!(ends(&["2026-02-28"]), ["2026-02-28T00:00:00Z 2026-02-28T00:59:59.999Z 1"]);
        let weeks = ends(&["2026-02-25", "2026-03-20"]);
        assert_eq!(weeks[0], "2026-02-23T00:00:00Z 2026-03-01T23:59:59.999Z 1", "a Monday");
        assert_eq!(ends(&["1999-05-05", "2026-03-20"]).len(), 7, "five years each");
        assert_eq!(ends(&["0001-01-01", "9999-12-30"]).len(), 10);
        assert_eq!(date_facet(&[(0, 0)]), None);
    }

    proptest! {
        #[test]
        fn a_histogram_holds_every_date_once(
            dates in prop::collection::vec((-62_000_000_000_000..250_000_000_000_000_i64, 1..5_u64), 1..40)
        ) {
            let facet = date_facet(&dates).unwrap();
            prop_assert!(facet.histogram.len() <= MAX_DATE_BUCKETS);
            prop_assert_eq!(facet.histogram.iter().map(|bucket| bucket.count).sum::<u64>(), facet.count);
            for bucket in &facet.histogram {
                let inside = dates.iter().filter(|(date, _)| (bucket.from..=bucket.to).contains(date));
                prop_assert_eq!(bucket.count, inside.map(|(_, count)| count).sum::<u64>());
                prop_assert_eq!(DateSpan::parse(&format_moment(bucket.to)).map(|span| span.start), Some(bucket.to));
            }
            for pair in facet.histogram.windows(2) {
                prop_assert_eq!(pair[0].to + 1, pair[1].from);
            }
        }
    }
}
