//! The consumer side: applies changes from the queue to the index, and keeps the index equal to the store.

pub mod admin;
mod back_ends;
mod batch;
mod catch_up;
mod consumer;
mod dead_letters;
#[cfg(feature = "aws")]
pub mod lambda;
mod metrics;
mod processing;
mod progress;
mod rebuild_state;
pub mod reconcile;
pub mod reindex;
pub mod service;
mod store_and_index;
mod upgrade;

pub use back_ends::{
    BackEnds, ColocatedStore, OpenQueue, open_index, open_index_to_rebuild, open_index_to_upgrade, open_queue,
};
pub use catch_up::catch_up;
pub use consumer::{Consumer, ConsumerOptions};
pub use dead_letters::{DeadLetterService, MAX_LETTERS_AT_ONCE, Selection};
pub use metrics::generation_gauges;
pub use progress::{NoProgress, Progress};
pub use rebuild_state::RebuildState;
pub use store_and_index::StoreAndIndex;
pub use upgrade::{Upgrade, upgrade};
