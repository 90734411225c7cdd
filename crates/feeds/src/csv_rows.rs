//! Rows of a CSV file as JSON objects, one field per column.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::ByteRecord;
use domain::{Fault, FaultKind};

use crate::columns::{Column, delimiter_of, is_flag_or_number};
use crate::error::FeedError;
use crate::json::{write_field, write_key, write_text};
use crate::record::{FeedRecord, MAX_LINE_BYTES, Original};

/// Separates the elements of a list in one cell.
const LIST_SEPARATOR: char = '|';

/// The rows of a CSV file.
pub(crate) struct CsvRows {
    reader: csv::Reader<Bounded>,
    header: ByteRecord,
    columns: Vec<Column>,
    bytes_of_row: Arc<AtomicUsize>,
}

impl CsvRows {
    /// Reads the first row, which names the fields.
    ///
    /// # Errors
    /// If the row cannot be read or has no column `name`.
    pub(crate) fn new(mut input: Box<dyn BufRead + Send>, name: &str) -> Result<Self, FeedError> {
        let name = || name.to_owned();
        let beginning = input.fill_buf().map_err(|source| FeedError::Read { name: name(), source })?;
        let delimiter = delimiter_of(beginning);
        let bytes_of_row = Arc::new(AtomicUsize::new(0));
        let bounded = Bounded { input, bytes_of_row: Arc::clone(&bytes_of_row) };
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bounded);
        let header =
            reader.byte_headers().map_err(|source| FeedError::ReadHeader { name: name(), source })?;
        let header = header.clone();
        let mut columns = Vec::with_capacity(header.len());
        for cell in &header {
            let cell = std::str::from_utf8(cell).map_err(|_| FeedError::HeaderNotUtf8 { name: name() })?;
            columns.push(Column::of(cell));
        }
        if !columns.contains(&Column::Text("name".to_owned())) {
            return Err(FeedError::NoNameColumn { name: name() });
        }
        Ok(Self { reader, header, columns, bytes_of_row })
    }

    /// Returns the first row.
    pub(crate) fn header(&self) -> &ByteRecord {
        &self.header
    }

    /// Returns the next row, or `None` at the end. A row with a wrong number of cells is a record with a fault.
    ///
    /// # Errors
    /// If the rest of the file cannot be read.
    pub(crate) fn next_row(&mut self, name: &str) -> Result<Option<FeedRecord>, FeedError> {
        let mut row = ByteRecord::new();
        self.bytes_of_row.store(0, Ordering::Relaxed);
        let json = match self.reader.read_byte_record(&mut row) {
            Ok(false) => return Ok(None),
            Ok(true) => self.json_of(&row),
            Err(source) => match source.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    let message = format!(
                        "has {len} cells where the first row has {expected_len}; quote cells that contain delimiters \
                         or line breaks"
                    );
                    Err(Fault::new("", FaultKind::Malformed, message))
                }
                _ => {
                    let line = self.reader.position().line();
                    return Err(FeedError::ReadRow { name: name.to_owned(), line, source });
                }
            },
        };
        let line = row.position().map_or(0, csv::Position::line);
        Ok(Some(FeedRecord { line, original: Original::Row(row), json: json.map(Some) }))
    }

    /// Returns the row as a JSON object without its empty cells.
    fn json_of(&self, row: &ByteRecord) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::with_capacity(row.as_slice().len() * 2 + 64);
        out.push(b'{');
        let mut attributes = vec![b'{'];
        for (column, cell) in self.columns.iter().zip(row) {
            let cell = std::str::from_utf8(cell).map_err(|_| {
                Fault::new(column.name(), FaultKind::Malformed, "is not UTF-8; save the file as UTF-8")
            })?;
            write_cell(column, cell.trim(), &mut out, &mut attributes);
        }
        if attributes.len() > 1 {
            write_key("attributes", &mut out);
            out.append(&mut attributes);
            out.push(b'}');
        }
        out.push(b'}');
        Ok(out)
    }
}

/// Writes a cell as a field to `out`, or as an attribute to `attributes`.
fn write_cell(column: &Column, cell: &str, out: &mut Vec<u8>, attributes: &mut Vec<u8>) {
    match column {
        _ if cell.is_empty() => {}
        Column::Ignored => {}
        Column::Text(field) => {
            write_key(field, out);
            write_text(cell, out);
        }
        Column::List(field) => {
            let elements = cell.split(LIST_SEPARATOR).map(str::trim).filter(|text| !text.is_empty());
            write_key(field, out);
            out.push(b'[');
            for (at, element) in elements.enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_text(element, out);
            }
            out.push(b']');
        }
        Column::Attribute(key) if is_flag_or_number(cell) => write_field(key, cell, attributes),
        Column::Attribute(key) => {
            write_key(key, attributes);
            write_text(cell, attributes);
        }
    }
}

/// Stops reading when a row exceeds the size limit: an unclosed quotation mark would take in the whole file.
struct Bounded {
    input: Box<dyn BufRead + Send>,
    bytes_of_row: Arc<AtomicUsize>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        if self.bytes_of_row.fetch_add(count, Ordering::Relaxed) > MAX_LINE_BYTES {
            let message = "a row is longer than 1 MiB; is a quotation mark not closed?";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> CsvRows {
        CsvRows::new(Box::new(io::Cursor::new(text.as_bytes().to_vec())), "x.csv").unwrap()
    }

    fn json(rows: &mut CsvRows) -> (u64, Result<String, String>) {
        let record = rows.next_row("x.csv").unwrap().unwrap();
        let json = record.json().map(|json| String::from_utf8(json.to_vec()).unwrap());
        (record.line, json.map_err(|fault| fault.message.clone()))
    }

    #[test]
    fn columns_become_fields_attributes_and_lists() {
        let mut rows = rows(
            "ID,Name, price ,TAGS,attributes.Width,colour,ean,createdAt,noren.faults,images\n\
             k1,\"Kettle, \"\"red\"\"\",19.90,hot| tea |,12.5,true,0123,2026,x,https://a.test/1.jpg\n\
             ,,,,007,,,,,\n",
        );
        let expected = r#"{"id":"k1","name":"Kettle, \"red\"","price":"19.90","tags":["hot","tea"],"#
            .to_owned()
            + r#""ean":"0123","images":["https://a.test/1.jpg"],"attributes":{"Width":12.5,"colour":true}}"#;
        assert_eq!(json(&mut rows), (2, Ok(expected)));
        assert_eq!(json(&mut rows), (3, Ok(r#"{"attributes":{"Width":"007"}}"#.to_owned())));
        assert!(rows.next_row("x.csv").unwrap().is_none());
    }

    #[test]
    fn a_row_of_another_length_is_a_fault_and_the_rest_goes_on() {
        let mut rows = rows("name;price\nA;1;2\n\"B\nC\";3\nD;4\n");
        let (line, fault) = json(&mut rows);
        assert_eq!(line, 2);
        assert!(fault.unwrap_err().contains("has 3 cells where the first row has 2"));
        assert_eq!(json(&mut rows).1.unwrap(), r#"{"name":"B\nC","price":"3"}"#);
        assert_eq!(json(&mut rows).0, 5);
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_stops_the_file() {
        let text = format!("name,price\nA,1\n\"B,{}", "2\n".repeat(MAX_LINE_BYTES));
        let mut rows = rows(&text);
        assert_eq!(json(&mut rows).0, 2);
        let error = rows.next_row("x.csv").unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("quotation mark"), "{cause}");
    }

    #[test]
    fn a_file_without_names_is_refused() {
        let input = Box::new(io::Cursor::new(b"19.90,red\n".to_vec()));
        let error = CsvRows::new(input, "x.csv").err().unwrap();
        assert!(error.to_string().contains("no column `name`"));
    }
}
