//! The ports [`IndexWriter`](domain::ports::IndexWriter) and [`SearchIndex`](domain::ports::SearchIndex) over
//! OpenSearch.
//!
//! Text is analysed here, in the same way as for the embedded index, and OpenSearch is sent words: so both find
//! the same. [`OpenSearchWriter`] makes the index where it is asked to; [`OpenSearchSearcher`] only asks.

#![warn(missing_docs)]

mod answer;
mod client;
mod correction;
mod document;
mod facets;
mod filters;
mod maintenance;
mod matching;
mod near;
mod order;
mod reading;
mod schema;
mod search;
mod searcher;
mod setup;
mod state;
mod tuning;
mod writer;

pub use client::{OpenError, Options};
pub use searcher::OpenSearchSearcher;
pub use writer::OpenSearchWriter;
