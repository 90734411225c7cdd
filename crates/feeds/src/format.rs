//! File formats, and the format that a file name announces.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Format of a file of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON: one object per line, objects in any layout, or a list.
    Ndjson,
    /// Separated by commas, semicolons or tabs, with field names in the first row.
    Csv,
}

impl Format {
    /// Returns the file name extension of the format.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// Splits a path into the file's name without known extensions, and the format that the extensions announce:
/// `shop/tea.ndjson.gz` gives `tea` and NDJSON.
pub(crate) fn stem_and_format(path: &Path) -> (String, Option<Format>) {
    let extension = |path: &Path| path.extension().map(|it| it.to_ascii_lowercase()).unwrap_or_default();
    let mut path = PathBuf::from(path.file_name().unwrap_or(path.as_os_str()));
    while ["gz", "zip", "xlsx", "xlsm"].iter().any(|container| extension(&path) == *container) {
        path.set_extension("");
    }
    let format = match extension(&path).to_str() {
        Some("ndjson" | "jsonl" | "json") => Some(Format::Ndjson),
        Some("csv" | "tsv") => Some(Format::Csv),
        _ => None,
    };
    if format.is_some() {
        path.set_extension("");
    }
    (path.display().to_string(), format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_extensions_are_removed() {
        assert_eq!(stem_and_format(Path::new("x/tea.old.jsonl.gz")).0, "tea.old");
        assert_eq!(stem_and_format(Path::new("x/tea.txt")), ("tea.txt".to_owned(), None));
        assert_eq!(stem_and_format(Path::new("x/tea.csv.zip")), ("tea".to_owned(), Some(Format::Csv)));
        assert_eq!(stem_and_format(Path::new("x/tea.xlsx")), ("tea".to_owned(), None));
    }
}
