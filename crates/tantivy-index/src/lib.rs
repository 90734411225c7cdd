//! The ports [`IndexWriter`](domain::ports::IndexWriter) and [`SearchIndex`](domain::ports::SearchIndex) over a
//! folder of tantivy.
//!
//! [`TantivyWriter`] and [`TantivySearcher`] may share one process or live in several; either may come first. One
//! writer at a time, any number of searchers. A search sees what any writer committed before it began.

#![warn(missing_docs)]

mod attribute_facets;
mod columns;
mod contents;
mod correction;
mod document;
mod expansion;
mod facets;
mod filters;
mod folder;
mod generations;
mod live;
mod living;
mod matching;
mod order;
mod pool;
mod reading;
mod schema;
mod search;
mod searcher;
mod snapshot;
mod tuning;
mod vocabulary;
mod worker;
mod writer;

pub use folder::OpenError;
pub use searcher::{SearcherOptions, TantivySearcher};
pub use writer::{TantivyWriter, WriterOptions};
