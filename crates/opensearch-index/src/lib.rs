//! The ports [`IndexWriter`](domain::ports::IndexWriter), [`IndexMaintenance`](domain::ports::IndexMaintenance) and
//! [`SearchIndex`](domain::ports::SearchIndex) on OpenSearch.
//!
//! [`OpenSearchWriter`] writes, rebuilds and, if asked to, creates the index; [`OpenSearchSearcher`] only reads. Both
//! use one alias. No plugin has to be installed.
//!
//! # Text
//!
//! Text is analysed in this process, by the crate `text`, exactly as for the embedded index. OpenSearch receives
//! tokens, each with its weight (`wlamp|7`), which its analyser stores as the term frequency. Both indexes therefore
//! have the same terms, and OpenSearch never parses text of a user. The first letter of a term names its dictionary:
//! words, codes (words with digits), neighbours written as one word, stems. Two more fields hold the same words for
//! other queries: with the weight in front, for prefixes; and the pairs of adjacent characters of CJK text with their
//! positions, for phrases.
//!
//! # Scores
//!
//! The score of a product is exactly its score in the embedded index, so a cursor keeps its position whichever index
//! answers, and a test compares the two to the last bit.
//!
//! 1. A matching word scores a class, an integer, plus a fraction times its weight, see [`text::score`].
//! 2. The boost of a term encodes both. A scripted similarity of one line takes them apart: the integral part of the
//!    boost, plus its fraction times the term frequency.
//! 3. Of several ways in which a product matches a word, the best one counts (`dis_max`).
//! 4. A prefix is 31 prefix queries of constant score, one per weight, of which the best counts. A single one would add
//!    up the scores of all words with the prefix.
//! 5. Pinned products are queries of constant score above all others. Boosts are a sum that a script keeps within its
//!    bounds.
//! 6. All of these are multiples of 1/1024, so the order of addition does not change a sum.
//!
//! # Interpretation of the words
//!
//! Most searches take one request: the words as typed. Its response also counts the products that have the last word as
//! a whole word; if these are few, the word is a prefix as well. Further requests follow only if too few products
//! match:
//!
//! 1. One counts the products that have all words, and each word alone, and asks the term suggester for similar words.
//!    The suggester keeps the first letter of a term, which is that of the dictionary, so it corrects every letter of
//!    the word.
//! 2. One counts the suggestions, which removes those that only deleted documents contain.
//! 3. One counts the matches for each number of words that are left out.
//! 4. The search is run again.
//!
//! A cursor contains the decisions, so later pages do not decide again. Several searches in one call share a point in
//! time, which is closed after the last one; a single search needs none.
//!
//! # Attributes and facets
//!
//! All attributes are one keyword field with terms `key NUL value`; numbers are another one with `key NUL digits`, in
//! which the digits sort as the numbers do. The alternatives are worse:
//!
//! - A field per key makes the mapping grow with the catalogue until OpenSearch rejects documents, by default at 1,000
//!   fields.
//! - `flat_object` has no numeric order, so no ranges.
//! - Nested documents multiply the size of the index by the number of attributes per product.
//!
//! The facet of a key walks through its terms with a composite aggregation: the counts are exact for any number of
//! values, and no key becomes a regular expression. A facet is counted under every filter except the one on its own
//! field: filters on counted fields apply after counting (`post_filter`), and each aggregation repeats those of the
//! other facets.
//!
//! # Writes
//!
//! Versions are OpenSearch's external versions: it rejects an equal or older version, which counts as applied.
//! Tombstones are documents, because OpenSearch soon forgets the version of a removed document (`gc_deletes`). A bulk
//! request has at most 5 MB. Items that are rejected under load (429 or 5xx) are sent up to five times, after pauses with
//! jitter; an item that is rejected with 400 or 413 is refused alone. Each batch ends with one refresh, so
//! that searches find acknowledged changes; large batches are therefore much cheaper than many small ones.
//!
//! # Aliases and schema
//!
//! The index is named `ALIAS-v6-000001`, with the schema and a number, and has one shard. Programs know only the alias,
//! so that a rebuilt index can replace it in one atomic step: the live index has the alias `ALIAS`, the one being built
//! `ALIAS-next`, the previous one `ALIAS-previous`. The mapping is strict. Its `_meta` has the schema,
//! the version of the analysis, the language and the field weights; an index of a newer schema or another language, or
//! one that Noren did not create, is rejected when it is opened. An index of an older schema is used until it is rebuilt, if its
//! fields are the same; otherwise searches are unavailable until then.
//!
//! Requests to Amazon OpenSearch Service are signed (Signature Version 4).

#![warn(missing_docs)]

mod client;
mod documents;
mod error;
mod layout;
mod options;
mod search;
mod write;

pub use error::OpenError;
pub use options::Options;
pub use search::searcher::OpenSearchSearcher;
pub use search::snapshot::SEARCH_TIMEOUT;
pub use write::writer::OpenSearchWriter;
