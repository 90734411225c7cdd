//! The reading side.

mod correction;
mod execute;
mod facets;
mod filters;
mod interpretation;
mod matching;
mod order;
pub(crate) mod searcher;
mod snapshot;
mod spelling;
mod tuning;
