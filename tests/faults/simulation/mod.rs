//! Fault 1: command, relay, queue and sync in one thread, under all faults at once, in simulated time.
//!
//! The logic is the real one: `Catalogue`, `relay_forever` and `Consumer`. The ports are simulated and do only what
//! their contracts guarantee: a call may be late, fail before its effect, lose its response, or do part of its work;
//! messages are duplicated, delayed and reordered; receipts expire; parts become unavailable. Processes crash at any
//! await point, clients disconnect and retry. Everything derives from one seed, which replays exactly.
//!
//! Guarantee: once the faults end, the index converges without intervention; every response that a client got is true;
//! a request with an idempotency key is applied once; versions count 1, 2, 3; searches never see a product go back;
//! only what cannot be indexed becomes a dead letter.
//!
//! `SEED=7 NOREN_TEST_SCALE=10 cargo test --workspace --test integration faults::simulation` repeats it from seed 7
//! on, with ten times as many seeds. A seed that fails is printed with its trace.

mod checks;
mod clients;
mod index;
mod process;
mod queue;
mod store;
mod world;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use domain::ProductId;
use tokio::task::JoinSet;
use tokio::time::Instant;

use checks::Remains;
use clients::{Client, Log};
use index::{Commit, SimulatedIndex};
use process::{CommandProcess, run_sync};
use queue::SimulatedQueue;
use store::{Outbox, SimulatedStore};
use world::{Event, Mistake, Tally, World};

use crate::support::{record, scaled, seed};

/// The number of seeds at full scale.
const SEEDS: u64 = 3000;
/// The number of seeds within which a planted mistake must be found.
const SEEDS_FOR_A_MISTAKE: u64 = 500;
/// The simulated time within which everything must become idle.
const REST: Duration = Duration::from_secs(3600);

/// The outcome of a run.
struct Outcome {
    trace_hash: u64,
    trace: Vec<String>,
    tally: Tally,
    result: Result<(), String>,
}

/// Runs a seed, and keeps the lines of its trace if `keep_trace` is true.
fn run(seed: u64, mistake: Option<Mistake>, keep_trace: bool) -> Outcome {
    record();
    // `sync` draws the jitter of its backoff from the thread's generator.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        let world = World::new(seed, mistake, keep_trace);
        let result = simulate(&world).await;
        Outcome { trace_hash: world.trace_hash(), trace: world.trace(), tally: world.tally(), result }
    })
}

async fn simulate(world: &Arc<World>) -> Result<(), String> {
    let disk = Arc::default();
    let queue = Arc::new(SimulatedQueue::new(Arc::clone(world), Arc::clone(&disk)));
    let outbox = if world.chance(0.5) { Outbox::Entries } else { Outbox::Enqueue(Arc::clone(&queue)) };
    let store = Arc::new(SimulatedStore::new(Arc::clone(world), outbox, disk));
    let index = Arc::new(SimulatedIndex::new(Arc::clone(world), world.pick(&[Commit::Whole, Commit::Each])));
    let processes: Vec<_> =
        (0..world.number(1..3)).map(|_| CommandProcess::new(world, &store, &queue)).collect();
    let mut running = JoinSet::new();
    for process in &processes {
        running.spawn(Arc::clone(process).run());
    }
    for _ in 0..world.number(1..3) {
        running.spawn(run_sync(Arc::clone(world), Arc::clone(&queue), Arc::clone(&index)));
    }
    let log = Log::default();
    let mut clients = JoinSet::new();
    let ids: Vec<ProductId> =
        (0..world.number(1..5)).map(|n| ProductId::parse(&format!("p{n}")).unwrap()).collect();
    for number in 0..3 {
        let (world, processes, ids) = (Arc::clone(world), processes.clone(), ids.clone());
        clients.spawn(Client { number, world, processes, ids, log: Arc::clone(&log) }.run());
    }
    let garbage = usize::from(world.chance(0.2));
    (0..garbage).for_each(|_| queue.enqueue_garbage());

    while clients.join_next().await.is_some() {}
    let until = Instant::now() + REST;
    let is_idle = || {
        processes.iter().all(|process| process.is_idle()) && store.outbox_entries() == 0 && queue.is_empty()
    };
    while world.has_faults() || !is_idle() {
        if Instant::now() > until {
            return Err(format!(
                "it does not become idle; {} outbox entries are left",
                store.outbox_entries()
            ));
        }
        world.wait(Duration::from_secs(1)).await;
    }
    index.flush();
    let (requests, disk) = (log.lock().unwrap_or_else(PoisonError::into_inner), store.disk());
    Remains {
        requests: &requests,
        history: &disk.history,
        store: &disk.records,
        index: &index.records(),
        dead: &queue.dead_letters(),
        garbage,
        went_back: &index.went_back(),
    }
    .check()
}

/// Runs a failed seed again and panics with its trace.
fn report(seed: u64, fault: &str) -> ! {
    let trace = run(seed, None, true).trace;
    panic!(
        "seed {seed}: {fault}\nrepeat it: SEED={seed} cargo test --workspace --test integration faults::simulation\n{}",
        trace.join("\n")
    );
}

#[test]
fn whatever_fails_the_index_comes_to_equal_the_store() {
    let (first, count) = (seed(), scaled(SEEDS, 300));
    let begun = std::time::Instant::now();
    let mut sum = Tally::default();
    for seed in first..first + count {
        let outcome = run(seed, None, false);
        if let Err(fault) = outcome.result {
            report(seed, &fault);
        }
        outcome.tally.into_iter().for_each(|(event, count)| *sum.entry(event).or_default() += count);
    }
    println!("{count} seeds from {first} in {:?}: {sum:?}", begun.elapsed());
    let never = Event::ALL.into_iter().find(|event| !sum.contains_key(event));
    assert_eq!(never, None, "this should have happened at least once");
}

#[test]
fn a_seed_replays_exactly() {
    let first = seed();
    for seed in first..first + 50 {
        let [once, again] = [(); 2].map(|()| run(seed, None, false));
        assert_eq!(once.trace_hash, again.trace_hash, "seed {seed}");
        assert_eq!(once.tally, again.tally, "seed {seed}");
    }
    assert_ne!(run(first, None, false).trace_hash, run(first + 1, None, false).trace_hash);
}

#[test]
fn planted_mistakes_are_found() {
    let first = seed();
    for mistake in Mistake::ALL {
        let found = (first..first + SEEDS_FOR_A_MISTAKE)
            .find_map(|seed| Some((seed, run(seed, Some(mistake), false).result.err()?)));
        let (seed, fault) = found.unwrap_or_else(|| panic!("{mistake:?} is not found"));
        println!("{mistake:?} is found by seed {seed}: {fault}");
    }
}
