//! Options for the file of a job.

use domain::WriteMode;
use feeds::{Format, Mark};
use serde::{Deserialize, Serialize};

/// Options for the file of a job.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileOptions {
    /// The format, or `None` to detect it.
    #[serde(default)]
    pub(crate) format: Option<Format>,
    /// The mode of the writes, or `None` for that of the format.
    #[serde(default)]
    pub(crate) mode: Option<WriteMode>,
    /// The character set of the file, or `None` to detect it.
    #[serde(default)]
    pub(crate) encoding: Option<String>,
    /// Decimal mark of numbers that can be read in two ways.
    #[serde(default)]
    pub(crate) decimal: Option<Mark>,
    /// Columns with their fields.
    #[serde(default)]
    pub(crate) map: Vec<(String, String)>,
}
