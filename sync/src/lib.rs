//! The consumer: takes changes from the queue and brings the index to them.

pub mod admin;
mod back_ends;
mod batch;
mod dead_letters;
#[cfg(feature = "aws")]
mod lambda;
pub mod service;
mod worker;

pub use back_ends::{BackEnds, OpenQueue, open_index, open_queue};
pub use dead_letters::{DeadLetterOffice, MAX_LETTERS_AT_ONCE, Selection, Settled};
pub use worker::{Worker, WorkerOptions};
