//! Opens a file of products, unpacks it, detects its format, and reads its records.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::WriteMode;

use crate::containers::{TextInput, Unpacked, is_xml, unpack};
use crate::documents::{DocumentReader, is_document};
use crate::error::FeedError;
use crate::format::{Format, stem_and_format};
use crate::record::FeedRecord;
use crate::table::{Source, TableOptions, TableReader, TableReport, spool_workbook, spool_xml};
use crate::text_encoding::decoded;

/// An open file of products.
pub struct FeedReader {
    name: String,
    stem: String,
    progress: Progress,
    records: Records,
    mode: WriteMode,
}

/// The progress through a file.
struct Progress {
    /// The size of the file, if it is known.
    file_bytes: Option<u64>,
    /// The bytes read of the file, or of what was unpacked from it.
    bytes_read: Arc<AtomicU64>,
    /// The size of what is read.
    bytes: Option<u64>,
}

impl Progress {
    fn of_file(&self) -> u64 {
        let read = self.bytes_read.load(Ordering::Relaxed);
        match (self.file_bytes, self.bytes) {
            (Some(file), Some(bytes)) if bytes > 0 => {
                u64::try_from(u128::from(read) * u128::from(file) / u128::from(bytes)).unwrap_or(file)
            }
            _ => read,
        }
    }
}

enum Records {
    Json(Box<DocumentReader>),
    Table(Box<TableReader>),
}

impl FeedReader {
    /// Opens a file; `-` is standard input. Without `format`, the format follows the file name, else the content. A table is
    /// read once before this returns.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a file of products.
    pub fn open(path: &Path, format: Option<Format>, options: &TableOptions) -> Result<Self, FeedError> {
        if path == Path::new("-") {
            return Self::read(Box::new(io::stdin()), None, Path::new("stdin"), format, options);
        }
        let name = || path.display().to_string();
        let failed = |source| FeedError::Open { name: name(), source };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(FeedError::Folder { name: name() });
        }
        let again = metadata.is_file().then(|| file.try_clone()).transpose().map_err(failed)?;
        Self::read(Box::new(file), again, path, format, options)
    }

    /// Reads a file that is open already and can be read from its start again.
    ///
    /// # Errors
    /// If the file cannot be read or is not a file of products.
    pub fn of_file(
        file: File,
        path: &Path,
        format: Option<Format>,
        options: &TableOptions,
    ) -> Result<Self, FeedError> {
        let failed = |source| FeedError::Open { name: path.display().to_string(), source };
        let again = file.try_clone().map_err(failed)?;
        Self::read(Box::new(file), Some(again), path, format, options)
    }

    /// Reads an input that is open already. `path` names it in messages, and its extension names the format if `format` is
    /// `None`.
    ///
    /// # Errors
    /// If the input cannot be read or is not a file of products.
    pub fn of(
        input: Box<dyn Read + Send>,
        path: &Path,
        format: Option<Format>,
        options: &TableOptions,
    ) -> Result<Self, FeedError> {
        Self::read(input, None, path, format, options)
    }

    /// Reads `input`; `file` is the same input if it can be read again from its start.
    fn read(
        input: Box<dyn Read + Send>,
        file: Option<File>,
        path: &Path,
        format: Option<Format>,
        options: &TableOptions,
    ) -> Result<Self, FeedError> {
        let name = path.display().to_string();
        let failed = |source| FeedError::Read { name: name.clone(), source };
        let file_bytes = file.as_ref().and_then(|file| file.metadata().ok()).map(|metadata| metadata.len());
        let bytes_read = Arc::new(AtomicU64::new(0));
        let (stem, announced) = stem_and_format(path);
        let scratch = options.scratch.for_next_feed();
        let unpacked = unpack(input, file, path, &scratch, &bytes_read)?;
        let table_of = |source: Source| {
            bytes_read.store(0, Ordering::Relaxed);
            let table = TableReader::open(&source, &name, options, Arc::clone(&bytes_read))?;
            Ok::<_, FeedError>((Records::Table(Box::new(table)), source.bytes()))
        };
        let TextInput { mut input, file, is_gzip, path, unpacked_bytes } = match unpacked {
            Unpacked::Text(text) => text,
            Unpacked::Workbook(workbook) => {
                let (records, bytes) = table_of(Source::Rows(spool_workbook(&workbook, &name, &scratch)?))?;
                let progress = Progress { file_bytes, bytes_read, bytes };
                let mode = options.mode.unwrap_or(WriteMode::Merge);
                return Ok(Self { name, stem, progress, records, mode });
            }
        };
        let announced = announced.or_else(|| stem_and_format(&path).1);
        if let Some(encoding) = options.encoding {
            input = decoded(input, encoding);
        }
        let beginning = input.fill_buf().map_err(failed)?;
        let byte_order_mark = "\u{feff}".as_bytes();
        let text = beginning.strip_prefix(byte_order_mark).unwrap_or(beginning);
        let mark_length = beginning.len() - text.len();
        let first = text.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        let format = format.or(announced).unwrap_or(match first {
            Some(b'{' | b'[') => Format::Ndjson,
            _ => Format::Csv,
        });
        let (records, bytes) = match format {
            Format::Ndjson => {
                let is_document = is_document(text);
                input.consume(mark_length);
                let reader = match is_document {
                    true => DocumentReader::document(input, options).map_err(failed)?,
                    false => DocumentReader::lines(input, options),
                };
                (Records::Json(Box::new(reader)), unpacked_bytes)
            }
            Format::Csv => table_of(match file {
                _ if is_xml(text) => {
                    input.consume(mark_length);
                    Source::Rows(spool_xml(input, options.encoding.is_some(), &name, &scratch)?)
                }
                Some(file) => Source::file(file, is_gzip, options.encoding),
                None => Source::copy(input, &scratch, options.encoding).map_err(failed)?,
            })?,
        };
        let usual = match records {
            Records::Table(_) => WriteMode::Merge,
            Records::Json(_) => WriteMode::Replace,
        };
        let progress = Progress { file_bytes, bytes_read, bytes };
        Ok(Self { name, stem, progress, records, mode: options.mode.unwrap_or(usual) })
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
            Records::Json(_) => Format::Ndjson,
            Records::Table(_) => Format::Csv,
        }
    }

    /// Returns how the products are to be written: as the options say, or else tables merge and JSON replaces.
    pub fn mode(&self) -> WriteMode {
        self.mode
    }

    /// Returns the first row of a table, or `None` for JSON.
    pub fn header(&self) -> Option<&csv::ByteRecord> {
        match &self.records {
            Records::Table(table) => Some(table.header()),
            Records::Json(_) => None,
        }
    }

    /// Returns the mapping of the columns of a table, or of the fields of foreign JSON records that were read so far; `None` for JSON in
    /// the form of Noren.
    pub fn report(&self) -> Option<TableReport> {
        match &self.records {
            Records::Table(table) => Some(table.report().clone()),
            Records::Json(documents) => documents.report(),
        }
    }

    /// Returns warnings about the rows read so far.
    pub fn notes(&self) -> Vec<String> {
        match &self.records {
            Records::Table(table) => table.notes(),
            Records::Json(documents) => documents.notes(),
        }
    }

    /// Returns the number of bytes read from the file so far, before decompression. Of an archive, a spreadsheet or an XML feed it is
    /// the part of its size that corresponds to the records read.
    pub fn bytes_read(&self) -> u64 {
        self.progress.of_file()
    }

    /// Returns the next record, or `None` at the end. A malformed record is returned with its faults.
    ///
    /// # Errors
    /// If the rest of the file cannot be read.
    pub fn next_record(&mut self) -> Result<Option<FeedRecord>, FeedError> {
        match &mut self.records {
            Records::Json(documents) => {
                documents.next_record().map_err(|source| FeedError::Read { name: self.name.clone(), source })
            }
            Records::Table(table) => table.next_record(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::MAX_LINE_BYTES;
    use std::io::Write as _;

    fn reader(name: &str, content: &[u8]) -> Result<FeedReader, FeedError> {
        let input = Box::new(io::Cursor::new(content.to_vec()));
        FeedReader::of(input, Path::new(name), None, &TableOptions::default())
    }

    fn records(mut reader: FeedReader) -> Vec<(u64, Result<String, String>)> {
        let mut records = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            let json = record.json().map(|json| String::from_utf8(json.to_vec()).unwrap());
            records.push((record.line, json.map_err(|rejected| rejected.faults[0].message.clone())));
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
        assert_eq!(reader("a.CSV.gz", b"{x,name\na,b\n").unwrap().format(), Format::Csv);
        assert_eq!(reader("a.txt", b" {}").unwrap().format(), Format::Ndjson);
        assert_eq!(reader("a.txt", b"name;price\nA;1\n").unwrap().format(), Format::Csv);
        assert_eq!(records(reader("a.json", b"[{\"a\": 1}, {}]").unwrap()).len(), 2);
    }
}
