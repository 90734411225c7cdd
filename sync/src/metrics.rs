//! The metrics of the consumer side.

use std::sync::Arc;
use std::time::Duration;

use domain::Change;
use domain::ports::{Applied, Generations, IndexMaintenance};
use runtime::Gauges;

const GENERATIONS: &str = "noren_index_generations";
const MESSAGES: &str = "noren_sync_messages_total";
const BATCH_SECONDS: &str = "noren_sync_batch_seconds";
const LAG: &str = "noren_sync_lag_seconds";
/// Differences that a scheduled comparison found.
#[cfg(feature = "aws")]
pub(crate) const DIFFERENCES: &str = "VerifyDifferences";
const FRESHNESS: &str = "noren_sync_freshness_seconds";

/// Returns gauges of the generations of the index: 1 for each of `live`, `next` and `previous` that exists, otherwise 0.
pub fn generation_gauges(index: Arc<dyn IndexMaintenance>) -> Gauges {
    metrics::describe_gauge!(
        GENERATIONS,
        "1 if the index of this state exists: searched (live), being built (next), searched before (previous)"
    );
    Gauges::new(move || {
        let index = index.clone();
        async move {
            let Ok(Generations { live, next, previous }) = index.generations().await else { return };
            let states =
                [("live", live.is_some()), ("next", next.is_some()), ("previous", previous.is_some())];
            for (state, exists) in states {
                metrics::gauge!(GENERATIONS, "state" => state).set(f64::from(u8::from(exists)));
            }
        }
    })
}

/// Describes the metrics of the consumer.
pub(crate) fn describe_consumer() {
    metrics::describe_counter!(MESSAGES, "Messages whose changes the index applied or refused");
    metrics::describe_histogram!(
        BATCH_SECONDS,
        metrics::Unit::Seconds,
        "Time to apply and acknowledge a batch"
    );
    metrics::describe_gauge!(
        LAG,
        metrics::Unit::Seconds,
        "Time from a write until searches find it, for the oldest change of the last batch"
    );
    metrics::describe_histogram!(
        FRESHNESS,
        metrics::Unit::Seconds,
        "Time from a write until searches find it, for each change"
    );
}

/// Records a batch that was applied.
pub(crate) fn record_batch(messages: usize, took: Duration) {
    metrics::counter!(MESSAGES).increment(messages as u64);
    metrics::histogram!(BATCH_SECONDS).record(took.as_secs_f64());
}

/// Records the age of each change that searches find from now on. Stale and refused changes are not counted.
pub(crate) fn record_freshness(changes: &[Change], applied: &[Applied]) {
    let now = domain::now();
    let found = changes.iter().zip(applied).filter(|(_, applied)| **applied == Applied::Done);
    let ages = found.map(|(change, _)| now.duration_since(change.at()).as_secs_f64().max(0.0));
    let freshness = metrics::histogram!(FRESHNESS);
    let oldest = ages.inspect(|age| freshness.record(*age)).reduce(f64::max);
    if let Some(oldest) = oldest {
        metrics::gauge!(LAG).set(oldest);
    }
}
