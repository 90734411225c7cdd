//! `/health`, `/health/live`, `/health/ready` and `/metrics`.

use std::sync::Arc;
use std::time::Duration;

use access::{Principal, Scope};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::future::{BoxFuture, join_all};
use http::Extensions;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::{Problem, telemetry};

/// The time limit for a readiness check and for reading gauges.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// A part that a service needs, such as its store.
#[derive(Clone)]
pub struct Part {
    name: &'static str,
    check: Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
    note: Option<Arc<dyn Fn() -> Option<String> + Send + Sync>>,
}

impl Part {
    /// Creates a part with its readiness check, whose error is shown to operators.
    pub fn new<F>(name: &'static str, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { name, check: Arc::new(move || Box::pin(check())), note: None }
    }

    /// Adds a note for operators to the state of the part, whether it is ready or not.
    #[must_use]
    pub fn with_note(self, note: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self { note: Some(Arc::new(note)), ..self }
    }

    /// Returns the name and the state, as texts for operators.
    async fn state(&self) -> (&'static str, Result<String, String>) {
        let checked = tokio::time::timeout(CHECK_TIMEOUT, (self.check)()).await;
        let checked =
            checked.unwrap_or_else(|_| Err(format!("no answer within {} s", CHECK_TIMEOUT.as_secs())));
        let with_note = |state: String| match self.note.as_ref().and_then(|note| note()) {
            Some(note) => format!("{state}; {note}"),
            None => state,
        };
        (self.name, checked.map(|()| with_note("ready".to_owned())).map_err(with_note))
    }
}

/// Gauges that are set when `/metrics` is read.
#[derive(Clone)]
pub struct Gauges(Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>);

impl Gauges {
    /// Creates gauges from the function that sets them.
    pub fn new<F>(set: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(set())))
    }
}

/// The depth of the queue of changes.
#[derive(Debug, Clone, Copy)]
pub struct QueueDepth {
    /// The queue, by its name in the configuration.
    pub queue: &'static str,
    /// Messages that can be received now or later.
    pub waiting: u64,
    /// Messages that a receiver holds.
    pub in_flight: u64,
    /// Dead letters.
    pub dead: u64,
    /// The age of the oldest message; `None` if there is none, or if the queue does not report it.
    pub oldest_age: Option<Duration>,
    /// The depth of the outbox, if the service has the store.
    pub outbox: Option<OutboxDepth>,
}

/// The depth of the outbox of a store: changes that are not in the queue yet.
#[derive(Debug, Clone, Copy)]
pub struct OutboxDepth {
    /// The store, by its name in the configuration.
    pub store: &'static str,
    /// Changes to be enqueued.
    pub unsent: u64,
    /// The age of the oldest; zero if there is none.
    pub oldest_age: Duration,
}

impl QueueDepth {
    /// Returns the age of the oldest change that is not indexed: zero without such a change, `None` if the queue does not
    /// report it.
    fn oldest_unsynced(&self) -> Option<Duration> {
        self.oldest_age.or((self.waiting + self.in_flight == 0).then_some(Duration::ZERO))
    }

    fn record(&self) {
        let queue = self.queue;
        metrics::gauge!(WAITING, "queue" => queue).set(self.waiting as f64);
        metrics::gauge!(IN_FLIGHT, "queue" => queue).set(self.in_flight as f64);
        metrics::gauge!(DEAD, "queue" => queue).set(self.dead as f64);
        // NaN says that the age is unknown; the last known age would be misleading.
        let age = self.oldest_unsynced().map_or(f64::NAN, |age| age.as_secs_f64());
        metrics::gauge!(OLDEST, "queue" => queue).set(age);
        if let Some(OutboxDepth { store, unsent, oldest_age }) = self.outbox {
            metrics::gauge!(UNSENT, "store" => store).set(unsent as f64);
            metrics::gauge!(OLDEST_UNSENT, "store" => store).set(oldest_age.as_secs_f64());
        }
    }

    fn backlog(&self) -> Backlog {
        let outbox = self.outbox.map(|OutboxDepth { store, unsent, oldest_age }| OutboxBacklog {
            store: store.to_owned(),
            unsent,
            oldest_unsent_seconds: oldest_age.as_secs_f64(),
        });
        Backlog {
            queue: self.queue.to_owned(),
            waiting: self.waiting,
            in_flight: self.in_flight,
            dead_letters: self.dead,
            oldest_unsynced_seconds: self.oldest_unsynced().map(|age| age.as_secs_f64()),
            outbox,
        }
    }
}

/// The changes that are not indexed yet, in the response of `/health/ready`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backlog {
    /// The queue, by its name in the configuration.
    pub queue: String,
    /// Messages that can be received now or later.
    pub waiting: u64,
    /// Messages that a receiver holds.
    pub in_flight: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// The age of the oldest change that is not indexed; 0 without such a change, absent if the queue does not report it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_unsynced_seconds: Option<f64>,
    /// Changes that are not in the queue yet; absent if the service has no store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbox: Option<OutboxBacklog>,
}

/// The outbox entries of a store, in the response of `/health/ready`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxBacklog {
    /// The store, by its name in the configuration.
    pub store: String,
    /// Changes to be enqueued.
    pub unsent: u64,
    /// The age of the oldest; 0 if there is none.
    pub oldest_unsent_seconds: f64,
}

const WAITING: &str = "noren_queue_waiting_messages";
const IN_FLIGHT: &str = "noren_queue_in_flight_messages";
const DEAD: &str = "noren_queue_dead_letters";
const OLDEST: &str = "noren_oldest_unsynced_age_seconds";
const UNSENT: &str = "noren_outbox_unsent_changes";
const OLDEST_UNSENT: &str = "noren_outbox_oldest_age_seconds";

/// Describes the gauges of a queue.
pub(crate) fn describe_metrics() {
    use metrics::{Unit, describe_gauge};
    describe_gauge!(WAITING, "Changes in the queue that can be received now or later");
    describe_gauge!(IN_FLIGHT, "Changes in the queue that a consumer is processing");
    describe_gauge!(DEAD, "Changes that could not be indexed");
    describe_gauge!(
        OLDEST,
        Unit::Seconds,
        "Age of the oldest change in the queue; NaN if the queue does not report it"
    );
    describe_gauge!(
        UNSENT,
        "Changes that are written but not enqueued yet; DynamoDB counts up to a thousand"
    );
    describe_gauge!(OLDEST_UNSENT, Unit::Seconds, "Age of the oldest change that is not enqueued yet");
}

/// Reads the depth of a queue; `None` while the queue does not respond.
#[derive(Clone)]
pub struct QueueProbe(Arc<dyn Fn() -> BoxFuture<'static, Option<QueueDepth>> + Send + Sync>);

impl QueueProbe {
    /// Creates a probe from the function that reads the depth.
    pub fn new<F>(ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Option<QueueDepth>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(ask())))
    }

    async fn depth(&self) -> Option<QueueDepth> {
        tokio::time::timeout(CHECK_TIMEOUT, (self.0)()).await.ok().flatten()
    }
}

/// The time for which the result of a readiness check is reused, because a check writes to the store.
const READY_FOR: Duration = Duration::from_secs(1);

/// Returns true if the sender of a request may see the state of each part and the backlog in `/health/ready`.
fn shows_details(extensions: &Extensions) -> bool {
    extensions.get::<Principal>().is_some_and(|principal| principal.has(Scope::Admin))
}

/// The last readiness and when it was determined, shared by the requests of a second.
type LastReadiness = Arc<Mutex<Option<(Instant, Arc<Readiness>)>>>;

/// The sources of health and metrics.
#[derive(Clone)]
pub(crate) struct Vitals {
    pub(crate) parts: Arc<[Part]>,
    pub(crate) gauges: Arc<[Gauges]>,
    pub(crate) queue: Option<QueueProbe>,
    /// The last readiness. Locked while it is checked, so that concurrent requests share one check.
    pub(crate) last: LastReadiness,
    pub(crate) started: Instant,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            parts: Arc::default(),
            gauges: Arc::default(),
            queue: None,
            last: LastReadiness::default(),
            started: Instant::now(),
        }
    }
}

/// The result of a readiness check.
pub(crate) struct Readiness {
    states: Vec<(&'static str, Result<String, String>)>,
}

impl Vitals {
    async fn depth(&self) -> Option<QueueDepth> {
        match &self.queue {
            Some(queue) => queue.depth().await,
            None => None,
        }
    }

    /// Checks all parts, or returns the result of the last check for up to [`READY_FOR`].
    async fn readiness(&self) -> Arc<Readiness> {
        let mut last = self.last.lock().await;
        if let Some((checked, readiness)) = &*last
            && checked.elapsed() < READY_FOR
        {
            return Arc::clone(readiness);
        }
        let readiness = Arc::new(Readiness { states: join_all(self.parts.iter().map(Part::state)).await });
        *last = Some((Instant::now(), Arc::clone(&readiness)));
        readiness
    }
}

/// Responds as long as the process runs.
pub(crate) async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// Responds with 200 if all parts were ready within the last second, otherwise with 503; for operators, also with the state
/// of every part and the backlog.
pub(crate) async fn ready(State(vitals): State<Vitals>, extensions: Extensions) -> Response {
    if !shows_details(&extensions) {
        return vitals.readiness().await.response();
    }
    // The backlog is as of now: `noren import` waits until what it has written is no longer part of it.
    let (readiness, depth) = tokio::join!(vitals.readiness(), vitals.depth());
    readiness.respond(depth, Map::new())
}

/// Responds as [`ready`] does; for operators, also with the program's version, how long it has run, and the memory that it uses.
pub(crate) async fn overview(State(vitals): State<Vitals>, extensions: Extensions) -> Response {
    if !shows_details(&extensions) {
        return vitals.readiness().await.response();
    }
    let (readiness, depth) = tokio::join!(vitals.readiness(), vitals.depth());
    readiness.respond(depth, program(vitals.started))
}

/// Describes the program as it runs now.
fn program(started: Instant) -> Map<String, Value> {
    let mut program = Map::new();
    program.insert("version".to_owned(), telemetry::version().into());
    program.insert("timestamp".to_owned(), jiff::Timestamp::now().to_string().into());
    program.insert("uptimeSeconds".to_owned(), started.elapsed().as_secs().into());
    if let Some(bytes) = metrics_process::collector::collect().resident_memory_bytes {
        program.insert("memory".to_owned(), json!({ "residentBytes": bytes }));
    }
    program
}

impl Readiness {
    /// Returns the names of the parts that are not ready.
    fn down(&self) -> Vec<&'static str> {
        self.states.iter().filter(|(_, state)| state.is_err()).map(|(name, _)| *name).collect()
    }

    fn response(&self) -> Response {
        match self.down().is_empty() {
            true => Json(json!({ "status": "ready" })).into_response(),
            false => Problem::unavailable("not ready").into_response(),
        }
    }

    /// Responds with the state of every part, the backlog, and more members.
    fn respond(&self, depth: Option<QueueDepth>, more: Map<String, Value>) -> Response {
        let down = self.down();
        let shown: Map<String, Value> = self
            .states
            .iter()
            .map(|(name, state)| ((*name).to_owned(), json!(state.as_ref().unwrap_or_else(|error| error))))
            .collect();
        let backlog = depth.map(|depth| depth.backlog());
        if down.is_empty() {
            let mut ready = json!({ "status": "ready", "parts": shown });
            if let Some(backlog) = backlog {
                ready["backlog"] = json!(backlog);
            }
            for (name, value) in more {
                ready[name] = value;
            }
            return Json(ready).into_response();
        }
        let problem = Problem::unavailable(format!("not ready: {}", down.join(", ")))
            .with("parts", shown)
            .with("backlog", backlog);
        more.into_iter().fold(problem, |problem, (name, value)| problem.with(&name, value)).into_response()
    }
}

/// Responds with all metrics in the text format of Prometheus.
pub(crate) async fn metrics(State(vitals): State<Vitals>) -> Response {
    let reading = join_all(vitals.gauges.iter().map(|Gauges(set)| set()));
    // A gauge that cannot be read in time keeps its last value.
    let (_, depth) = tokio::join!(tokio::time::timeout(CHECK_TIMEOUT, reading), vitals.depth());
    if let Some(depth) = depth {
        depth.record();
    }
    metrics_process::Collector::default().collect();
    telemetry::count_dropped_lines();
    let handle = crate::telemetry::metrics();
    handle.run_upkeep();
    ([(http::header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render())
        .into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use access::Identity;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_probes_within_a_second_check_the_parts_once() {
        let checks = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&checks);
        let part = Part::new("store", move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok(()) }
        });
        let vitals = Vitals { parts: [part].into(), ..Vitals::default() };
        let probe = async || ready(State(vitals.clone()), Extensions::new()).await.status();
        join_all((0..10).map(|_| probe())).await.into_iter().for_each(|status| assert_eq!(status, 200));
        assert_eq!(checks.load(Ordering::SeqCst), 1);
        tokio::time::advance(READY_FOR).await;
        probe().await;
        assert_eq!(checks.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn parts_are_named_to_operators_only() {
        let part = Part::new("store", || async { Err("secret".to_owned()) });
        let vitals = Vitals { parts: [part].into(), ..Vitals::default() };
        for (scope, is_named) in [(None, false), (Some(Scope::Search), false), (Some(Scope::Admin), true)] {
            let mut extensions = Extensions::new();
            scope.map(|scope| extensions.insert(Principal::new(Identity::Anyone, scope.into())));
            let response = ready(State(vitals.clone()), extensions).await;
            assert_eq!(response.status(), 503);
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let text = String::from_utf8_lossy(&body).into_owned();
            assert_eq!((text.contains("secret"), text.contains("store")), (is_named, is_named), "{text}");
        }
    }
}
