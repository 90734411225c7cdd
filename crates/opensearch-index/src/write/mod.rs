//! The writing and the maintenance side.

mod maintenance;
pub(crate) mod writer;
