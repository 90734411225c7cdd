//! The consumer: takes changes from the queue and brings the index to them.

pub mod admin;
mod back_ends;
mod batch;
mod catch_up;
mod dead_letters;
mod gauges;
#[cfg(feature = "aws")]
mod lambda;
pub mod reconcile;
pub mod reindex;
pub mod service;
mod worker;

pub use back_ends::{BackEnds, OpenQueue, StoreBeside, open_index, open_index_to_rebuild, open_queue};
pub use catch_up::catch_up;
pub use dead_letters::{DeadLetterOffice, MAX_LETTERS_AT_ONCE, Selection, Settled};
pub use gauges::generation_gauges;
pub use worker::{Worker, WorkerOptions};
