//! Makes searches over several connections, and compares scenarios round by round.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::error::BenchError;
use crate::figures::{Measurement, Round};
use crate::workload::{Searcher, Workload};

/// Size of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Number of connections. Each makes one search after the other.
    pub connections: usize,
    /// Number of rounds. In each, every scenario has a turn, so a disturbance of the machine affects all of them.
    pub rounds: usize,
    /// Number of searches per scenario and round.
    pub searches: usize,
}

impl Plan {
    /// Spreads `searches` over the rounds, rounded up.
    pub fn of(connections: usize, rounds: usize, searches: usize) -> Self {
        Self { connections, rounds, searches: searches.div_ceil(rounds.max(1)) }
    }
}

/// A workload under measurement.
pub struct Scenario {
    name: &'static str,
    workload: Workload,
    searchers: Vec<Searcher>,
    next: usize,
    rounds: Vec<Round>,
}

impl Scenario {
    /// Creates a scenario without measurements.
    pub fn new(name: &'static str, workload: Workload) -> Self {
        Self { name, workload, searchers: Vec::new(), next: 0, rounds: Vec::new() }
    }

    /// Makes one round of searches and records it. The round continues after the last search of the previous round.
    ///
    /// # Errors
    /// If a search fails.
    pub async fn run(&mut self, connections: usize, searches: usize) -> Result<(), BenchError> {
        if self.workload.len() == 0 || searches == 0 {
            return Err(BenchError::NoQueries("the list of searches is empty"));
        }
        while self.searchers.len() < connections.max(1) {
            self.searchers.push(self.workload.connect().await?);
        }
        let end = self.next + searches;
        let turns = Arc::new(AtomicUsize::new(self.next));
        let begun = Instant::now();
        let tasks: Vec<_> = self
            .searchers
            .drain(..)
            .map(|searcher| tokio::spawn(search_in_turn(searcher, Arc::clone(&turns), end)))
            .collect();
        let mut times = Vec::with_capacity(searches);
        for task in tasks {
            let (searcher, taken) = task.await??;
            self.searchers.push(searcher);
            times.extend(taken);
        }
        self.next = end;
        self.rounds.push(Round { times, wall: begun.elapsed() });
        Ok(())
    }

    /// Returns the recorded rounds.
    pub fn measurement(self) -> Measurement {
        Measurement { name: self.name, rounds: self.rounds }
    }
}

/// Makes the searches whose number, drawn from `turns`, is below `end`.
async fn search_in_turn(
    mut searcher: Searcher,
    turns: Arc<AtomicUsize>,
    end: usize,
) -> Result<(Searcher, Vec<Duration>), BenchError> {
    let mut times = Vec::new();
    loop {
        let turn = turns.fetch_add(1, Ordering::Relaxed);
        if turn >= end {
            return Ok((searcher, times));
        }
        let begun = Instant::now();
        searcher.search(turn).await?;
        times.push(begun.elapsed());
    }
}

/// Compares scenarios: in each round, each of them makes the same number of searches.
///
/// # Errors
/// If a search fails or there is nothing to search for.
pub async fn compare<const N: usize>(
    scenarios: [(&'static str, Workload); N],
    plan: Plan,
) -> Result<[Measurement; N], BenchError> {
    let mut scenarios = scenarios.map(|(name, workload)| Scenario::new(name, workload));
    for _ in 0..plan.rounds.max(1) {
        for scenario in &mut scenarios {
            scenario.run(plan.connections, plan.searches).await?;
        }
    }
    Ok(scenarios.map(Scenario::measurement))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Endpoint;
    use crate::request::BenchRequest;
    use axum::Router;
    use axum::http::Uri;
    use std::sync::Mutex;

    #[tokio::test]
    async fn scenarios_take_turns_and_each_continues_where_it_stopped() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let note = async move |uri: Uri| noted.lock().unwrap().push(uri.path().to_owned());
        let router = Router::new().fallback(note);
        let workload = |paths: [&str; 3]| {
            let requests = paths.map(|path| BenchRequest::post(path, "").unwrap());
            Workload::requests(Endpoint::Router(router.clone()), requests.into())
        };
        let scenarios = [("letters", workload(["/a", "/b", "/c"])), ("digits", workload(["/1", "/2", "/3"]))];
        let [letters, digits] = compare(scenarios, Plan::of(1, 2, 4)).await.unwrap();
        assert_eq!(*asked.lock().unwrap(), ["/a", "/b", "/1", "/2", "/c", "/a", "/3", "/1"]);
        assert_eq!((letters.name, letters.figures().searches, digits.rounds.len()), ("letters", 4, 2));
    }

    #[tokio::test]
    async fn connections_share_the_searches() {
        let endpoint = Endpoint::Router(Router::new().fallback(async || ()));
        let workload = Workload::requests(endpoint, vec![BenchRequest::post("/", "").unwrap()]);
        let [measured] = compare([("", workload)], Plan::of(3, 1, 100)).await.unwrap();
        assert_eq!(measured.figures().searches, 100);
    }

    #[tokio::test]
    async fn an_empty_list_of_searches_is_an_error() {
        let workload = Workload::requests(Endpoint::Router(Router::new()), Vec::new());
        assert!(compare([("", workload)], Plan::of(1, 1, 1)).await.is_err());
    }
}
