//! Readers and field mappings for product import files.
//!
//! [`FeedReader`] opens a file, detects gzip and format, and returns one [`FeedRecord`] per product. [`map_record`] maps
//! the fields of a foreign catalogue to those of a product; `docs/IMPORT.md` describes the rules. [`Rejects`] writes the
//! records with faults to a file that can be corrected and imported again. [`LineSplitter`] cuts a stream of bytes into
//! lines with bounded memory and does no I/O, so readers of files, of request bodies and of responses share it.

#![warn(missing_docs)]

mod columns;
mod containers;
mod counted;
mod covered;
mod day;
mod documents;
mod error;
mod field_stats;
mod format;
mod identity;
mod json;
mod known_products;
mod line_splitter;
mod mapping;
mod ndjson;
#[cfg(test)]
mod other_export_tests;
mod prepare;
mod product;
#[cfg(test)]
mod public_exports_tests;
mod publication;
#[cfg(test)]
mod publication_tests;
#[cfg(test)]
mod read_in_tests;
mod reader;
mod record;
mod rejects;
mod seen_ids;
mod sniff;
mod table;
mod text_encoding;
#[cfg(test)]
mod value_tests;
mod values;

pub use containers::Scratch;
pub use error::FeedError;
pub use format::Format;
pub use identity::IdOrigin;
pub use known_products::{Known, KnownProducts, Unidentified};
pub use line_splitter::{Line, LineSplitter, Position, TooLong};
pub use mapping::{Mapped, map_record};
pub use prepare::{Prepared, Preparer, Rules, read_record};
pub use reader::FeedReader;
pub use record::{FeedRecord, Original, Rejected};
pub use rejects::{Rejects, RejectsNames, describe_fault, unwrap_reject};
pub use seen_ids::SeenIds;
pub use sniff::{Sniffed, sniff};
pub use table::{ColumnReport, Mark, TableOptions, TableReport, embedded_mapping};
