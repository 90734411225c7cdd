//! Latencies and rates of a measurement. "Search" stands for any measured request; creates are counted the same way.

use std::fmt;
use std::time::Duration;

/// Percentiles in the file of figures.
const PERCENTILES: [f64; 15] =
    [1.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 95.0, 99.0, 99.9, 100.0];

/// Searches made without a pause.
#[derive(Debug, Clone)]
pub struct Round {
    /// Latency of each search.
    pub times: Vec<Duration>,
    /// Time from the start of the first search to the end of the last.
    pub wall: Duration,
}

/// The rounds of one scenario.
#[derive(Debug, Clone)]
pub struct Measurement {
    /// Name of the scenario.
    pub name: &'static str,
    /// The rounds in their order.
    pub rounds: Vec<Round>,
}

/// Latencies and rate of a set of searches.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Number of searches.
    pub searches: usize,
    /// Searches per second.
    pub per_second: f64,
    /// Latencies in ascending order.
    times: Vec<Duration>,
}

impl Measurement {
    /// Returns the figures of all rounds together.
    pub fn figures(&self) -> Figures {
        let mut times: Vec<Duration> = self.rounds.iter().flat_map(|round| &round.times).copied().collect();
        times.sort_unstable();
        let wall: Duration = self.rounds.iter().map(|round| round.wall).sum();
        Figures { searches: times.len(), per_second: times.len() as f64 / wall.as_secs_f64(), times }
    }

    /// Returns the cost of a search relative to `other`: the median of the ratios of corresponding rounds, so a round that
    /// the machine disturbed has no effect.
    pub fn ratio_to(&self, other: &Self) -> f64 {
        let cost = |round: &Round| round.wall.as_secs_f64() / round.times.len().max(1) as f64;
        let rounds = self.rounds.iter().zip(&other.rounds);
        let mut ratios: Vec<f64> = rounds.map(|(round, other)| cost(round) / cost(other)).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

impl Figures {
    /// Returns the latency that `percent` of the searches do not exceed; zero if there are no searches.
    pub fn percentile(&self, percent: f64) -> Duration {
        let rank = (self.times.len() as f64 * percent / 100.0).ceil() as usize;
        self.times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// Returns rows for the file of figures: name, measure, value. Times are in milliseconds.
    pub fn rows(&self, name: &str) -> String {
        let mut rows =
            format!("{name},searches,{}\n{name},per_second,{:.1}\n", self.searches, self.per_second);
        for percent in PERCENTILES {
            rows.push_str(&format!("{name},p{percent},{:.4}\n", milliseconds(self.percentile(percent))));
        }
        rows
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |percent| milliseconds(self.percentile(percent));
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

    fn measured(rounds: &[(&[u64], u64)]) -> Measurement {
        let ms = Duration::from_millis;
        let round = |(times, wall): &(&[u64], u64)| Round {
            times: times.iter().copied().map(ms).collect(),
            wall: ms(*wall),
        };
        Measurement { name: "it", rounds: rounds.iter().map(round).collect() }
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
