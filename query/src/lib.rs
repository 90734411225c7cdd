//! The reading side of the catalogue: parameters of a request become one search, its answer becomes JSON.

#![warn(missing_docs)]

pub mod params;
mod query_string;
mod suggest;
