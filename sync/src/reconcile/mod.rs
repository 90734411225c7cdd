//! Comparison of store and index in both directions, with bounded memory, during writes; and repair.
//!
//! The store is read page by page and compared with the index; then the entries of the index are looked up in the store.
//! A difference may be a change that is still on its way, so each one is checked again until one of these holds:
//!
//! 1. Store and index are equal.
//! 2. The index has reached the version that the store had at the first check.
//! 3. The difference has lasted longer than the grace period. Only then it counts, and is repaired if requested.

mod compare;
mod comparison;
mod drift;
mod pass;
mod repair;

pub use comparison::Comparison;
pub use pass::reconcile;
