//! Rejects rows whose neighbours show that they are incomplete.
//!
//! A line break that is not quoted cuts a row in two. A cut inside the row leaves two short rows, which are rejected anyway. A cut
//! in its last cell leaves a row of the right width and a line with the rest; a cut in its first cell leaves a line with the
//! start and a row of the right width. Hence:
//!
//! 1. A row is rejected if the next line, or the next after short rows, is one cell or closes a quotation mark that was never
//!    opened.
//! 2. A row is rejected if one cell is between it and a complete row before it.

use std::collections::VecDeque;
use std::io;

use super::row_splitter::{Part, RawRow, RowSplitter};
use super::spool::SpoolRows;

/// Number of short rows that are held back to see how they end.
const MAX_SHORT_ROWS: usize = 1_000;

/// Reads rows, each with the knowledge of the next ones.
pub(crate) struct Rows {
    source: RowSource,
    /// A complete row and the short rows after it.
    held: VecDeque<RawRow>,
    decided: VecDeque<RawRow>,
    /// The kind of row before the next one.
    before: Before,
}

enum RowSource {
    Text(RowSplitter),
    Spool(SpoolRows),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// A complete row, or the names of the columns.
    Row,
    /// A complete row, then one cell.
    RowAndCell,
    Fault,
}

impl Rows {
    /// Reads the rows after the one that names the columns.
    pub(crate) fn new(splitter: RowSplitter) -> Self {
        Self::of(RowSource::Text(splitter))
    }

    /// Reads the rows of a spool.
    pub(super) fn of_spool(rows: SpoolRows) -> Self {
        Self::of(RowSource::Spool(rows))
    }

    fn of(source: RowSource) -> Self {
        Self { source, held: VecDeque::new(), decided: VecDeque::new(), before: Before::Row }
    }

    /// Returns the next row that has a cell with text, or `None` at the end.
    ///
    /// # Errors
    /// If the rest of the file cannot be read.
    pub(crate) fn next_row(&mut self) -> io::Result<Option<RawRow>> {
        loop {
            if let Some(row) = self.decided.pop_front() {
                return Ok(Some(row));
            }
            let row = match &mut self.source {
                RowSource::Text(splitter) => splitter.next_row()?,
                RowSource::Spool(rows) => rows.next_row()?,
            };
            match row {
                Some(row) => self.add(row),
                None => return Ok(self.held.pop_front()),
            }
        }
    }

    fn add(&mut self, mut row: RawRow) {
        match row.part {
            Part::Short if !self.held.is_empty() && self.held.len() <= MAX_SHORT_ROWS => {
                self.held.push_back(row);
                return;
            }
            Part::Row if self.before == Before::RowAndCell => {
                self.before = Before::Fault;
                row.fault = Some(
                    "may lack its start, which may be the line above; quote cells that contain line breaks"
                        .to_owned(),
                );
            }
            Part::Row => {
                self.before = Before::Row;
                self.decided.append(&mut self.held);
                self.held.push_back(row);
                return;
            }
            Part::Cell | Part::Closing | Part::Doubtful => {
                if let Some(cut) = self.held.front_mut() {
                    cut.fault = Some(format!(
                        "may lack its end, which may be line {}; quote cells that contain line breaks",
                        row.line
                    ));
                }
                self.before = match (self.before, row.part) {
                    (Before::Row, Part::Cell) => Before::RowAndCell,
                    (before, Part::Cell) => before,
                    (_, Part::Doubtful) => Before::Row,
                    _ => Before::Fault,
                };
            }
            Part::Short | Part::Fault => self.before = Before::Fault,
        }
        self.decided.append(&mut self.held);
        self.decided.push_back(row);
    }
}
