//! The write side: validates, decides, makes one atomic write, and sees that it gets to the queue.

mod bulk;
mod catalogue;
mod error;
mod relay;
mod request;
mod routes;

use runtime::{Gauges, Part};

pub use catalogue::{Catalogue, Command, IdempotencyKey, Operation, Precondition};
pub use error::CommandError;
pub use relay::{relay_forever, relay_once};
pub use routes::routes;

impl Catalogue {
    /// The parts that the write side cannot do without.
    pub fn parts(&self) -> Vec<Part> {
        let (store, queue) = (self.store().clone(), self.queue().clone());
        vec![
            Part::new("store", move || {
                let store = store.clone();
                async move { store.ready().await.map_err(|error| error.chain()) }
            }),
            Part::new("queue", move || {
                let queue = queue.clone();
                async move { queue.ready().await.map_err(|error| error.chain()) }
            }),
        ]
    }

    /// Gauges of what waits to be indexed.
    pub fn gauges(&self) -> Gauges {
        let queue = self.queue().clone();
        Gauges::new(move || {
            let queue = queue.clone();
            async move {
                let Ok(stats) = queue.stats().await else { return };
                metrics::gauge!("noren_queue_waiting_messages").set(stats.waiting as f64);
                metrics::gauge!("noren_queue_in_flight_messages").set(stats.in_flight as f64);
                metrics::gauge!("noren_queue_dead_letters").set(stats.dead as f64);
                let age = stats.oldest_age.unwrap_or_default();
                metrics::gauge!("noren_oldest_unsynced_age_seconds").set(age.as_secs_f64());
            }
        })
    }
}
