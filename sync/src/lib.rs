//! The consumer: takes changes from the queue and brings the index to them.

mod back_ends;
mod batch;
#[cfg(feature = "aws")]
mod lambda;
pub mod reconcile;
pub mod reindex;
pub mod service;
mod worker;

pub use back_ends::{BackEnds, open_index, open_queue};
pub use worker::{Worker, WorkerOptions};
