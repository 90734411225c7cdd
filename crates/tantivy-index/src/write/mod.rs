//! The writing side.

pub(crate) mod entries;
pub(crate) mod worker;
pub(crate) mod writer;
