//! The rows of a file that is no text table, such as XML or a spreadsheet, in a temporary file that can be read twice.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::ByteRecord;

use super::row_splitter::{Part, RawRow};
use crate::record::MAX_LINE_BYTES;

/// Maximum number of columns.
pub(super) const MAX_COLUMNS: usize = 2_000;

/// Rows with the names of their columns.
#[derive(Debug)]
pub(crate) struct Spool {
    file: File,
    pub(super) header: ByteRecord,
}

/// Writes the rows of a spool. Columns may be added until the end.
pub(super) struct SpoolWriter {
    output: BufWriter<File>,
}

impl SpoolWriter {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { output: BufWriter::new(tempfile::tempfile()?) })
    }

    /// Adds the row that begins in a line, as columns with their texts. A row over the size limit is a row with a fault.
    pub(super) fn add(&mut self, line: u64, cells: &[(usize, String)]) -> io::Result<()> {
        let length: usize = cells.iter().map(|(_, text)| text.len()).sum();
        let cells = if length > MAX_LINE_BYTES { None } else { Some(cells) };
        self.output.write_all(&line.to_le_bytes())?;
        self.number(cells.map_or(usize::MAX, <[_]>::len))?;
        for (column, text) in cells.into_iter().flatten() {
            self.number(*column)?;
            self.number(text.len())?;
            self.output.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    fn number(&mut self, number: usize) -> io::Result<()> {
        self.output.write_all(&(number as u64).to_le_bytes())
    }

    /// Ends the spool.
    pub(super) fn finish(self, header: &[String]) -> io::Result<Spool> {
        let file = self.output.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Spool { file, header: header.iter().map(String::as_str).collect::<Vec<_>>().into() })
    }
}

impl Spool {
    /// Reads from the first row. An earlier reading must have ended.
    pub(super) fn rows(&self, bytes_read: Arc<AtomicU64>) -> io::Result<SpoolRows> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(SpoolRows { input: BufReader::new(file), width: self.header.len(), bytes_read })
    }
}

/// Reads the rows of a spool.
pub(super) struct SpoolRows {
    input: BufReader<File>,
    width: usize,
    bytes_read: Arc<AtomicU64>,
}

impl SpoolRows {
    /// Returns the next row, or `None` at the end.
    pub(super) fn next_row(&mut self) -> io::Result<Option<RawRow>> {
        let mut line = [0; 8];
        match self.input.read_exact(&mut line) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let line = u64::from_le_bytes(line);
        let count = self.number()?;
        if count == usize::MAX {
            let fault = format!("has more than {MAX_LINE_BYTES} bytes; a product has at most 204800");
            return Ok(Some(RawRow {
                line,
                cells: ByteRecord::new(),
                fault: Some(fault),
                part: Part::Fault,
            }));
        }
        let mut cells = vec![Vec::new(); self.width];
        for _ in 0..count {
            let (column, length) = (self.number()?, self.number()?);
            let mut text = vec![0; length];
            self.input.read_exact(&mut text)?;
            self.bytes_read.fetch_add(length as u64, Ordering::Relaxed);
            if let Some(cell) = cells.get_mut(column) {
                *cell = text;
            }
        }
        Ok(Some(RawRow { line, cells: cells.iter().collect(), fault: None, part: Part::Row }))
    }

    fn number(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 8];
        self.input.read_exact(&mut bytes)?;
        usize::try_from(u64::from_le_bytes(bytes)).map_err(io::Error::other)
    }
}
