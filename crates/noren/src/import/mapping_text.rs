//! The mapping of a table as text.

use std::fmt::Write as _;

use feeds::TableReport;

/// Number of columns that are listed. The others are counted.
const MAX_COLUMNS: usize = 200;

/// Returns the mapping: each column that has a value with its field, the number of rows and an example, then the warnings.
pub(super) fn mapping_text(file: &str, report: &TableReport) -> String {
    let format = report.format.as_deref().unwrap_or("a table");
    let encoding = report.encoding.map(|name| format!(", in {name}")).unwrap_or_default();
    let sheet = report.sheet.as_ref().map(|name| format!(", sheet `{name}`")).unwrap_or_default();
    let mut text = format!("{file}: read as {format}{sheet}{encoding}");
    let filled: Vec<_> = report.columns.iter().filter(|column| column.filled > 0).collect();
    let shown = &filled[..filled.len().min(MAX_COLUMNS)];
    let width = |length: usize, max: usize| length.min(max);
    let widest =
        shown.iter().map(|column| width(column.column.chars().count(), 32)).max().unwrap_or_default();
    let field = shown.iter().map(|column| width(column.field.chars().count(), 32)).max().unwrap_or_default();
    for column in shown {
        // Writing to memory cannot fail.
        let _ = write!(
            text,
            "\n  {:widest$}  → {:field$}  {:>7}  {}",
            column.column, column.field, column.filled, column.example
        );
    }
    if filled.len() > shown.len() {
        let _ = write!(text, "\n  and {} more columns", filled.len() - shown.len());
    }
    let empty = report.columns.len() - filled.len();
    if empty > 0 {
        let columns = if empty == 1 { "column is" } else { "columns are" };
        let _ = write!(text, "\n  {empty} {columns} empty");
    }
    for warning in &report.warnings {
        let _ = write!(text, "\n  warning: {warning}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use feeds::ColumnReport;

    #[test]
    fn filled_columns_are_listed_and_warnings_follow() {
        let column = |column: &str, field: &str, filled| ColumnReport {
            column: column.to_owned(),
            field: field.to_owned(),
            filled,
            example: "x".to_owned(),
        };
        let report = TableReport {
            format: Some("Shopify products CSV".to_owned()),
            encoding: Some("UTF-16"),
            sheet: None,
            columns: vec![column("Title", "name", 2), column("Vendor", "brand", 0)],
            warnings: vec!["no product has a price".to_owned()],
        };
        let expected = "a.csv: read as Shopify products CSV, in UTF-16\n  Title  → name        2  x\n  1 column is empty\n  \
                        warning: no product has a price";
        assert_eq!(mapping_text("a.csv", &report), expected);
    }
}
