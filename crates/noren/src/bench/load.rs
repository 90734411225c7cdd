//! Searches from several connections at the same time, and several ways to make them against each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::connection::{Connection, Target};
use super::figures::{Measured, Slice};
use crate::failure::{Context as _, Failure};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Connections that make one search after the other, each.
    pub connections: usize,
    /// Turns that the ways to search take, so that whatever disturbs the machine meanwhile meets all of them.
    pub rounds: usize,
    /// Searches in each turn.
    pub searches: usize,
}

impl Plan {
    /// About so many searches in this many rounds.
    pub fn of(connections: usize, rounds: usize, searches: usize) -> Self {
        Self { connections, rounds, searches: searches.div_ceil(rounds.max(1)) }
    }
}

/// A way to make searches.
pub struct Case {
    name: &'static str,
    target: Target,
    connections: Vec<Connection>,
    next: usize,
    slices: Vec<Slice>,
}

impl Case {
    /// One that was not measured yet.
    pub fn new(name: &'static str, target: Target) -> Self {
        Self { name, target, connections: Vec::new(), next: 0, slices: Vec::new() }
    }

    /// Makes `searches` more searches, beginning behind those of before, and notes what they took.
    ///
    /// # Errors
    /// When one fails.
    pub async fn run(&mut self, connections: usize, searches: usize) -> Result<(), Failure> {
        if self.target.searches() == 0 || searches == 0 {
            return Err(Failure::new("there is nothing to search for"));
        }
        while self.connections.len() < connections.max(1) {
            self.connections.push(self.target.connect().await?);
        }
        let end = self.next + searches;
        let turns = Arc::new(AtomicUsize::new(self.next));
        let begun = Instant::now();
        let tasks: Vec<_> = self
            .connections
            .drain(..)
            .map(|connection| tokio::spawn(search_in_turn(connection, Arc::clone(&turns), end)))
            .collect();
        let mut times = Vec::with_capacity(searches);
        for task in tasks {
            let (connection, taken) = task.await.context(|| "searching".to_owned())??;
            self.connections.push(connection);
            times.extend(taken);
        }
        self.next = end;
        self.slices.push(Slice { times, wall: begun.elapsed() });
        Ok(())
    }

    /// What was measured.
    pub fn measured(self) -> Measured {
        Measured { name: self.name, slices: self.slices }
    }
}

/// Makes the searches whose turn comes before `end`.
async fn search_in_turn(
    mut connection: Connection,
    turns: Arc<AtomicUsize>,
    end: usize,
) -> Result<(Connection, Vec<Duration>), Failure> {
    let mut times = Vec::new();
    loop {
        let turn = turns.fetch_add(1, Ordering::Relaxed);
        if turn >= end {
            return Ok((connection, times));
        }
        let begun = Instant::now();
        connection.search(turn).await?;
        times.push(begun.elapsed());
    }
}

/// Measures ways to search against each other: in each round each makes the same number of its searches.
///
/// # Errors
/// When a search fails, or there is nothing to search for.
pub async fn compare<const N: usize>(
    cases: [(&'static str, Target); N],
    plan: Plan,
) -> Result<[Measured; N], Failure> {
    let mut cases = cases.map(|(name, target)| Case::new(name, target));
    for _ in 0..plan.rounds.max(1) {
        for case in &mut cases {
            case.run(plan.connections, plan.searches).await?;
        }
    }
    Ok(cases.map(Case::measured))
}

#[cfg(test)]
mod tests {
    use super::super::connection::Ask;
    use super::*;
    use axum::Router;
    use axum::http::Uri;
    use std::sync::Mutex;

    #[tokio::test]
    async fn the_ways_take_turns_and_each_goes_on_where_it_stopped() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let note = async move |uri: Uri| noted.lock().unwrap().push(uri.path().to_owned());
        let router = Router::new().fallback(note);
        let target = |paths: [&str; 3]| {
            let asks = paths.map(|path| Ask::post(path, "").unwrap());
            Target::Router(router.clone(), asks.into())
        };
        let cases = [("letters", target(["/a", "/b", "/c"])), ("digits", target(["/1", "/2", "/3"]))];
        let [letters, digits] = compare(cases, Plan::of(1, 2, 4)).await.unwrap();
        assert_eq!(*asked.lock().unwrap(), ["/a", "/b", "/1", "/2", "/c", "/a", "/3", "/1"]);
        assert_eq!((letters.name, letters.figures().searches, digits.slices.len()), ("letters", 4, 2));
    }

    #[tokio::test]
    async fn connections_share_the_searches() {
        let target =
            Target::Router(Router::new().fallback(async || ()), [Ask::post("/", "").unwrap()].into());
        let [measured] = compare([("", target)], Plan::of(3, 1, 100)).await.unwrap();
        assert_eq!(measured.figures().searches, 100);
    }

    #[tokio::test]
    async fn nothing_to_search_for_is_a_fault() {
        let target = Target::Router(Router::new(), [].into());
        assert!(compare([("", target)], Plan::of(1, 1, 1)).await.is_err());
    }
}
