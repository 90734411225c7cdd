//! The report on how a file was read, in its form on the wire.

use api::wire::imports::{Mapping, MappingColumn};
use feeds::{ColumnReport, TableReport};

/// The maximum number of columns, and of warnings, in a report.
const MAX_LISTED: usize = 2_000;

/// Returns the report of a file and the warnings about its rows. Columns without any value are left out.
pub(super) fn mapping_report(report: Option<TableReport>, notes: Vec<String>) -> Mapping {
    let Some(TableReport { format, encoding, sheet, columns, warnings }) = report else {
        return Mapping { format: "JSON".to_owned(), warnings: notes, ..Mapping::default() };
    };
    let column = |ColumnReport { column, field, filled, example }: ColumnReport| MappingColumn {
        column,
        field,
        filled,
        example,
    };
    Mapping {
        format: format.unwrap_or_else(|| "table".to_owned()),
        encoding: encoding.map(str::to_owned),
        sheet,
        columns: columns
            .into_iter()
            .filter(|column| column.filled > 0)
            .take(MAX_LISTED)
            .map(column)
            .collect(),
        warnings: warnings.into_iter().chain(notes).take(MAX_LISTED).collect(),
    }
}
