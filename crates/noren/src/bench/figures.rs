//! What was measured, in figures that can be compared. Creates and waits for them are told of as searches are.

use std::fmt;
use std::time::Duration;

/// The percentiles that a file of figures has.
const PERCENTILES: [f64; 15] =
    [1.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 95.0, 99.0, 99.9, 100.0];

/// Searches that were made one soon after the other.
#[derive(Debug, Clone)]
pub struct Slice {
    /// How long each took.
    pub times: Vec<Duration>,
    /// From the first to the last.
    pub wall: Duration,
}

/// All slices of one way to search.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What it was.
    pub name: &'static str,
    /// One a round.
    pub slices: Vec<Slice>,
}

/// How fast searches were.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// How many there were.
    pub searches: usize,
    /// How many there were in a second.
    pub per_second: f64,
    /// In ascending order.
    times: Vec<Duration>,
}

impl Measured {
    /// All slices together.
    pub fn figures(&self) -> Figures {
        let mut times: Vec<Duration> = self.slices.iter().flat_map(|slice| &slice.times).copied().collect();
        times.sort_unstable();
        let wall: Duration = self.slices.iter().map(|slice| slice.wall).sum();
        Figures { searches: times.len(), per_second: times.len() as f64 / wall.as_secs_f64(), times }
    }

    /// How many times as long a search takes as with `other`: for each round by itself, and of these the median, so
    /// that a round in which the machine had something else to do does not count.
    pub fn ratio_to(&self, other: &Self) -> f64 {
        let cost = |slice: &Slice| slice.wall.as_secs_f64() / slice.times.len().max(1) as f64;
        let rounds = self.slices.iter().zip(&other.slices);
        let mut ratios: Vec<f64> = rounds.map(|(slice, other)| cost(slice) / cost(other)).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

impl Figures {
    /// So many of 100 searches took at most this; zero when there were none.
    pub fn percentile(&self, percent: f64) -> Duration {
        let rank = (self.times.len() as f64 * percent / 100.0).ceil() as usize;
        self.times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// Rows for a file: the name, what was measured, the value; times are in milliseconds.
    pub fn rows(&self, name: &str) -> String {
        let mut rows =
            format!("{name},searches,{}\n{name},per_second,{:.1}\n", self.searches, self.per_second);
        for percent in PERCENTILES {
            rows.push_str(&format!("{name},p{percent},{:.4}\n", ms(self.percentile(percent))));
        }
        rows
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |percent| ms(self.percentile(percent));
        write!(
            f,
            "{:.0} a second; median {:.2} ms, 90% {:.2} ms, 99% {:.2} ms, longest {:.2} ms; {} in all",
            self.per_second,
            at(50.0),
            at(90.0),
            at(99.0),
            at(100.0),
            self.searches
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(slices: &[(&[u64], u64)]) -> Measured {
        let ms = Duration::from_millis;
        let slice = |(times, wall): &(&[u64], u64)| Slice {
            times: times.iter().copied().map(ms).collect(),
            wall: ms(*wall),
        };
        Measured { name: "it", slices: slices.iter().map(slice).collect() }
    }

    #[test]
    fn figures_are_those_of_all_rounds() {
        let figures = measured(&[(&[4, 1], 3), (&[2, 3], 5)]).figures();
        assert_eq!((figures.searches, figures.per_second), (4, 500.0));
        let at = |percent| figures.percentile(percent).as_millis();
        assert_eq!((at(50.0), at(51.0), at(99.0), at(100.0), at(1.0)), (2, 3, 4, 4, 1));
        assert_eq!(
            figures.to_string(),
            "500 a second; median 2.00 ms, 90% 4.00 ms, 99% 4.00 ms, longest 4.00 ms; 4 in all"
        );
        assert!(figures.rows("it").starts_with("it,searches,4\nit,per_second,500.0\nit,p1,1.0000\n"));
        assert_eq!(measured(&[]).figures().percentile(50.0), Duration::ZERO);
    }

    #[test]
    fn one_disturbed_round_does_not_change_a_ratio() {
        let one = measured(&[(&[1], 10), (&[1], 10), (&[1, 1], 20)]);
        let other = measured(&[(&[1], 20), (&[1], 500), (&[1], 20)]);
        assert_eq!(other.ratio_to(&one), 2.0);
    }
}
