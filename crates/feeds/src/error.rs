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
    /// The file has nothing in it.
    #[error("{name} is empty")]
    Empty {
        /// Name of the file.
        name: String,
    },
    /// The file names columns and has no rows.
    #[error("{name} has no rows below its column names")]
    NoRows {
        /// Name of the file.
        name: String,
    },
    /// The file is a web page or another kind of markup.
    #[error("{name} is a web page, not a table; download the file itself, perhaps after a login")]
    Markup {
        /// Name of the file.
        name: String,
    },
    /// The file is an archive or a spreadsheet that cannot be unpacked, or no text at all.
    #[error("{name} {message}")]
    Container {
        /// Name of the file.
        name: String,
        /// The reason, and the way out.
        message: String,
    },
    /// The file is no well-formed XML, or exceeds a limit.
    #[error("{name}:{line}: {message}")]
    Xml {
        /// Name of the file.
        name: String,
        /// Line at which it is wrong.
        line: u64,
        /// The fault.
        message: String,
    },
    /// An XML file has no elements that are products.
    #[error("{name} has no products: no element `item`, `entry`, `product` or `offer` below the first one")]
    NoXmlProducts {
        /// Name of the file.
        name: String,
    },
    /// The row that names the columns cannot be read.
    #[error("{name}:{line}: the row that names the columns {fault}")]
    BrokenHeader {
        /// Name of the file.
        name: String,
        /// Line of the row.
        line: u64,
        /// The fault.
        fault: String,
    },
    /// The options do not fit the columns.
    #[error("{name}: {message}")]
    Mapping {
        /// Name of the file.
        name: String,
        /// The fault.
        message: String,
    },
    /// Rows that belong together take too much memory.
    #[error(
        "{name} has too many products with variants; split it into several files, each with whole products"
    )]
    TooManyVariants {
        /// Name of the file.
        name: String,
    },
    /// The first row of a CSV file is not UTF-8.
    #[error("the first row of {name} is not UTF-8; save the file as UTF-8")]
    HeaderNotUtf8 {
        /// Name of the file.
        name: String,
    },
    /// The first row of a CSV file has no column `name`, so it is probably a row of data.
    #[error(
        "the first row of {name} has no column `name`; it must name the fields: id, name, price, …; if it is a title, remove it, and \
         if another column is the name, say --map COLUMN=name"
    )]
    NoNameColumn {
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
