//! Opens a file of products, detects gzip and format, and reads its records.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::csv_rows::CsvRows;
use crate::error::FeedError;
use crate::format::{Format, stem_and_format};
use crate::ndjson::NdjsonRecords;
use crate::record::FeedRecord;

const BUFFER_BYTES: usize = 128 * 1024;

/// An open file of products.
pub struct FeedReader {
    name: String,
    stem: String,
    bytes_read: Arc<AtomicU64>,
    records: Records,
}

enum Records {
    Ndjson(NdjsonRecords),
    Csv(Box<CsvRows>),
}

impl FeedReader {
    /// Opens a file; `-` is standard input. Without `format`, the format follows the file name, else the content.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a file of products.
    pub fn open(path: &Path, format: Option<Format>) -> Result<Self, FeedError> {
        if path == Path::new("-") {
            return Self::of(Box::new(io::stdin()), Path::new("stdin"), format);
        }
        let name = || path.display().to_string();
        let failed = |source| FeedError::Open { name: name(), source };
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(FeedError::Folder { name: name() });
        }
        Self::of(Box::new(file), path, format)
    }

    /// Reads a file that is open already. `path` names it in messages, and its extension names the format if `format` is
    /// `None`.
    ///
    /// # Errors
    /// If the input cannot be read or is not a file of products.
    pub fn of(input: Box<dyn Read + Send>, path: &Path, format: Option<Format>) -> Result<Self, FeedError> {
        let name = path.display().to_string();
        let failed = |source| FeedError::Read { name: name.clone(), source };
        let bytes_read = Arc::new(AtomicU64::new(0));
        let counted = Counted { input, bytes_read: Arc::clone(&bytes_read) };
        let mut input: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(BUFFER_BYTES, counted));
        if input.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]) {
            input = Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(input)));
        }
        let byte_order_mark = "\u{feff}".as_bytes();
        if input.fill_buf().map_err(failed)?.starts_with(byte_order_mark) {
            input.consume(byte_order_mark.len());
        }
        let beginning = input.fill_buf().map_err(failed)?;
        let first = beginning.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        let (stem, announced) = stem_and_format(path);
        let format = format.or(announced).unwrap_or(match first {
            Some(b'{' | b'[') => Format::Ndjson,
            _ => Format::Csv,
        });
        let records = match format {
            Format::Ndjson if first == Some(b'[') => return Err(FeedError::JsonArray { name }),
            Format::Ndjson => Records::Ndjson(NdjsonRecords::new(input)),
            Format::Csv => Records::Csv(Box::new(CsvRows::new(input, &name)?)),
        };
        Ok(Self { name, stem, bytes_read, records })
    }

    /// Returns the name to show in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the file name without extensions, from which the name of the rejects file is made.
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// Returns the format of the file.
    pub fn format(&self) -> Format {
        match self.records {
            Records::Ndjson(_) => Format::Ndjson,
            Records::Csv(_) => Format::Csv,
        }
    }

    /// Returns the first row of a CSV file, or `None` for NDJSON.
    pub fn header(&self) -> Option<&csv::ByteRecord> {
        match &self.records {
            Records::Csv(rows) => Some(rows.header()),
            Records::Ndjson(_) => None,
        }
    }

    /// Returns the number of bytes read from the file so far, before decompression.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Returns the next record, or `None` at the end. A malformed record is returned with its fault.
    ///
    /// # Errors
    /// If the rest of the file cannot be read.
    pub fn next_record(&mut self) -> Result<Option<FeedRecord>, FeedError> {
        match &mut self.records {
            Records::Ndjson(records) => {
                records.next_record().map_err(|source| FeedError::Read { name: self.name.clone(), source })
            }
            Records::Csv(rows) => rows.next_row(&self.name),
        }
    }
}

/// Counts the bytes read from a file.
struct Counted {
    input: Box<dyn Read + Send>,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.bytes_read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::MAX_LINE_BYTES;
    use std::io::Write as _;

    fn reader(name: &str, content: &[u8]) -> Result<FeedReader, FeedError> {
        FeedReader::of(Box::new(io::Cursor::new(content.to_vec())), Path::new(name), None)
    }

    fn records(mut reader: FeedReader) -> Vec<(u64, Result<String, String>)> {
        let mut records = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            let json = record.json().map(|json| String::from_utf8(json.to_vec()).unwrap());
            records.push((record.line, json.map_err(|fault| fault.message.clone())));
        }
        records
    }

    #[test]
    fn lines_keep_their_numbers() {
        let found = records(reader("a", b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{\"b\":2}").unwrap());
        assert_eq!(found, [(1, Ok(r#"{"a":1}"#.to_owned())), (4, Ok(r#"{"b":2}"#.to_owned()))]);
    }

    #[test]
    fn gzip_is_found_by_content_also_in_several_members() {
        let mut bytes = Vec::new();
        for text in ["{\"a\":1}\n", "{\"b\":2}\n"] {
            let mut encoder = flate2::write::GzEncoder::new(&mut bytes, flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap();
        }
        assert_eq!(records(reader("a", &bytes).unwrap()).len(), 2);
    }

    #[test]
    fn a_line_that_is_too_long_is_a_fault_of_that_line_only() {
        let fits = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_LINE_BYTES - 8));
        assert_eq!(fits.len(), MAX_LINE_BYTES);
        let text = format!("{fits}\r\n{fits}x\n{}\n{{}}\n", "y".repeat(3 * MAX_LINE_BYTES));
        let found = records(reader("a.ndjson", text.as_bytes()).unwrap());
        let shapes: Vec<(u64, bool)> = found.iter().map(|(number, json)| (*number, json.is_ok())).collect();
        assert_eq!(shapes, [(1, true), (2, false), (3, false), (4, true)]);
    }

    #[test]
    fn the_format_comes_from_the_name_or_the_content() {
        assert_eq!(reader("a.CSV.gz", b"{x,name\n").unwrap().format(), Format::Csv);
        assert_eq!(reader("a.txt", b" {}").unwrap().format(), Format::Ndjson);
        assert_eq!(reader("a.txt", b"name;price\n").unwrap().format(), Format::Csv);
        let error = reader("a.json", b"[{}]").err().unwrap();
        assert!(error.to_string().contains("jq -c"), "{error}");
    }
}
