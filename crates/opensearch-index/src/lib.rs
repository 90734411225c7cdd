//! The ports [`IndexWriter`](domain::ports::IndexWriter) and [`SearchIndex`](domain::ports::SearchIndex) over
//! OpenSearch.
//!
//! Text is analysed here, in the same way as for the embedded index, and OpenSearch is sent words: so both find
//! the same. [`OpenSearchWriter`] makes the index where it is asked to; [`OpenSearchSearcher`] only asks.

#![warn(missing_docs)]

mod client;
mod documents;
mod layout;
mod search;
mod write;

pub use client::{OpenError, Options};
pub use search::searcher::OpenSearchSearcher;
pub use write::writer::OpenSearchWriter;
