//! Cuts a CSV file into rows. A quotation mark without its pair costs the row in which it was opened, never the rows after it.

use std::io::{self, BufRead};

use csv::ByteRecord;

use super::row_parser::{Broken, Parsed, first_line, parse_row, raw_cells};
use crate::record::MAX_LINE_BYTES;

/// A row of a file.
#[derive(Debug)]
pub(crate) struct RawRow {
    /// Line at which the row begins, from 1.
    pub(crate) line: u64,
    /// Its cells; of a row with a fault, what its lines have between the delimiters.
    pub(crate) cells: ByteRecord,
    /// Why the row cannot be read.
    pub(crate) fault: Option<String>,
}

/// Reads rows from a stream with at most one row and one chunk in memory.
pub(crate) struct RowSplitter {
    input: Box<dyn BufRead + Send>,
    delimiter: u8,
    buffer: Vec<u8>,
    /// Start of the bytes of the buffer that are not yet returned.
    start: usize,
    line: u64,
    width: usize,
    is_at_end: bool,
}

impl RowSplitter {
    /// Reads rows that begin at line `line` of a file.
    pub(crate) fn new(input: Box<dyn BufRead + Send>, delimiter: u8, line: u64) -> Self {
        Self { input, delimiter, buffer: Vec::new(), start: 0, line, width: 0, is_at_end: false }
    }

    /// Sets the number of cells that each row must have.
    pub(crate) fn expect_width(&mut self, width: usize) {
        self.width = width;
    }

    /// Returns the next row that has a cell with text, or `None` at the end.
    ///
    /// # Errors
    /// If the rest of the file cannot be read.
    pub(crate) fn next_row(&mut self) -> io::Result<Option<RawRow>> {
        loop {
            if self.start == self.buffer.len() && !self.fill()? {
                return Ok(None);
            }
            let row = match parse_row(&self.buffer[self.start..], self.delimiter, self.is_at_end) {
                Parsed::Incomplete if self.buffer.len() - self.start <= MAX_LINE_BYTES => {
                    self.fill()?;
                    continue;
                }
                Parsed::Incomplete => self.over_limit()?,
                Parsed::Broken { fault, column } => self.broken(fault, column)?,
                Parsed::Row { length, lines, .. } if length > MAX_LINE_BYTES => match lines {
                    1 => self.skip_line()?,
                    _ => self.broken(Broken::NotClosed, 0)?,
                },
                Parsed::Row { cells, length, lines, .. } if is_blank(&cells) => {
                    self.take(cells, length, lines, None);
                    continue;
                }
                Parsed::Row { cells, length, lines, is_suspicious, has_bare_quote } => {
                    let is_wrong = is_suspicious || (self.width > 0 && cells.len() != self.width);
                    match is_wrong {
                        true => self.wrong(cells, length, lines, has_bare_quote),
                        false => self.take(cells, length, lines, None),
                    }
                }
            };
            return Ok(Some(row));
        }
    }

    /// Reads more bytes. Returns false at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let chunk = self.input.fill_buf()?;
        let length = chunk.len();
        self.buffer.extend_from_slice(chunk);
        self.input.consume(length);
        self.is_at_end = length == 0;
        Ok(length > 0)
    }

    fn take(&mut self, cells: ByteRecord, length: usize, lines: u64, fault: Option<String>) -> RawRow {
        let row = RawRow { line: self.line, cells, fault };
        self.start += length;
        self.line += lines;
        row
    }

    /// Rejects the first line of a row over the size limit.
    fn over_limit(&mut self) -> io::Result<RawRow> {
        let opened = self.buffer[self.start..].contains(&b'"');
        if opened && first_line(&self.buffer[self.start..], self.is_at_end).is_some() {
            return self.broken(Broken::NotClosed, 0);
        }
        self.skip_line()
    }

    /// Rejects a line over the size limit without keeping it.
    fn skip_line(&mut self) -> io::Result<RawRow> {
        while first_line(&self.buffer[self.start..], self.is_at_end).is_none() {
            // Only the line break matters, so the text is not kept.
            self.start = self.buffer.len().saturating_sub(1);
            self.fill()?;
        }
        let length = first_line(&self.buffer[self.start..], self.is_at_end).unwrap_or_default();
        let message = format!("has more than {MAX_LINE_BYTES} bytes; is a quotation mark not closed?");
        Ok(self.take(ByteRecord::new(), length, 1, Some(message)))
    }

    /// Rejects the first line of a row whose quotation marks have no pair. The next row begins on the next line.
    fn broken(&mut self, fault: Broken, column: usize) -> io::Result<RawRow> {
        let length = loop {
            match first_line(&self.buffer[self.start..], self.is_at_end) {
                Some(length) => break length,
                None if self.buffer.len() - self.start > MAX_LINE_BYTES => return self.skip_line(),
                None => self.fill()?,
            };
        };
        let cells = raw_cells(&self.buffer[self.start..self.start + length], self.delimiter);
        let message = match fault {
            Broken::NotClosed => format!(
                "opens a quotation mark in cell {} and does not close it; close it, or double it if it belongs to the text",
                column + 1
            ),
            Broken::QuoteInside => format!(
                "has text after a quotation mark in cell {}; double each quotation mark that belongs to the text",
                column + 1
            ),
        };
        Ok(self.take(cells, length, 1, Some(message)))
    }

    /// Rejects a row with a wrong number of cells. If a later line of it can be a row of its own, a quotation mark has
    /// taken in too much, and the row ends before that line.
    fn wrong(&mut self, cells: ByteRecord, length: usize, lines: u64, has_bare_quote: bool) -> RawRow {
        let text = &self.buffer[self.start..self.start + length];
        let mut at = 0;
        for before in 1..lines {
            at += first_line(&text[at..], true).unwrap_or_default();
            // The row that begins there may end after this one.
            if self.is_row(&self.buffer[self.start + at..]) {
                let cells = raw_cells(&text[..at], self.delimiter);
                let message = format!(
                    "opens a quotation mark that is not closed in its line{}; close it, or double it if it belongs \
                     to the text",
                    match before {
                        1 => String::new(),
                        _ => format!(" (lines {} to {})", self.line, self.line + before - 1),
                    }
                );
                return self.take(cells, at, before, Some(message));
            }
        }
        if cells.len() == self.width && !has_bare_quote {
            return self.take(cells, length, lines, None);
        }
        let message = match cells.len() == self.width {
            true => "has quotation marks without their pair; quote cells that contain quotation marks, and double these"
                .to_owned(),
            false => format!(
                "has {} cells where the first row has {}; quote cells that contain delimiters or line breaks",
                cells.len(),
                self.width
            ),
        };
        self.take(cells, length, lines, Some(message))
    }

    /// Returns true if the text begins with a complete row of the expected width.
    fn is_row(&self, text: &[u8]) -> bool {
        self.width > 1
            && matches!(parse_row(text, self.delimiter, true),
                Parsed::Row { cells, has_bare_quote: false, .. } if cells.len() == self.width)
    }
}

fn is_blank(cells: &ByteRecord) -> bool {
    cells.iter().all(|cell| cell.trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns line, cells and "ok" or the fault of each row.
    fn rows(text: &str, width: usize) -> Vec<(u64, String, bool)> {
        let mut rows = RowSplitter::new(Box::new(io::Cursor::new(text.as_bytes().to_vec())), b',', 1);
        rows.expect_width(width);
        let mut found = Vec::new();
        while let Some(row) = rows.next_row().unwrap() {
            let cells: Vec<String> =
                row.cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            found.push((row.line, cells.join("|"), row.fault.is_none()));
        }
        found
    }

    fn row(line: u64, cells: &str, is_ok: bool) -> (u64, String, bool) {
        (line, cells.to_owned(), is_ok)
    }

    #[test]
    fn an_unclosed_quotation_mark_costs_its_row_only() {
        let found = rows("a,\"Tea \"\"green,1\nb,Tea,2\r\nc,\"Tea, 3\",3\n", 3);
        assert_eq!(
            found,
            [row(1, "a|\"Tea \"\"green|1", false), row(2, "b|Tea|2", true), row(3, "c|Tea, 3|3", true)]
        );
    }

    #[test]
    fn a_quotation_mark_that_takes_in_the_next_row_gives_it_back() {
        let found = rows("a,\"Tea,1\nb,\",green\",2\nc,x,3\n", 3);
        assert_eq!(found[1..], [row(2, "b|,green|2", true), row(3, "c|x|3", true)]);
    }

    #[test]
    fn a_quotation_mark_inside_a_quoted_cell_costs_its_row() {
        let found = rows("a,TV 55\" x,1\nb,\"TV 75\" x,2\nc,\"TV 65\"\"\",3\n", 3);
        assert_eq!(
            found,
            [row(1, "a|TV 55\" x|1", true), row(2, "b|\"TV 75\" x|2", false), row(3, "c|TV 65\"|3", true)]
        );
    }

    #[test]
    fn lines_are_counted_with_every_line_break_and_empty_rows_are_skipped() {
        let found = rows("a,1\r\n\r\n , \r\nb,\"x\r\ny\"\r\nc,2\rd,3", 2);
        assert_eq!(
            found,
            [row(1, "a|1", true), row(4, "b|x\r\ny", true), row(6, "c|2", true), row(7, "d|3", true)]
        );
    }

    #[test]
    fn a_line_over_the_limit_costs_that_line_only() {
        let long = "x".repeat(3 * MAX_LINE_BYTES);
        let found =
            rows(&format!("a,1\n{long},2\nb,\"{}\nc,3\n", format!("{}\n", "y".repeat(9_999)).repeat(210)), 2);
        assert_eq!((found[0].0, found[1].0, found[1].2), (1, 2, false));
        assert_eq!((found[2].0, found[2].2), (3, false));
        assert_eq!(found.last().unwrap().1, "c|3");
    }
}
