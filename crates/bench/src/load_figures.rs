//! The figures of a load that counts errors instead of ending at the first.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::BenchError;

/// A figure of the latencies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Statistic {
    Mean,
    Percentile(f64),
}

/// The statistics by their names in assertions and in JSON.
pub(crate) const STATISTICS: [(&str, Statistic); 5] = [
    ("mean", Statistic::Mean),
    ("p50", Statistic::Percentile(50.0)),
    ("p95", Statistic::Percentile(95.0)),
    ("p99", Statistic::Percentile(99.0)),
    ("max", Statistic::Percentile(100.0)),
];

/// A time in milliseconds.
pub(crate) struct Milliseconds(pub(crate) Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ms", self.0.as_secs_f64() * 1000.0)
    }
}

/// A kind of failed search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ErrorKind {
    /// A status other than a success.
    Status(u16),
    NoConnection,
    Timeout,
    Disconnected,
    /// A success without JSON.
    NotJson,
    Other,
}

impl ErrorKind {
    pub(crate) fn of(error: &BenchError) -> Self {
        match error {
            BenchError::Status { status, .. } => Self::Status(status.as_u16()),
            BenchError::Connect { .. } => Self::NoConnection,
            BenchError::Timeout { .. } => Self::Timeout,
            BenchError::Disconnected { .. } => Self::Disconnected,
            BenchError::NotJson { .. } => Self::NotJson,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::NoConnection => f.write_str("no connection"),
            Self::Timeout => f.write_str("time-out"),
            Self::Disconnected => f.write_str("disconnected"),
            Self::NotJson => f.write_str("not JSON"),
            Self::Other => f.write_str("other"),
        }
    }
}

/// Searches and errors of a load.
///
/// The latencies are those of the answered searches, and the waits of those that timed out: without these, a service that answers few
/// searches would look fast. The rate counts answered searches only.
#[derive(Debug, Default)]
pub(crate) struct LoadFigures {
    /// In ascending order once finished.
    latencies: Vec<Duration>,
    answered: usize,
    errors: BTreeMap<ErrorKind, usize>,
    wall: Duration,
}

impl LoadFigures {
    /// Records an answered search.
    pub(crate) fn answered(&mut self, latency: Duration) {
        self.answered += 1;
        self.latencies.push(latency);
    }

    /// Records a search that failed after a time.
    pub(crate) fn failed(&mut self, kind: ErrorKind, waited: Duration) {
        *self.errors.entry(kind).or_default() += 1;
        if kind == ErrorKind::Timeout {
            self.latencies.push(waited);
        }
    }

    /// Adds the searches of another connection.
    pub(crate) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.answered += other.answered;
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
    }

    /// Completes the figures after the last search. `wall` is the time since the start of the first one.
    pub(crate) fn finish(&mut self, wall: Duration) {
        self.latencies.sort_unstable();
        self.wall = wall;
    }

    /// Returns a statistic of the latencies, or `None` if no search was answered.
    pub(crate) fn latency(&self, statistic: Statistic) -> Option<Duration> {
        if self.answered == 0 {
            return None;
        }
        match statistic {
            Statistic::Mean => {
                let sum: Duration = self.latencies.iter().sum();
                Some(sum.div_f64(self.latencies.len() as f64))
            }
            Statistic::Percentile(percent) => {
                let rank = (self.latencies.len() as f64 * percent / 100.0).ceil() as usize;
                self.latencies.get(rank.saturating_sub(1)).copied()
            }
        }
    }

    /// Returns the number of errors of all kinds.
    pub(crate) fn errors(&self) -> usize {
        self.errors.values().sum()
    }

    /// Returns the number of answered searches per second.
    pub(crate) fn per_second(&self) -> f64 {
        self.answered as f64 / self.wall.as_secs_f64()
    }

    /// Returns the figures as JSON.
    pub(crate) fn to_json(&self) -> Value {
        let milliseconds = |time: Duration| (time.as_secs_f64() * 100_000.0).round() / 100.0;
        let latencies: serde_json::Map<String, Value> = STATISTICS
            .iter()
            .map(|(name, statistic)| ((*name).to_owned(), json!(self.latency(*statistic).map(milliseconds))))
            .collect();
        let errors: BTreeMap<String, usize> =
            self.errors.iter().map(|(kind, count)| (kind.to_string(), *count)).collect();
        json!({
            "seconds": (self.wall.as_secs_f64() * 100.0).round() / 100.0,
            "answered": self.answered,
            "requestsPerSecond": (self.per_second() * 10.0).round() / 10.0,
            "milliseconds": latencies,
            "errors": self.errors(),
            "errorsByKind": errors,
        })
    }
}

impl fmt::Display for LoadFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (answered, seconds) = (self.answered, self.wall.as_secs_f64());
        writeln!(f, "answered searches: {answered} in {seconds:.1} s, {:.1} a second", self.per_second())?;
        let latencies = STATISTICS.iter().filter_map(|(name, statistic)| {
            let latency = self.latency(*statistic)?;
            Some(format!("{name} {}", Milliseconds(latency)))
        });
        let latencies: Vec<String> = latencies.collect();
        if !latencies.is_empty() {
            writeln!(f, "latencies: {}", latencies.join(", "))?;
        }
        let kinds: Vec<String> = self.errors.iter().map(|(kind, count)| format!("{kind}: {count}")).collect();
        let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        write!(f, "errors: {}{kinds}", self.errors())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn connections_are_counted_together() {
        let (mut figures, mut other) = (LoadFigures::default(), LoadFigures::default());
        figures.answered(ms(4));
        figures.failed(ErrorKind::Status(503), ms(1));
        other.answered(ms(2));
        other.failed(ErrorKind::Status(503), ms(1));
        other.failed(ErrorKind::NoConnection, ms(1));
        figures.add(other);
        figures.finish(ms(500));
        assert_eq!(
            figures.to_string(),
            "answered searches: 2 in 0.5 s, 4.0 a second\n\
             latencies: mean 3.00 ms, p50 2.00 ms, p95 4.00 ms, p99 4.00 ms, max 4.00 ms\n\
             errors: 3 (status 503: 2, no connection: 1)"
        );
        let json = json!({
            "seconds": 0.5, "answered": 2, "requestsPerSecond": 4.0,
            "milliseconds": {"mean": 3.0, "p50": 2.0, "p95": 4.0, "p99": 4.0, "max": 4.0},
            "errors": 3, "errorsByKind": {"status 503": 2, "no connection": 1},
        });
        assert_eq!(figures.to_json(), json);
    }

    #[test]
    fn a_wait_that_timed_out_is_a_latency_but_no_answer() {
        let mut figures = LoadFigures::default();
        figures.failed(ErrorKind::Timeout, ms(30_000));
        figures.finish(ms(30_000));
        assert_eq!(figures.latency(Statistic::Mean), None);
        figures.answered(ms(10));
        figures.finish(ms(40_000));
        assert_eq!(figures.latency(Statistic::Percentile(100.0)), Some(ms(30_000)));
        assert_eq!((figures.latency(Statistic::Mean), figures.per_second()), (Some(ms(15_005)), 0.025));
    }

    #[test]
    fn figures_without_an_answer_have_no_latencies() {
        let mut figures = LoadFigures::default();
        figures.failed(ErrorKind::NotJson, ms(1));
        figures.finish(ms(1000));
        assert_eq!(
            figures.to_string(),
            "answered searches: 0 in 1.0 s, 0.0 a second\nerrors: 1 (not JSON: 1)"
        );
        assert_eq!(figures.to_json()["milliseconds"]["mean"], Value::Null);
    }
}
