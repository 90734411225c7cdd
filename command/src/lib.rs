//! The write side: validates, decides, makes one atomic write, and sees that it gets to the queue.

mod back_ends;
mod batch;
mod bulk;
mod catalogue;
mod error;
mod imports;
mod lines;
mod relay;
mod request;
mod routes;
pub mod service;

use domain::ports::{OutboxStats, QueueStats};
use runtime::{OutboxDepth, Part, QueueDepth, QueueProbe};

pub use back_ends::{BackEnds, OpenBackEnds, open_back_ends};
pub use catalogue::{Catalogue, Command, IdempotencyKey, Operation, Precondition};
pub use error::CommandError;
pub use imports::{Imports, import_routes};
pub use relay::{relay_all, relay_forever, relay_once};
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

    /// How much waits to be enqueued and to be indexed.
    pub fn queue_probe(&self) -> QueueProbe {
        let (store, queue) = (self.store().clone(), self.queue().clone());
        QueueProbe::new(move || {
            let (store, queue) = (store.clone(), queue.clone());
            async move {
                let (stats, outbox) = futures::join!(queue.stats(), store.outbox());
                let QueueStats { waiting, in_flight, dead, oldest_age } = stats.ok()?;
                let outbox = outbox.ok().map(|OutboxStats { entries, oldest_age }| OutboxDepth {
                    store: store.back_end(),
                    unsent: entries,
                    oldest_age: oldest_age.unwrap_or_default(),
                });
                Some(QueueDepth { queue: queue.back_end(), waiting, in_flight, dead, oldest_age, outbox })
            }
        })
    }
}
