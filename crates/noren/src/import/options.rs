//! Options of an import.

use std::path::PathBuf;
use std::sync::Arc;

use domain::Currency;
use feeds::{Format, TableOptions};

use super::source::Source;

/// The products of an import, and how they are read.
#[derive(Debug, Clone)]
pub struct Options {
    /// The products.
    pub source: Source,
    /// Format of all files, or `None` to detect it.
    pub format: Option<Format>,
    /// Options for the columns of tables.
    pub table: TableOptions,
    /// Currency to write into products that have a price and no currency.
    pub currency: Option<Currency>,
    /// Default currency for validation before products reach the sink. `None` leaves validation to the sink.
    pub check: Option<Currency>,
    /// The source to write into the products, whatever the files say.
    pub source_name: Option<Arc<str>>,
    /// Path of the rejects file, or `None` for a path per file in `rejects_folder`.
    pub rejects: Option<PathBuf>,
    /// Folder of the rejects files.
    pub rejects_folder: PathBuf,
    /// Suppresses progress, mappings and faults on standard error.
    pub is_quiet: bool,
}
