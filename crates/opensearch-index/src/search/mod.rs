//! The reading side.

mod execute;
mod facet_counts;
mod facets;
mod filters;
mod interpretation;
mod left_out;
mod lookup;
mod matching;
mod order;
mod plan;
mod query_dsl;
mod response;
pub(crate) mod searcher;
pub(crate) mod snapshot;
mod spelling;
mod tuning;
mod words;
