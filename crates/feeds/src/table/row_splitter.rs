//! Cuts a CSV file into rows. A quotation mark without its pair costs the row in which it was opened, never the rows after it.
//!
//! One missing mark turns the inside and the outside of all later cells around, and then a cell swallows the rows up to the next
//! mark. In a well-formed file that mark opens a cell, so it follows a delimiter or a line break. Hence three rules:
//!
//! 1. A quoted cell that text follows, or that the file does not close, is broken. Its first line is rejected, and the next row
//!    begins on the next line. Up to the mark at which the fault showed, a row that is doubtful or has a mark in a cell that
//!    is not quoted is rejected: it may be the rest of the broken one.
//! 2. A row in several lines is *doubtful* if a mark that closes one of its cells follows a delimiter or a line break; no other
//!    row can have swallowed one. It has a *rival* if one of its later lines begins a complete row that reaches to its end or
//!    beyond, and so explains that mark as an opening one. A doubtful row with a rival is rejected with all its lines.
//! 3. A mark in a cell that is not quoted is a character, but not in two cells, and not in a doubtful row: they may be a pair.
//!    Such a row, and one with a wrong number of cells, is rejected. If it has a rival, it ends before the first of its lines
//!    that is a complete row and not doubtful, or if there is none, at the end of the rival.
//!
//! Every line is thus part of a row that has the expected width, or of a rejected one. [`row_neighbours`](super::row_neighbours)
//! rejects rows that end too early.
//!
//! A line may be read several times, by these rules. So that the time stays linear in the size of a file, the bytes that are read again
//! have a budget, which grows with those that are done. Where it is used up, a row is rejected with all its lines.

use std::io::{self, BufRead};

use csv::ByteRecord;

use super::row_parser::{Broken, Parsed, ParsedRow, first_line, line_breaks, parse_row, raw_cells};
use crate::record::MAX_LINE_BYTES;

/// The most bytes that can be left to be read again.
const MAX_BUDGET: usize = 16 * MAX_LINE_BYTES;
/// The bytes that may be read again for each byte that is done.
const BUDGET_PER_BYTE: usize = 16;

/// A row of a file.
#[derive(Debug)]
pub(crate) struct RawRow {
    /// Line at which the row begins, from 1.
    pub(crate) line: u64,
    /// Its cells; of a row with a fault, what its lines have between the delimiters.
    pub(crate) cells: ByteRecord,
    /// The reason why the row cannot be read.
    pub(crate) fault: Option<String>,
    pub(super) part: Part,
}

/// The part of a row that lines in a file can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A complete row.
    Row,
    /// A complete row that may have swallowed others.
    Doubtful,
    /// Fewer cells than a row has.
    Short,
    /// A single cell, where rows have several.
    Cell,
    /// Not a complete row, and its first quotation mark can close a cell of an earlier line.
    Closing,
    /// Anything else with a fault.
    Fault,
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
    /// Number of bytes, from `start`, to the mark at which a cell that is not closed turned out to be broken.
    open_bytes: usize,
    /// Number of bytes that may still be read again.
    budget: usize,
}

impl RowSplitter {
    /// Reads rows that begin at line `line` of a file.
    pub(crate) fn new(input: Box<dyn BufRead + Send>, delimiter: u8, line: u64) -> Self {
        Self {
            input,
            delimiter,
            buffer: Vec::new(),
            start: 0,
            line,
            width: 0,
            is_at_end: false,
            open_bytes: 0,
            budget: MAX_BUDGET,
        }
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
                    // Twice as much, or a long row would be read again with each chunk.
                    let wanted = 2 * (self.buffer.len() - self.start);
                    while self.fill()? && self.buffer.len() < wanted {}
                    continue;
                }
                Parsed::Incomplete => self.over_limit()?,
                Parsed::Broken { fault, column, scanned } => {
                    self.open_bytes = self.open_bytes.max(scanned);
                    self.spend(scanned);
                    self.broken(fault, column, scanned)?
                }
                Parsed::Row(row) if row.length > MAX_LINE_BYTES => match row.lines {
                    1 => self.skip_line()?,
                    _ => self.broken(Broken::NotClosed, 0, row.length)?,
                },
                Parsed::Row(row) if is_blank(&row.cells) => {
                    self.take(row.cells, row.length, row.lines, None);
                    continue;
                }
                Parsed::Row(row) => {
                    self.spend(row.length);
                    self.checked(row)?
                }
            };
            return Ok(Some(row));
        }
    }

    fn spend(&mut self, bytes: usize) {
        self.budget = self.budget.saturating_sub(bytes);
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
        let part = match fault {
            None => Part::Row,
            Some(_) => match closes_first(&self.buffer[self.start..self.start + length], self.delimiter) {
                Some(true) => Part::Closing,
                None if lines == 1 && cells.len() < self.width => Part::Short,
                _ => Part::Fault,
            },
        };
        let row = RawRow { line: self.line, cells, fault, part };
        self.start += length;
        self.open_bytes = self.open_bytes.saturating_sub(length);
        self.budget = MAX_BUDGET.min(self.budget + BUDGET_PER_BYTE * length);
        self.line += lines;
        row
    }

    /// Rejects the first line of a row over the size limit.
    fn over_limit(&mut self) -> io::Result<RawRow> {
        let opened = self.buffer[self.start..].contains(&b'"');
        if opened && first_line(&self.buffer[self.start..], self.is_at_end).is_some() {
            let text = &self.buffer[self.start..];
            // The last line is not complete.
            let scanned = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            self.spend(text.len());
            return self.broken(Broken::NotClosed, 0, scanned);
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

    /// Rejects the first line of a row whose quotation marks have no pair, as its first `scanned` bytes show. The next row begins on
    /// the next line.
    fn broken(&mut self, fault: Broken, column: usize, scanned: usize) -> io::Result<RawRow> {
        let length = loop {
            match first_line(&self.buffer[self.start..], self.is_at_end) {
                Some(length) => break length,
                None if self.buffer.len() - self.start > MAX_LINE_BYTES => return self.skip_line(),
                None => self.fill()?,
            };
        };
        if self.budget == 0 && scanned > length {
            let length = self.line_end(scanned - 1)?;
            return Ok(self.unpaired(length));
        }
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

    /// Returns the end of the line that has the byte at `at`, from `start`.
    fn line_end(&mut self, at: usize) -> io::Result<usize> {
        loop {
            match first_line(&self.buffer[self.start + at..], self.is_at_end) {
                Some(length) => return Ok(at + length),
                // A line over the size limit ends where its text has been read.
                None if self.is_at_end || self.buffer.len() - self.start - at > MAX_LINE_BYTES => {
                    return Ok(self.buffer.len() - self.start);
                }
                None => self.fill()?,
            };
        }
    }

    /// Rejects the lines of the next `length` bytes together.
    fn unpaired(&mut self, length: usize) -> RawRow {
        let text = &self.buffer[self.start..self.start + length];
        // The last line of a file may end without a line break.
        let lines = line_breaks(text) + u64::from(!text.ends_with(b"\n") && !text.ends_with(b"\r"));
        let cells = raw_cells(text, self.delimiter);
        let fault = format!(
            "has quotation marks without their pair in lines {} to {}; there are too many to find out which",
            self.line,
            self.line + lines - 1
        );
        self.take(cells, length, lines, Some(fault))
    }

    /// Returns a row, or rejects it by the rules of this module.
    fn checked(&mut self, row: ParsedRow) -> io::Result<RawRow> {
        let has_width = self.width == 0 || row.cells.len() == self.width;
        let signs = row.bare_quotes + usize::from(row.is_doubtful);
        let is_mispaired = signs > 1 || (signs > 0 && self.open_bytes > 0);
        if has_width && !is_mispaired && !(row.is_doubtful && row.lines > 1) {
            return Ok(self.take(row.cells, row.length, row.lines, None));
        }
        let rival = match row.lines {
            1 => None,
            _ if self.budget == 0 => return Ok(self.unpaired(row.length)),
            _ => {
                while !self.is_at_end && self.buffer.len() - self.start < row.length + MAX_LINE_BYTES {
                    self.fill()?;
                }
                self.rival(&row)
            }
        };
        if has_width && !is_mispaired {
            let fault = rival.map(|_| {
                format!(
                    "has a cell in lines {} to {} that may have taken in other rows; correct its quotation marks",
                    self.line,
                    self.line + row.lines - 1
                )
            });
            let row = self.take(row.cells, row.length, row.lines, fault);
            let part = if row.fault.is_some() { Part::Doubtful } else { row.part };
            return Ok(RawRow { part, ..row });
        }
        if let Some(Rival { length, lines }) = rival {
            let cells = raw_cells(&self.buffer[self.start..self.start + length], self.delimiter);
            let fault = format!(
                "opens a quotation mark that is not closed in its line{}; close it, or double it if it belongs to the text",
                match lines {
                    1 => String::new(),
                    _ => format!(" (lines {} to {})", self.line, self.line + lines - 1),
                }
            );
            return Ok(self.take(cells, length, lines, Some(fault)));
        }
        let fault = match has_width {
            true => "has quotation marks without their pair; quote cells that contain quotation marks, and double these"
                .to_owned(),
            false => format!(
                "has {} cells where the first row has {}; quote cells that contain delimiters or line breaks",
                row.cells.len(),
                self.width
            ),
        };
        let lines = row.lines;
        let is_short = lines == 1 && row.cells.len() < self.width;
        let mut row = self.take(row.cells, row.length, row.lines, Some(fault));
        row.part = match row.part {
            Part::Closing if is_short || lines > 1 => Part::Closing,
            _ if is_short && row.cells.len() == 1 => Part::Cell,
            _ if is_short => Part::Short,
            _ => Part::Fault,
        };
        Ok(row)
    }

    /// Returns the rival of a row, if it has one.
    fn rival(&mut self, row: &ParsedRow) -> Option<Rival> {
        let (rival, scanned) = self.find_rival(row);
        self.spend(scanned);
        rival
    }

    /// Returns the rival of a row, if it has one, and the number of bytes that were read for it.
    fn find_rival(&self, row: &ParsedRow) -> (Option<Rival>, usize) {
        let text = &self.buffer[self.start..self.start + row.length];
        let next_line = |at: usize| at + first_line(&text[at..], true).unwrap_or_default();
        let mut first = None;
        let (mut at, mut lines, mut spent) = (next_line(0), 1, 0);
        while at < row.length {
            let here = Rival { length: at, lines };
            // The row that begins here may end after this one.
            let found = self.complete_row(&self.buffer[self.start + at..]);
            let scanned = found.as_ref().map_or_else(|scanned| *scanned, |found| found.length);
            if let Ok(found) = &found {
                let end = Rival { length: at + found.length, lines: lines + found.lines };
                // A doubtful one may be the rest of this row.
                first = first.or((!found.is_doubtful).then_some(here));
                if end.length >= row.length {
                    return (Some(first.unwrap_or(end)), spent + scanned);
                }
            }
            spent += scanned;
            if spent > self.budget {
                return (Some(here), spent);
            }
            (at, lines) = match found {
                Ok(found) => (at + found.length, lines + found.lines),
                Err(_) => (next_line(at), lines + 1),
            };
        }
        (None, spent)
    }

    /// Returns the row of the expected width at the start of `text`, or the number of bytes that tell that there is none.
    fn complete_row(&self, text: &[u8]) -> Result<ParsedRow, usize> {
        match parse_row(text, self.delimiter, true) {
            Parsed::Row(row) if row.cells.len() == self.width && self.width > 1 && row.bare_quotes == 0 => {
                Ok(row)
            }
            Parsed::Row(row) => Err(row.length),
            Parsed::Broken { scanned, .. } => Err(scanned),
            Parsed::Incomplete => Err(text.len()),
        }
    }
}

/// Another reading of the lines of a row.
#[derive(Debug, Clone, Copy)]
struct Rival {
    /// Length in bytes, and number, of the lines that are rejected if the row is wrong: those before the first later line
    /// that is a complete row and not doubtful, else all lines of both.
    length: usize,
    lines: u64,
}

/// Returns whether the first quotation mark without its double is followed by a delimiter or the end of a line, like one that
/// closes a cell. Returns `None` if there is no such mark.
fn closes_first(text: &[u8], delimiter: u8) -> Option<bool> {
    let mut at = 0;
    while let Some(before) = text[at..].iter().position(|byte| *byte == b'"') {
        let run = text[at + before..].iter().take_while(|byte| **byte == b'"').count();
        at += before + run;
        if run % 2 == 1 {
            let ends = |byte: &u8| *byte == delimiter || matches!(byte, b'\n' | b'\r');
            return Some(text.get(at).is_none_or(ends));
        }
    }
    None
}

fn is_blank(cells: &ByteRecord) -> bool {
    cells.iter().all(|cell| cell.trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the line and the cells of each row, and true if it has no fault.
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
    fn the_time_is_linear_whatever_the_quotation_marks() {
        for line in ["ay,\nfired</p>\",Teapots,\"new,", "a,\"b\n", "\"\"\",\n", "\n\",\"", "x,\"\n,\"y\n"] {
            let text = format!("a,b,c\n1,2,\"{}", line.repeat(2 * MAX_LINE_BYTES / line.len()));
            let lines = text.lines().count() as u64;
            let mut rows = RowSplitter::new(Box::new(io::Cursor::new(text.into_bytes())), b',', 1);
            rows.expect_width(3);
            let mut next = 1;
            while let Some(row) = rows.next_row().unwrap() {
                assert!(row.line >= next, "{line:?}: no line is in two rows");
                next = row.line + 1;
            }
            assert!(rows.line >= lines, "{line:?}: no line is left out: {} of {lines}", rows.line);
        }
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
