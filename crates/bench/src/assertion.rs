//! Assertions about the figures of a load: `mean=1s,p99=3s,errors=0,rps=50`.

use std::fmt;
use std::time::Duration;

use crate::load_figures::{LoadFigures, Milliseconds, STATISTICS, Statistic};

/// A bound of one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    bound: Bound,
    /// The assertion as it was written.
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    MaxLatency(Statistic, Duration),
    MaxErrors(usize),
    MinPerSecond(f64),
}

impl Assertion {
    /// Parses an assertion such as `p99=3s`.
    ///
    /// # Errors
    /// Names the fault, with an example.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (name, value) =
            text.split_once('=').ok_or("must be a name and a value, such as mean=1s".to_owned())?;
        let statistic = STATISTICS.iter().find(|(known, _)| *known == name);
        let bound = match (name, statistic) {
            (_, Some((_, statistic))) => Bound::MaxLatency(*statistic, time(name, value)?),
            ("errors", _) => Bound::MaxErrors(errors(value)?),
            ("rps", _) => Bound::MinPerSecond(rate(value)?),
            _ => {
                let names = "mean, p50, p95, p99, max, errors or rps";
                return Err(format!("`{name}` must be {names}, such as p99=3s"));
            }
        };
        Ok(Self { bound, text: text.to_owned() })
    }

    /// Returns the measured value and the bound, in words, if the figures do not meet the bound.
    pub(crate) fn unmet(&self, figures: &LoadFigures) -> Option<String> {
        let (is_met, measured) = match self.bound {
            Bound::MaxLatency(statistic, most) => match figures.latency(statistic) {
                Some(latency) => (latency <= most, Milliseconds(latency).to_string()),
                None => (false, "unknown, because no search was answered".to_owned()),
            },
            Bound::MaxErrors(most) => (figures.errors() <= most, figures.errors().to_string()),
            Bound::MinPerSecond(least) => {
                let per_second = figures.per_second();
                (per_second >= least, format!("{per_second:.1}"))
            }
        };
        let (name, value) = self.text.split_once('=').unwrap_or_default();
        let side = if matches!(self.bound, Bound::MinPerSecond(_)) { "least" } else { "most" };
        (!is_met).then(|| format!("{name} is {measured}, but must be at {side} {value}"))
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn time(name: &str, value: &str) -> Result<Duration, String> {
    let fault = || format!("`{value}` must be a time in s or ms, such as {name}=1s or {name}=1500ms");
    let (number, unit) = match value.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (value.strip_suffix('s').ok_or_else(fault)?, 1.0),
    };
    let seconds = decimal(number).ok_or_else(fault)? * unit;
    Duration::try_from_secs_f64(seconds).map_err(|_| fault())
}

fn errors(value: &str) -> Result<usize, String> {
    let is_number = value.chars().all(|c| c.is_ascii_digit());
    let number = value.parse().ok().filter(|_| is_number);
    number.ok_or_else(|| format!("`{value}` must be a number of errors, such as errors=0"))
}

fn rate(value: &str) -> Result<f64, String> {
    decimal(value).ok_or_else(|| format!("`{value}` must be a number of requests per second, such as rps=50"))
}

/// Parses digits with an optional decimal point: without a sign, an exponent, or words such as `inf`.
fn decimal(text: &str) -> Option<f64> {
    let is_decimal = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|_| is_decimal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_figures::ErrorKind;

    fn figures(milliseconds: &[u64], errors: usize) -> LoadFigures {
        let mut figures = LoadFigures::default();
        milliseconds.iter().for_each(|time| figures.answered(Duration::from_millis(*time)));
        (0..errors).for_each(|_| figures.failed(ErrorKind::Status(503), Duration::ZERO));
        figures.finish(Duration::from_secs(2));
        figures
    }

    fn unmet(assertion: &str, figures: &LoadFigures) -> Option<String> {
        Assertion::parse(assertion).unwrap().unmet(figures)
    }

    #[test]
    fn a_bound_holds_up_to_its_value() {
        let figures = figures(&[1, 2, 3, 10], 2);
        for met in ["mean=4ms", "p50=2ms", "p95=10ms", "p99=0.01s", "max=10ms", "errors=2", "rps=2"] {
            assert_eq!(unmet(met, &figures), None, "{met}");
        }
        for (assertion, words) in [
            ("mean=3.9ms", "mean is 4.00 ms, but must be at most 3.9ms"),
            ("p50=1ms", "p50 is 2.00 ms, but must be at most 1ms"),
            ("p95=9ms", "p95 is 10.00 ms, but must be at most 9ms"),
            ("p99=0.009s", "p99 is 10.00 ms, but must be at most 0.009s"),
            ("max=0s", "max is 10.00 ms, but must be at most 0s"),
            ("errors=1", "errors is 2, but must be at most 1"),
            ("rps=2.1", "rps is 2.0, but must be at least 2.1"),
        ] {
            assert_eq!(unmet(assertion, &figures).as_deref(), Some(words));
        }
    }

    #[test]
    fn no_latency_is_met_without_an_answer() {
        let figures = figures(&[], 3);
        let words = unmet("mean=60s", &figures).unwrap();
        assert_eq!(words, "mean is unknown, because no search was answered, but must be at most 60s");
        assert!(unmet("rps=1", &figures).is_some());
    }

    #[test]
    fn a_fault_is_named_with_an_example() {
        for (text, words) in [
            ("", "such as mean=1s"),
            ("mean", "such as mean=1s"),
            ("avg=1s", "`avg` must be mean, p50"),
            ("MEAN=1s", "`MEAN` must be mean, p50"),
            ("mean=1", "`1` must be a time in s or ms, such as mean=1s or mean=1500ms"),
            ("p99=s", "such as p99=1s"),
            ("p99=-1s", "such as p99=1s"),
            ("p99=infs", "such as p99=1s"),
            ("p99=1e3s", "such as p99=1s"),
            ("p99=1 s", "such as p99=1s"),
            ("p99=99999999999999999999999s", "such as p99=1s"),
            ("errors=", "such as errors=0"),
            ("errors=1.5", "such as errors=0"),
            ("errors=+1", "such as errors=0"),
            ("rps=", "such as rps=50"),
            ("rps=NaN", "such as rps=50"),
            ("rps==1", "such as rps=50"),
        ] {
            let fault = Assertion::parse(text).unwrap_err();
            assert!(fault.contains(words), "{text}: {fault}");
        }
    }
}
