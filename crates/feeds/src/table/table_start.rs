//! The start of a table: its character set, its delimiter, and the row that names the columns.

use std::io::BufRead as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use csv::ByteRecord;

use super::column_names::is_same;
use super::row_neighbours::Rows;
use super::row_splitter::{RawRow, RowSplitter};
use super::source::Source;
use crate::columns::delimiter_of;
use crate::error::FeedError;
use crate::text_encoding::{Input, RowDecoder, decode_utf16};

/// First cell of the template that precedes an Amazon flat file; two more rows precede the products.
const AMAZON_TEMPLATE: &[u8] = b"TemplateType=";

/// The most lines above the names of the columns.
const MAX_TITLE_LINES: usize = 5;
/// The names of columns that tell a row of names from a title.
const HEADER_NAMES: [&str; 6] = ["id", "name", "title", "sku", "handle", "product name"];

/// A table whose first row was read.
pub(crate) struct TableStart {
    pub(crate) rows: Rows,
    pub(crate) decoder: RowDecoder,
    pub(crate) header: ByteRecord,
}

impl TableStart {
    /// Opens a table behind the row that names its columns. `decoder` is that of an earlier reading; `bytes_read` counts the
    /// bytes before decompression.
    ///
    /// # Errors
    /// If the input is empty, is no table, or cannot be read.
    pub(crate) fn open(
        source: &Source,
        decoder: Option<RowDecoder>,
        name: &str,
        bytes_read: Arc<AtomicU64>,
    ) -> Result<Self, FeedError> {
        let failed = |source| FeedError::Read { name: name.to_owned(), source };
        match source {
            Source::Text(file) => {
                let decoder = decoder.or_else(|| file.encoding.map(RowDecoder::of));
                Self::read(file.open(bytes_read).map_err(failed)?, decoder, name)
            }
            Source::Rows(spool) => Ok(Self {
                rows: Rows::of_spool(spool.rows(bytes_read).map_err(failed)?),
                decoder: decoder.unwrap_or_else(|| RowDecoder::new(false)),
                header: spool.header.clone(),
            }),
        }
    }

    /// Reads up to the row that names the columns. `decoder` is that of an earlier reading.
    ///
    /// # Errors
    /// If the input is empty, is no table, or cannot be read.
    fn read(input: Input, decoder: Option<RowDecoder>, name: &str) -> Result<Self, FeedError> {
        let failed = |source| FeedError::Read { name: name.to_owned(), source };
        let (mut input, is_utf16) = decode_utf16(input).map_err(failed)?;
        let mut decoder = decoder.unwrap_or_else(|| RowDecoder::new(is_utf16));
        let beginning = input.fill_buf().map_err(failed)?;
        if beginning.trim_ascii().is_empty() {
            return Err(FeedError::Empty { name: name.to_owned() });
        }
        if beginning.trim_ascii_start().starts_with(b"<") {
            return Err(FeedError::Markup { name: name.to_owned() });
        }
        let (delimiter, skipped, lines) = match separator_line(beginning) {
            Some((delimiter, length)) => (delimiter, length, 1),
            None => {
                let (length, lines) = title_lines(beginning);
                (delimiter_of(&beginning[length..]), length, lines)
            }
        };
        input.consume(skipped);
        let mut rows = RowSplitter::new(input, delimiter, lines + 1);
        let mut next = || -> Result<RawRow, FeedError> {
            let row = rows.next_row().map_err(failed)?;
            row.ok_or_else(|| FeedError::NoRows { name: name.to_owned() })
        };
        let mut row = next()?;
        if row.cells.get(0).is_some_and(|cell| cell.starts_with(AMAZON_TEMPLATE)) {
            next()?;
            row = next()?;
        }
        if let Some(fault) = row.fault {
            return Err(FeedError::BrokenHeader { name: name.to_owned(), line: row.line, fault });
        }
        let header = decoder
            .decode_header(row.cells)
            .map_err(|_| FeedError::HeaderNotUtf8 { name: name.to_owned() })?;
        rows.expect_width(header.len());
        Ok(Self { rows: Rows::new(rows), decoder, header })
    }
}

/// Returns the delimiter of a first line `sep=;`, which Excel writes, and the length of the line.
fn separator_line(beginning: &[u8]) -> Option<(u8, usize)> {
    let rest = beginning.strip_prefix(b"sep=").or_else(|| beginning.strip_prefix(b"SEP="))?;
    match rest {
        [delimiter, b'\r', b'\n', ..] => Some((*delimiter, 7)),
        [delimiter, b'\n' | b'\r', ..] => Some((*delimiter, 6)),
        _ => None,
    }
}

/// Returns the length and the number of lines above the names of the columns that have one text at most, such as a title.
fn title_lines(beginning: &[u8]) -> (usize, u64) {
    let mut length = 0;
    for (at, line) in beginning.split_inclusive(|byte| *byte == b'\n').take(MAX_TITLE_LINES + 1).enumerate() {
        let text = String::from_utf8_lossy(line);
        let cells = text.split(char::from(delimiter_of(line)));
        let cells: Vec<&str> =
            cells.map(|cell| cell.trim().trim_matches('"')).filter(|cell| !cell.is_empty()).collect();
        let names_columns = || cells.iter().any(|cell| HEADER_NAMES.iter().any(|name| is_same(cell, name)));
        match cells.len() {
            0 | 1 if !names_columns() => length += line.len(),
            0 | 1 => break,
            _ if names_columns() => return (length, at as u64),
            _ => break,
        }
    }
    (0, 0)
}
