//! Errors of a whole file. A fault in one product is a [`Fault`](domain::Fault), not an error.

use std::error::Error;
use std::io;

/// An import file that cannot be read, or a rejects file that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The file cannot be opened.
    #[error("opening {name}")]
    Open {
        /// Name of the file.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// The path is a folder.
    #[error("{name} is a folder; name the files in it")]
    Folder {
        /// The path.
        name: String,
    },
    /// Reading broke off.
    #[error("reading {name}")]
    Read {
        /// Name of the file.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// The first row of a CSV file cannot be read.
    #[error("reading the first row of {name}")]
    ReadHeader {
        /// Name of the file.
        name: String,
        /// The cause.
        source: csv::Error,
    },
    /// A row of a CSV file cannot be read.
    #[error("reading {name} after line {line}")]
    ReadRow {
        /// Name of the file.
        name: String,
        /// The last line that was read.
        line: u64,
        /// The cause.
        source: csv::Error,
    },
    /// The first row of a CSV file is not UTF-8.
    #[error("the first row of {name} is not UTF-8; save the file as UTF-8")]
    HeaderNotUtf8 {
        /// Name of the file.
        name: String,
    },
    /// The first row of a CSV file has no column `name`, so it is probably a row of data.
    #[error("the first row of {name} has no column `name`; it must name the fields: id, name, price, …")]
    NoNameColumn {
        /// Name of the file.
        name: String,
    },
    /// The file is one JSON array instead of NDJSON.
    #[error("{name} is one JSON array; write one product per line, for example with `jq -c '.[]'`")]
    JsonArray {
        /// Name of the file.
        name: String,
    },
    /// The rejects file cannot be written.
    #[error("writing rejected products to {path}")]
    WriteRejects {
        /// Path of the rejects file.
        path: String,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
}
