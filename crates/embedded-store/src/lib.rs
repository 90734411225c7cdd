//! The product store and the change queue in one SQLite file, for one machine: nothing else to install.
//!
//! Several processes may open the same folder: each has its own writer, and SQLite's lock decides whose turn it is. See
//! `migrations/1.sql` for the tables of the file.
//!
//! # One thread writes
//!
//! `synchronous=FULL` flushes the disk for every commit, so the fsync dominates the cost of a write. A single thread
//! therefore takes everything that waits and commits it in one transaction: up to 256 jobs or 8 MiB share one fsync. If the
//! transaction fails, each job is committed alone, so that one cannot fail the others. A caller gets its result only after
//! the commit.
//!
//! Up to 4 connections read concurrently, each on one snapshot of the file.
//!
//! # Messages have no body
//!
//! If the queue is the same file, a write enqueues a message that only names the product, in the same transaction. Receiving
//! joins it with the product's row. A product that was written three times before it is received is therefore delivered in
//! its current version, and an import writes each product's JSON once, not twice. The port allows this: a message may carry
//! a later change of the same product.
//!
//! Messages with a body exist only if another store uses this queue.
//!
//! # Time
//!
//! Idempotency records are kept for 24 hours. They are removed in small steps, a little faster than new ones arrive.
//!
//! The clock may be set back. A message or an outbox entry with a time that is later than any that can be recorded now counts as visible,
//! so it is not hidden until that time. The age of the oldest does not shrink.

mod cursor;
mod dead_letters;
mod error;
mod idempotency;
mod job;
mod messages;
mod oldest_age;
mod open_error;
mod options;
mod outbox;
mod product_store;
mod products;
mod queue;
mod readers;
mod rows;
mod schema;
mod store;
mod transaction;
mod write;
mod writer;
mod writer_thread;

#[cfg(test)]
mod tests;

pub use open_error::OpenError;
pub use options::{Clock, Options, Outbox};
pub use schema::{copy, exists};
pub use store::EmbeddedStore;
