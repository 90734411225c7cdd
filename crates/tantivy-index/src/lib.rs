//! The ports [`IndexWriter`](domain::ports::IndexWriter), [`IndexMaintenance`](domain::ports::IndexMaintenance) and
//! [`SearchIndex`](domain::ports::SearchIndex) over a folder of [tantivy](https://docs.rs/tantivy) segments.
//!
//! [`TantivyWriter`] and [`TantivySearcher`] may run in one process or in several, and either may be opened first. There is at
//! most one writer at a time and any number of searchers. A search sees every commit, of any writer, that was made before the
//! search began.
//!
//! # Layout
//!
//! An index folder has one folder per generation and the pointer file `generations.json`, which names the live, next and
//! previous generations. `noren reindex` creates a next generation, which receives every change along with the live one, fills
//! it from the store and promotes it. Promotion renames a new pointer file over the old one. A searcher compares the pointer
//! file's inode before each search; if it has changed, it opens the new generation before it closes the old one, so no search
//! fails. The previous generation stays unchanged until the next promotion, for a rollback.
//!
//! Each generation is a tantivy index with a format file, which records the format, the language and the field weights. A
//! generation of an older format that this version can read is used until a rebuild has replaced it. One of any other format or
//! of another language fails to open with an [`OpenError`] that says what to do. A tombstone is a document with an id, a version,
//! a state and a hash only.
//!
//! # Text
//!
//! Texts are analysed by `crates/text` and not by tantivy: a text field is a list of terms with their weights, and the term
//! frequency that tantivy stores is the weight. There are four term dictionaries: words, codes (words with digits), pairs of
//! neighbouring words joined into one, and stems. Adjacent characters of scripts without spaces are also indexed with
//! positions, for phrases. No text of a user is parsed as a query.
//!
//! # Search
//!
//! A search runs on one snapshot, on a thread of the searcher's pool, and visits each match once:
//!
//! 1. The words of the query are expanded to lists of documents: alternatives that `text::query` names, words with the same
//!    prefix (of thousands, the 1,000 most frequent), and corrections of misspelt words. If too few products match all words,
//!    typos are allowed, then words become optional.
//! 2. Matches are computed per segment: the rarest required word first, the others looked up for its documents only.
//! 3. A single pass applies filters, counts facets and keeps the first products in the requested order. A product that passes
//!    all filters counts in every facet; a product that fails the filter of one field only counts in the facet of that field.
//! 4. Stored products are loaded for the hits of the page only.
//!
//! # Performance
//!
//! - **Columns in memory.** A search may have hundreds of thousands of matches and reads brand, category, price and stock of
//!   each. A packed column takes about ten nanoseconds per lookup, an array about one. The arrays take some 20 bytes per
//!   product. Values have the same id in all segments, so counts add up and only listed values are converted to text.
//! - **Corrections from memory.** The words without digits of each segment are kept in memory and compared with a misspelt
//!   word by length, by their set of letters and by a bit-parallel edit distance. That takes less time than walking tantivy's
//!   dictionary with a Levenshtein automaton.
//! - **Caches per segment.** Segments never change, so after a commit only new segments are read.
//! - **Few segments at rest.** Each lookup is made once per segment. Once nothing has been written for a second, segments of
//!   similar size are merged in the background. A large segment is not rewritten for a few documents.
//!
//! # Modules
//!
//! `layout` is the index on disk, `write` the writing side, `search` the reading side; the latter two depend on `layout` and not
//! on each other. A new order on data that the index has is a row in `search/order.rs`; a new field with textual values that can
//! be filtered and counted is a row in `layout/value_field.rs`, with a new `FORMAT` in `layout/schema.rs`.

#![warn(missing_docs)]

mod error;
mod layout;
mod search;
mod write;

pub use layout::open_error::OpenError;
pub use search::{SearcherOptions, TantivySearcher};
pub use write::{TantivyWriter, WriterOptions};
