//! The index is rebuilt during searches and writes, and the rebuild is killed, abandoned and resumed: no search fails
//! or returns less, and in the end the index equals the store. The same holds for the rollback.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use noren::app::Options;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::verified::{expect_converged, fill, product, verify};
use crate::support::{Answer, Running, TestApp, http_client, scaled, seed, wait_until};

/// The number of products that are changed but never deleted, so that every search must return all of them.
const KEPT: usize = 300;
/// Products that come and go.
const OTHERS: u64 = 2_700;
/// The same for OpenSearch, which shares this machine with the tests.
const OTHERS_IN_OPENSEARCH: usize = 900;
/// Creates and updates per request.
const UPSERTS: usize = 20;
/// Deletes per request.
const DELETES: usize = 5;
/// The interval between writes.
const WRITING: Duration = Duration::from_millis(50);
/// The interval between searches, of which one runs at a time.
const SEARCHING: Duration = Duration::from_millis(5);
/// The number of interrupted rebuilds at full scale.
const BREAKS: u64 = 12;
/// The same in OpenSearch.
const BREAKS_IN_OPENSEARCH: u64 = 3;
/// The longest delay between an event and the interruption that follows it.
const MAX_DELAY: Duration = Duration::from_millis(100);

/// Writes and searches on a service that may be down.
struct Load {
    state: Arc<State>,
    tasks: Vec<JoinHandle<()>>,
}

struct State {
    url: Mutex<String>,
    /// Products that come and go.
    others: usize,
    /// Incremented with each start and stop of the service; odd while it runs.
    life: AtomicU64,
    stops: AtomicBool,
    writes: AtomicU64,
    searches: AtomicU64,
    /// Searches that failed or returned less while the service ran.
    failures: Mutex<Vec<String>>,
}

impl State {
    fn url(&self) -> String {
        self.url.lock().unwrap().clone()
    }

    fn goes_on(&self) -> bool {
        !self.stops.load(Ordering::Relaxed)
    }
}

fn kept(n: usize, stock: u64) -> Value {
    json!({ "id": format!("k{n}"), "name": format!("Kept lamp {n}"), "tags": ["kept"], "stock": stock })
}

impl Load {
    /// Fills the service at this address and starts writes and searches.
    async fn begin(url: &str, others: usize, chance: &mut fastrand::Rng) -> Self {
        let mut products: Vec<Value> = (0..others).map(|n| product(n, chance)).collect();
        products.extend((0..KEPT).map(|n| kept(n, 0)));
        fill(url, &products).await;
        expect_converged(url, seed()).await;
        let state = Arc::new(State {
            url: Mutex::new(url.to_owned()),
            others,
            life: AtomicU64::new(1),
            stops: AtomicBool::new(false),
            writes: AtomicU64::new(0),
            searches: AtomicU64::new(0),
            failures: Mutex::default(),
        });
        let tasks = vec![
            tokio::spawn(write(Arc::clone(&state), chance.fork())),
            tokio::spawn(search(Arc::clone(&state))),
        ];
        Self { state, tasks }
    }

    /// Records that the service is about to stop, or has started at this address.
    fn turn(&self, url: Option<&str>) {
        if let Some(url) = url {
            url.clone_into(&mut self.state.url.lock().unwrap());
        }
        self.state.life.fetch_add(1, Ordering::SeqCst);
    }

    /// Stops writes and searches and returns their numbers. No search may have failed.
    async fn end(self) -> (u64, u64) {
        self.state.stops.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        let failures = self.state.failures.lock().unwrap();
        assert!(failures.is_empty(), "SEED={}: {} failed, as {}", seed(), failures.len(), failures[0]);
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.state.writes), count(&self.state.searches))
    }
}

/// Creates, updates and deletes, 500 per second if the machine can. Requests without a response are not checked here.
async fn write(state: Arc<State>, mut chance: fastrand::Rng) {
    let client = http_client();
    let mut ticks = tokio::time::interval(WRITING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while state.goes_on() {
        ticks.tick().await;
        let url = state.url();
        let lines: String = (0..UPSERTS)
            .map(|_| match chance.u8(..4) {
                0 => format!("{}\n", kept(chance.usize(..KEPT), chance.u64(..1_000))),
                _ => format!("{}\n", product(chance.usize(..state.others * 2), &mut chance)),
            })
            .collect();
        let post = client.post(format!("{url}/products/bulk")).header("content-type", "application/x-ndjson");
        let upserts = async {
            let answer = post.body(lines).send().await.ok()?;
            Some(answer.text().await.ok()?.matches("\"outcome\"").count() as u64)
        };
        let deletes = (0..DELETES).map(|_| {
            let id = chance.usize(..state.others * 2);
            let request = client.delete(format!("{url}/products/p{id}")).send();
            async move { request.await.is_ok_and(|answer| answer.status().is_success()) }
        });
        let (written, deleted) = futures::join!(upserts, futures::future::join_all(deletes));
        let deleted = deleted.into_iter().filter(|deleted| *deleted).count() as u64;
        state.writes.fetch_add(written.unwrap_or_default() + deleted, Ordering::Relaxed);
    }
}

/// Searches continuously. A search that begins and ends in one life of the service must return all kept products.
async fn search(state: Arc<State>) {
    let client = http_client();
    let mut ticks = tokio::time::interval(SEARCHING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while state.goes_on() {
        ticks.tick().await;
        let life = state.life.load(Ordering::SeqCst);
        if life.is_multiple_of(2) {
            continue;
        }
        let request = client.get(format!("{}/products/search?query=lamp&tags=kept&pageSize=1", state.url()));
        let failure = match request.send().await {
            Err(error) => Some(format!("{error:?}")),
            Ok(answer) => {
                let status = answer.status();
                let text = answer.text().await.unwrap_or_default();
                let found =
                    serde_json::from_str::<Value>(&text).ok().and_then(|found| found["total"].as_u64());
                (found != Some(KEPT as u64)).then(|| format!("{status}: {text}"))
            }
        };
        if state.life.load(Ordering::SeqCst) != life {
            continue;
        }
        state.searches.fetch_add(1, Ordering::Relaxed);
        state.failures.lock().unwrap().extend(failure);
    }
}

/// The events of a rebuild until it ended.
struct Rebuilt {
    events: Vec<Value>,
}

impl Rebuilt {
    /// Returns the number of events before the switch: all of filling and half of comparing, because a rebuild compares as
    /// many pages after the switch as before.
    fn before_the_switch(&self) -> usize {
        let filled = self.events.iter().filter(|entry| entry["event"] == "filling").count();
        let compared = self.events.iter().filter(|entry| entry["event"] == "verifying").count();
        filled + compared / 2
    }

    fn has(&self, event: &str) -> bool {
        self.events.iter().any(|entry| entry["event"] == event)
    }
}

/// The moment when the client of a rebuild disconnects.
#[derive(Clone, Copy)]
struct Break {
    /// The number of events to receive first.
    events: usize,
    /// The delay after the last of these events.
    delay: Duration,
}

impl Break {
    /// Returns a moment before the switch of a rebuild that reports this many events.
    fn at_random(events: usize, chance: &mut fastrand::Rng) -> Self {
        Self { events: chance.usize(..events), delay: MAX_DELAY.mul_f64(chance.f64()) }
    }
}

/// Starts a rebuild or a rollback and reads its events until it ends, or disconnects.
async fn rebuild(url: &str, path: &str, breaks: Option<Break>) -> Rebuilt {
    let answer = Mutex::new(None);
    // A rebuild whose client disconnected may still be stopping.
    wait_until("no other rebuild is under way", async || {
        let sent = http_client().post(format!("{url}{path}")).send().await.expect("the service answers");
        let is_free = sent.status() != 409;
        *answer.lock().unwrap() = Some(sent);
        is_free
    })
    .await;
    let answer = answer.into_inner().unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let (mut chunks, mut text) = (answer.bytes_stream(), Vec::<u8>::new());
    let lines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    while breaks.is_none_or(|at| lines(&text) < at.events)
        && let Some(Ok(chunk)) = chunks.next().await
    {
        text.extend_from_slice(&chunk);
    }
    if let Some(at) = breaks {
        // Ignores the events during the delay.
        let rest = chunks.for_each(async |_| {});
        let _ = tokio::time::timeout(at.delay, rest).await;
    }
    let complete = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let lines = String::from_utf8(text[..complete].to_vec()).unwrap();
    let events =
        lines.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap());
    Rebuilt { events: events.collect() }
}

/// Runs a rebuild or a rollback to its end, which must succeed.
async fn rebuilt(url: &str, path: &str) -> Rebuilt {
    let rebuilt = rebuild(url, path, None).await;
    assert!(rebuilt.has("switched") && rebuilt.has("done"), "SEED={}: {:?}", seed(), rebuilt.events);
    rebuilt
}

async fn indexes(url: &str) -> Value {
    Answer::of(http_client().get(format!("{url}/admin/index"))).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_killed_again_and_again_fails_no_search_and_loses_nothing() {
    let seed = seed();
    let mut chance = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--data-dir", folder.path().to_str().unwrap()];
    let mut service = Running::start("noren", &arguments).await;
    let load = Load::begin(&service.url, scaled(OTHERS, 900) as usize, &mut chance).await;

    let begun = Instant::now();
    let whole = rebuilt(&service.url, "/admin/reindex").await;
    let usual = begun.elapsed();
    let (mut kills, mut left_alone, mut resumed) = (0, 0, 0);
    for _ in 0..scaled(BREAKS, 4) {
        let breaks = Break::at_random(whole.before_the_switch(), &mut chance);
        let broken = rebuild(&service.url, "/admin/reindex", Some(breaks)).await;
        resumed += u64::from(broken.has("resumed"));
        // In some rounds only the client disconnects, as with Ctrl-C.
        if chance.u8(..3) == 0 {
            left_alone += 1;
            continue;
        }
        kills += 1;
        load.turn(None);
        service.kill();
        service = Running::start("noren", &arguments).await;
        load.turn(Some(&service.url));
    }
    let last = rebuilt(&service.url, "/admin/reindex").await;
    resumed += u64::from(last.has("resumed"));
    assert!(kills > 0 && resumed > 0, "SEED={seed}: {kills} kills, {resumed} resumed");

    // A comparison reports no change that is in flight as a difference, and no product that is written all the time.
    let verified = verify(&service.url, "patience=20").await;
    assert!(verified.is_converged(), "SEED={seed}: {verified:?}");
    // Roll back during writes, and forward again.
    let before = indexes(&service.url).await;
    rebuilt(&service.url, "/admin/reindex/rollback").await;
    let after = indexes(&service.url).await;
    assert_eq!(after["live"]["name"], before["previous"], "SEED={seed}");
    assert_eq!(after["previous"], before["live"]["name"], "SEED={seed}");
    assert!(after["next"].is_null(), "SEED={seed}: {after}");
    let took = begun.elapsed();
    let (writes, searches) = load.end().await;
    println!(
        "a rebuild took {usual:?}; {kills} kills, {left_alone} left alone, {resumed} resumed; \
         {writes} writes and {searches} searches in {took:?}"
    );
    expect_converged(&service.url, seed).await;
    rebuilt(&service.url, "/admin/reindex/rollback").await;
    expect_converged(&service.url, seed).await;
    assert_eq!(indexes(&service.url).await["live"]["name"], before["live"]["name"], "SEED={seed}");
    assert!(writes > 0 && searches > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_in_opensearch_fails_no_search_and_loses_nothing() {
    let Some(app) = TestApp::spawn_on_opensearch(Options::default()).await else { return };
    let seed = seed();
    let mut chance = fastrand::Rng::with_seed(seed);
    let load = Load::begin(&app.url, OTHERS_IN_OPENSEARCH, &mut chance).await;
    let begun = Instant::now();
    let whole = rebuilt(&app.url, "/admin/reindex").await;
    let usual = begun.elapsed();
    let mut resumed = 0;
    for _ in 0..scaled(BREAKS_IN_OPENSEARCH, 3) {
        let breaks = Break::at_random(whole.before_the_switch(), &mut chance);
        let broken = rebuild(&app.url, "/admin/reindex", Some(breaks)).await;
        resumed += u64::from(broken.has("resumed"));
    }
    let last = rebuilt(&app.url, "/admin/reindex").await;
    resumed += u64::from(last.has("resumed"));
    assert!(resumed > 0, "SEED={seed}: none was resumed");
    let before = indexes(&app.url).await;
    rebuilt(&app.url, "/admin/reindex/rollback").await;
    let after = indexes(&app.url).await;
    assert_eq!(after["live"]["name"], before["previous"], "SEED={seed}");
    let took = begun.elapsed();
    let (writes, searches) = load.end().await;
    println!(
        "a rebuild took {usual:?}; {resumed} resumed; {writes} writes and {searches} searches in {took:?}"
    );
    expect_converged(&app.url, seed).await;
    assert!(writes > 0 && searches > 0);
}

/// A second rebuild is rejected while one runs, and discarding leaves the live index unchanged.
#[tokio::test(flavor = "multi_thread")]
async fn one_rebuild_runs_at_a_time_and_can_be_given_up() {
    let app = TestApp::spawn().await;
    let mut chance = fastrand::Rng::with_seed(seed());
    app.fill(&(0..500).map(|n| product(n, &mut chance)).collect::<Vec<_>>()).await;
    let none = app.post("/admin/reindex/rollback", &Value::Null).await.problem(409);
    assert_eq!(none["detail"], "there is no index before this one to go back to");
    let first = http_client().post(format!("{}/admin/reindex", app.url)).send().await.unwrap();
    assert_eq!(first.status(), 200);
    let second = app.post("/admin/reindex", &Value::Null).await;
    // The first may have ended already.
    assert!([200, 409].contains(&second.status.as_u16()), "{second:?}");
    if second.status == 409 {
        app.delete("/admin/reindex").await.problem(409);
    }
    let events = first.text().await.unwrap();
    assert!(events.contains("\"done\""), "{events}");
    app.app().store_and_index().index.create_next().await.unwrap();
    assert!(indexes(&app.url).await["next"].is_object());
    let left = app.delete("/admin/reindex").await.expect(200).json();
    assert!(left["next"].is_null() && left["live"]["documents"] == 500, "{left}");
    expect_converged(&app.url, seed()).await;
}
