//! Searches and writes while an index is rebuilt.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::ACTIVE;
use crate::support::{Answer, http_client};

/// The interval between searches, and between writes.
const INTERVAL: Duration = Duration::from_millis(20);

/// Searches and writes continuously. Each search must find all products of the fixture.
pub(super) struct Load {
    state: Arc<State>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    stops: AtomicBool,
    searches: AtomicU64,
    writes: AtomicU64,
    failures: Mutex<Vec<String>>,
}

impl Load {
    /// Starts to search at one address, and to write at another.
    pub(super) fn start(query: &str, command: &str) -> Self {
        let state = Arc::<State>::default();
        let tasks = vec![
            tokio::spawn(search(Arc::clone(&state), query.to_owned())),
            tokio::spawn(write(Arc::clone(&state), command.to_owned())),
        ];
        Self { state, tasks }
    }

    /// Stops, and returns the number of products written. No request may have failed.
    pub(super) async fn end(self) -> u64 {
        self.state.stops.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        let failures = self.state.failures.lock().unwrap();
        assert!(failures.is_empty(), "{} failed, as {}", failures.len(), failures[0]);
        assert!(self.state.searches.load(Ordering::Relaxed) > 0);
        self.state.writes.load(Ordering::Relaxed)
    }
}

async fn search(state: Arc<State>, url: String) {
    let client = http_client();
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !state.stops.load(Ordering::Relaxed) {
        ticks.tick().await;
        let answer =
            Answer::of(client.get(format!("{url}/products/search?tags=fixture&pageSize=1&facets=brand")))
                .await;
        if answer.status != 200 || answer.json()["total"] != ACTIVE {
            state.failures.lock().unwrap().push(format!("{}: {}", answer.status, answer.text));
        }
        state.searches.fetch_add(1, Ordering::Relaxed);
    }
}

async fn write(state: Arc<State>, url: String) {
    let client = http_client();
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !state.stops.load(Ordering::Relaxed) {
        ticks.tick().await;
        let n = state.writes.fetch_add(1, Ordering::Relaxed);
        let product = json!({ "name": format!("Written lamp {n}"), "tags": ["written"] });
        let answer = Answer::of(client.put(format!("{url}/products/w{n}")).json(&product)).await;
        if !answer.status.is_success() {
            state.failures.lock().unwrap().push(format!("{}: {}", answer.status, answer.text));
        }
    }
}
