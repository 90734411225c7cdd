//! The ports [`IndexWriter`](domain::ports::IndexWriter) and [`SearchIndex`](domain::ports::SearchIndex) over a
//! folder of tantivy.
//!
//! [`TantivyWriter`] and [`TantivySearcher`] may share one process or live in several; either may come first. One
//! writer at a time, any number of searchers. A search sees what any writer committed before it began.

#![warn(missing_docs)]

mod layout;
mod search;
mod write;

pub use layout::folder::OpenError;
pub use search::searcher::{SearcherOptions, TantivySearcher};
pub use write::writer::{TantivyWriter, WriterOptions};
