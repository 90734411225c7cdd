//! The reading side.

pub(crate) mod attribute_facets;
pub(crate) mod columns;
pub(crate) mod correction;
pub(crate) mod expansion;
pub(crate) mod facets;
pub(crate) mod filters;
pub(crate) mod interpretation;
pub(crate) mod live_generation;
pub(crate) mod matching;
pub(crate) mod order;
pub(crate) mod pool;
pub(crate) mod search;
pub(crate) mod searcher;
pub(crate) mod snapshot;
pub(crate) mod tuning;
pub(crate) mod vocabulary;
