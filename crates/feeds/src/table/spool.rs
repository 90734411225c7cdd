//! The rows of a file that is no text table, such as XML or a spreadsheet, in a temporary file that can be read twice.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use csv::ByteRecord;

use super::row_splitter::{Part, RawRow};
use crate::containers::{Scratch, ScratchFile};
use crate::counted::Counted;
use crate::record::MAX_LINE_BYTES;

/// Maximum number of columns.
pub(super) const MAX_COLUMNS: usize = 2_000;

/// Rows with the names of their columns.
#[derive(Debug)]
pub(crate) struct Spool {
    file: File,
    pub(super) header: ByteRecord,
    /// The sheet of a spreadsheet.
    pub(super) sheet: Option<String>,
    /// Warnings about what is not read.
    pub(super) warnings: Vec<String>,
}

/// Writes the rows of a spool. Columns may be added until the end.
pub(super) struct SpoolWriter {
    output: BufWriter<ScratchFile>,
}

impl SpoolWriter {
    pub(super) fn new(scratch: &Scratch) -> io::Result<Self> {
        Ok(Self { output: BufWriter::new(scratch.file()?) })
    }

    /// Adds the row that begins in a line, as columns with their texts. A row over the size limit is a row with a fault.
    pub(super) fn add(&mut self, line: u64, cells: &[(usize, String)]) -> io::Result<()> {
        let length: usize = cells.iter().map(|(_, text)| text.len()).sum();
        if length > MAX_LINE_BYTES {
            let fault = format!("has more than {MAX_LINE_BYTES} bytes; a product has at most 204800");
            return self.add_row(line, &fault, &[]);
        }
        self.add_row(line, "", cells)
    }

    /// Adds a row with a fault.
    pub(super) fn add_faulty(&mut self, line: u64, fault: &str, cells: &[(usize, String)]) -> io::Result<()> {
        let length: usize = cells.iter().map(|(_, text)| text.len()).sum();
        self.add_row(line, fault, if length > MAX_LINE_BYTES { &[] } else { cells })
    }

    /// Writes a row. An empty fault means none.
    fn add_row(&mut self, line: u64, fault: &str, cells: &[(usize, String)]) -> io::Result<()> {
        self.output.write_all(&line.to_le_bytes())?;
        self.text(fault)?;
        self.number(cells.len())?;
        for (column, text) in cells {
            self.number(*column)?;
            self.text(text)?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.number(text.len())?;
        self.output.write_all(text.as_bytes())
    }

    fn number(&mut self, number: usize) -> io::Result<()> {
        self.output.write_all(&(number as u64).to_le_bytes())
    }

    /// Ends the spool.
    pub(super) fn finish(self, header: &[String]) -> io::Result<Spool> {
        let file = self.output.into_inner().map_err(io::IntoInnerError::into_error)?.into_file();
        let header = header.iter().map(String::as_str).collect::<Vec<_>>().into();
        Ok(Spool { file, header, sheet: None, warnings: Vec::new() })
    }
}

impl Spool {
    /// Reads from the first row. An earlier reading must have ended.
    pub(super) fn rows(&self, bytes_read: Arc<AtomicU64>) -> io::Result<SpoolRows> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        let counted = Counted { input: Box::new(file), bytes_read };
        Ok(SpoolRows { input: BufReader::new(counted), width: self.header.len() })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

/// Reads the rows of a spool.
pub(super) struct SpoolRows {
    input: BufReader<Counted>,
    width: usize,
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
        let fault = String::from_utf8_lossy(&self.text()?).into_owned();
        let count = self.number()?;
        let mut cells = vec![Vec::new(); self.width];
        for _ in 0..count {
            let (column, text) = (self.number()?, self.text()?);
            if let Some(cell) = cells.get_mut(column) {
                *cell = text;
            }
        }
        let (fault, part) = match fault.is_empty() {
            true => (None, Part::Row),
            false => (Some(fault), Part::Fault),
        };
        Ok(Some(RawRow { line, cells: cells.iter().collect(), fault, part }))
    }

    fn text(&mut self) -> io::Result<Vec<u8>> {
        let mut text = vec![0; self.number()?];
        self.input.read_exact(&mut text)?;
        Ok(text)
    }

    fn number(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 8];
        self.input.read_exact(&mut bytes)?;
        usize::try_from(u64::from_le_bytes(bytes)).map_err(io::Error::other)
    }
}
