//! The reading side of the index: snapshots, and the execution of searches on them.

mod answer;
mod attribute_facets;
mod boosts;
mod columns;
mod correction;
mod deadline;
mod document_frequency;
mod expand;
mod expand_prefix;
mod expansion;
mod facets;
mod filters;
mod inside;
mod interpretation;
mod live_generation;
mod lookup;
mod matching;
mod order;
mod ordinals;
mod pass;
mod pinned_and_hidden;
mod pinned_file;
mod pool;
mod postings;
mod prefix_cache;
mod ranking;
mod searcher;
mod segment;
mod segment_cache;
mod snapshot;
mod snapshot_loader;
mod top;
mod values;
mod vocabulary;
mod window;

pub use searcher::{SearcherOptions, TantivySearcher};
