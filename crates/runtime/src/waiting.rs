//! Waits for back ends at start.
//!
//! A program that serves tries to open each of its back ends for a minute. While it waits for one, `/health/live` responds
//! with 200, `/health/ready` with 503 and the part that it waits for, every other request with 503. An error that waiting
//! cannot resolve, such as a missing permission, ends the program at once.
//!
//! A start without waiting responds to nobody before it has ended: connections that arrive meanwhile stay in the backlog
//! of the listener, so no client of a quick start gets a 503.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::StatusCode;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::access::Guard;
use crate::retry::Retries;
use crate::server::{self, ConnectionLimits, Server};
use crate::{Part, Problem, StartError};

/// The time for which a program tries to open a back end.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// The time after which a start that takes long counts as waiting.
const QUICK_START: Duration = Duration::from_secs(5);

/// Retries opening the back ends of one program at start. Clones share their state.
#[derive(Debug, Clone)]
pub struct Waiting {
    is_patient: bool,
    /// The reason why each part is not open yet; `None` if it is open.
    reasons: Arc<Mutex<BTreeMap<&'static str, Option<String>>>>,
    /// Cancelled when an attempt has failed.
    has_begun: CancellationToken,
}

impl Default for Waiting {
    /// Waits for a minute. On Lambda, whose start may take 10 s, it does not wait.
    fn default() -> Self {
        Self { is_patient: !is_lambda(), ..Self::none() }
    }
}

impl Waiting {
    /// Makes a single attempt: for commands that run once and end.
    pub fn none() -> Self {
        Self { is_patient: false, reasons: Arc::default(), has_begun: CancellationToken::new() }
    }

    /// Opens a back end, retrying for a minute while `attempt` fails with a [transient](StartError::is_transient) error.
    /// `part` is its name in `/health/ready`.
    ///
    /// Logs when the waiting begins, when its reason changes and when it ends. Without waiting, a back end that does not
    /// respond is opened by `unchecked` with a warning: each call fails until it responds.
    ///
    /// # Errors
    /// The error of `attempt` that waiting does not resolve, or the last one.
    pub async fn open<T, F>(
        &self,
        part: &'static str,
        mut attempt: impl FnMut() -> F,
        unchecked: impl FnOnce() -> Result<T, StartError>,
    ) -> Result<T, StartError>
    where
        F: Future<Output = Result<T, StartError>>,
    {
        let (begun, never) = (Instant::now(), CancellationToken::new());
        let mut pauses = Retries::new(MAX_PAUSE, &never);
        let mut reason = None;
        loop {
            // Boxed, because the futures of the SDK are deep: the compiler limits the depth of nested futures.
            let error = match Box::pin(attempt()).await {
                Err(error) if error.is_transient() => error,
                opened => {
                    self.note_end(part, &opened, begun);
                    return opened;
                }
            };
            let line = error.line();
            if !self.is_patient {
                tracing::warn!(error = line, part, "a back end does not respond; starting all the same");
                self.set(part, None);
                return unchecked();
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(error.after_waiting(PATIENCE));
            }
            if reason.as_ref() != Some(&line) {
                tracing::warn!(error = line, part, "waiting for a back end, for up to {} s", left.as_secs());
                self.set(part, Some(line.clone()));
                self.has_begun.cancel();
                reason = Some(line);
            }
            // The token is never cancelled.
            let _ = pauses.pause().await;
        }
    }

    /// Serves probes while `opening` waits, and returns the server and the result. Returns `None` if the process is told to stop
    /// meanwhile. `parts` are the names of the back ends; `guard` knows who may read why one is not open.
    ///
    /// # Errors
    /// The error of `opening`.
    pub async fn serve_while<T>(
        &self,
        server: Server,
        guard: Guard,
        parts: &[&'static str],
        opening: impl Future<Output = Result<T, StartError>>,
    ) -> Result<Option<(Server, T)>, StartError> {
        let ended = CancellationToken::new();
        let opening = async {
            let opened = tokio::select! {
                opened = opening => opened.map(Some),
                () = server::stop_signal() => Ok(None),
            };
            ended.cancel();
            opened
        };
        let serving = async {
            tokio::select! {
                () = self.has_begun.cancelled() => {}
                () = tokio::time::sleep(QUICK_START) => {}
                () = ended.cancelled() => return,
            }
            let (router, limits) = (self.router(guard, parts), ConnectionLimits::default());
            server.serve_until(router, limits, ended.cancelled()).await;
        };
        match tokio::join!(opening, serving).0 {
            Ok(Some(opened)) => Ok(Some((server, opened))),
            ended => {
                server.close().await;
                ended.map(|_| None)
            }
        }
    }

    /// Returns the routes of a program that waits.
    fn router(&self, guard: Guard, parts: &[&'static str]) -> Router {
        let routes = Router::new().route("/", any(not_started)).route("/{*path}", any(not_started));
        let parts = parts.iter().map(|part| self.part(part)).collect();
        crate::http::router_of_start(routes, parts, guard)
    }

    fn part(&self, name: &'static str) -> Part {
        let waiting = self.clone();
        Part::new(name, move || {
            let state = match waiting.reasons().get(name) {
                Some(None) => Ok(()),
                Some(Some(reason)) => Err(format!("waiting for it: {reason}")),
                None => Err("being opened".to_owned()),
            };
            std::future::ready(state)
        })
    }

    /// Records that a part is open, and logs it if the program waited for the part.
    fn note_end<T>(&self, part: &'static str, opened: &Result<T, StartError>, begun: Instant) {
        if opened.is_err() {
            return;
        }
        if self.reasons().insert(part, None).is_some() {
            let waited_ms = begun.elapsed().as_millis() as u64;
            tracing::info!(part, waited_ms, "the back end responds; the start continues");
        }
    }

    fn set(&self, part: &'static str, reason: Option<String>) {
        self.reasons().insert(part, reason);
    }

    fn reasons(&self) -> MutexGuard<'_, BTreeMap<&'static str, Option<String>>> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn not_started() -> Response {
    let detail = "the service waits for its back ends; /health/ready names them";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(Duration::from_secs(1)).into_response()
}

#[cfg(feature = "lambda")]
fn is_lambda() -> bool {
    crate::lambda::is_lambda()
}

#[cfg(not(feature = "lambda"))]
fn is_lambda() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn away() -> StartError {
        StartError::new("the store does not respond").transient(true)
    }

    fn unchecked() -> Result<u32, StartError> {
        Ok(0)
    }

    fn patient() -> Waiting {
        Waiting { is_patient: true, ..Waiting::none() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_back_end_that_comes_within_a_minute_is_opened() {
        let begun = Instant::now();
        let attempt = || async { if begun.elapsed() < PATIENCE / 2 { Err(away()) } else { Ok(1) } };
        let waiting = patient();
        assert_eq!(waiting.open("store", attempt, unchecked).await.map_err(|error| error.line()), Ok(1));
        assert!(begun.elapsed() < PATIENCE / 2 + MAX_PAUSE);
        assert_eq!(waiting.reasons().get("store"), Some(&None));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_minute_the_last_error_is_returned() {
        let (begun, waiting) = (Instant::now(), patient());
        let error = waiting.open("store", || async { Err(away()) }, unchecked).await.unwrap_err();
        assert_eq!(error.line(), "the store does not respond (gave up after 60 s)");
        assert!((PATIENCE..PATIENCE + 2 * MAX_PAUSE).contains(&begun.elapsed()));
        let reason = waiting.reasons().get("store").cloned();
        assert_eq!(reason, Some(Some("the store does not respond".to_owned())));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_waiting_cannot_resolve_is_returned_at_once() {
        let attempts = Cell::new(0);
        let attempt = || async {
            attempts.set(attempts.get() + 1);
            if attempts.get() < 3 { Err(away()) } else { Err(StartError::new("access is denied")) }
        };
        let error = patient().open("store", attempt, unchecked).await.unwrap_err();
        assert_eq!((error.line().as_str(), attempts.get()), ("access is denied", 3));
    }

    #[tokio::test(start_paused = true)]
    async fn without_waiting_a_back_end_that_does_not_respond_is_opened_unchecked() {
        let opened = Waiting::none().open("store", || async { Err(away()) }, || Ok(7)).await;
        assert_eq!(opened.map_err(|error| error.line()), Ok(7));
        let refused = || async { Err(StartError::new("access is denied")) };
        assert!(Waiting::none().open("store", refused, unchecked).await.is_err());
    }
}
