//! What `/metrics` tells of the index as its writer knows it.

use std::sync::Arc;

use domain::ports::{Generations, IndexMaintenance};
use runtime::Gauges;

const GENERATIONS: &str = "noren_index_generations";

/// Gauges of which generations the index has: 1 for each of `live`, `next` and `previous` that is there, else 0.
pub fn generation_gauges(index: Arc<dyn IndexMaintenance>) -> Gauges {
    metrics::describe_gauge!(
        GENERATIONS,
        "Whether there is an index that is searched (live), is being built (next), was live before (previous)"
    );
    Gauges::new(move || {
        let index = index.clone();
        async move {
            let Ok(Generations { live, next, previous }) = index.generations().await else { return };
            let states =
                [("live", live.is_some()), ("next", next.is_some()), ("previous", previous.is_some())];
            for (state, is_there) in states {
                metrics::gauge!(GENERATIONS, "state" => state).set(f64::from(u8::from(is_there)));
            }
        }
    })
}
