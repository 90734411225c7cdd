//! `Server-Timing`: where the time of a request went. See <https://www.w3.org/TR/server-timing/>.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderName, HeaderValue};

/// The header of a response with the durations.
pub(crate) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// A part of the work for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the store and the queue.
    Store,
    /// Waiting for the index.
    Index,
    /// Writing the JSON of the response.
    Json,
}

/// The names of the phases, in their order.
const NAMES: [&str; 3] = ["store", "index", "json"];

tokio::task_local! {
    static TIMINGS: Timings;
}

/// The durations of the phases of one request, in microseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timings(Arc<[AtomicU64; 3]>);

impl Timings {
    /// Runs the handling of a request, whose phases are recorded here.
    pub(crate) async fn during<F: Future>(&self, handling: F) -> F::Output {
        TIMINGS.scope(self.clone(), handling).await
    }

    /// Returns the header: the phases that took time, in milliseconds.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let took = NAMES.iter().zip(&*self.0).map(|(name, took)| (name, took.load(Ordering::Relaxed)));
        let parts: Vec<String> = took
            .filter(|(_, took)| *took > 0)
            .map(|(name, took)| format!("{name};dur={}.{:03}", took / 1000, took % 1000))
            .collect();
        (!parts.is_empty()).then(|| HeaderValue::try_from(parts.join(", ")).ok()).flatten()
    }
}

/// Adds the duration of a phase to those of the request that this task handles. Phases that run at the same time add up.
pub fn record(phase: Phase, took: Duration) {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    // Outside of a request there is nothing to add to.
    let _ = TIMINGS.try_with(|timings| timings.0[phase as usize].fetch_add(micros, Ordering::Relaxed));
}

/// Runs a part of the work for a request, and adds its duration.
pub fn measure<R>(phase: Phase, work: impl FnOnce() -> R) -> R {
    let begun = Instant::now();
    let result = work();
    record(phase, begun.elapsed());
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_phases_of_a_request_add_up() {
        let timings = Timings::default();
        let handle = async {
            record(Phase::Index, Duration::from_micros(1500));
            record(Phase::Index, Duration::from_micros(20));
            record(Phase::Json, Duration::from_micros(7));
        };
        timings.during(handle).await;
        assert_eq!(timings.header().unwrap(), "index;dur=1.520, json;dur=0.007");
        record(Phase::Store, Duration::from_secs(1));
        assert_eq!(Timings::default().header(), None);
    }
}
