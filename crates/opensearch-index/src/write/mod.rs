//! The writing side and the maintenance side.

mod bulk;
mod claim;
mod entries;
mod maintenance;
mod repair;
pub(crate) mod writer;
