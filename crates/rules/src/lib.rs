//! The rules of a shop: a TOML file that tunes its searches. Reports all faults of a file at once, and returns the part of the
//! rules that applies to a search.
//!
//! Has no clock and does not watch files: the caller passes the time, and reads the file again when it changes.

#![warn(missing_docs)]

mod builder;
mod fault;
mod file;
mod filters;
mod locale;
mod parse;
mod phrases;
mod reader;
mod rule;
mod rules;
mod summary;
mod window;

pub use fault::{Fault, Faults};
pub use locale::Locale;
pub use parse::{MAX_FILE_BYTES, read_file};
pub use rules::Rules;
pub use summary::Summary;
pub use text::field_weights::FieldWeights;
