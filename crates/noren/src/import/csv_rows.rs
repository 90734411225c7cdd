//! Rows of a CSV file as JSON objects, one field a column.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::ByteRecord;
use domain::input::{FIELDS, READ_ONLY_FIELDS};
use domain::{Fault, FaultKind};

use super::identity::ARTICLE_NUMBERS;
use super::mapping::{write_field, write_key, write_text};
use super::source::{Line, MAX_LINE_BYTES, Original};
use crate::failure::{Context as _, Failure};

/// What stands between the elements of a list in one cell.
const LIST_SEPARATOR: char = '|';

/// Columns with this beginning were added to a rejects file and are no data.
pub(super) const OWN_COLUMNS: &str = "noren.";

/// The rows of a file.
pub(super) struct CsvRows {
    reader: csv::Reader<Guarded>,
    header: ByteRecord,
    columns: Vec<Column>,
    since_row: Arc<AtomicUsize>,
}

#[derive(Debug, PartialEq)]
enum Column {
    /// A field that holds a text, or whose text is understood later, as prices are.
    Text(String),
    /// A field that holds several texts.
    List(String),
    /// An attribute by its key.
    Attribute(String),
    /// Nothing of ours.
    Skipped,
}

impl Column {
    fn of(name: &str) -> Self {
        let name = name.trim();
        let lower = name.to_ascii_lowercase();
        match lower.as_str() {
            "tags" | "images" | "categories" => Self::List(lower),
            "attributes" | "" => Self::Skipped,
            _ if lower.starts_with(OWN_COLUMNS) => Self::Skipped,
            _ if READ_ONLY_FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name)) => Self::Skipped,
            _ if FIELDS.contains(&lower.as_str()) => Self::Text(lower),
            // Codes stay texts: as numbers they would lose leading zeros.
            "model" => Self::Text(lower),
            _ if ARTICLE_NUMBERS.contains(&lower.as_str()) => Self::Text(lower),
            _ if lower.starts_with("attributes.") => Self::Attribute(name["attributes.".len()..].to_owned()),
            _ => Self::Attribute(name.to_owned()),
        }
    }
}

impl CsvRows {
    pub(super) fn new(mut input: Box<dyn BufRead + Send>, name: &str) -> Result<Self, Failure> {
        let delimiter = delimiter_of(input.fill_buf().context(|| format!("reading {name}"))?);
        let since_row = Arc::new(AtomicUsize::new(0));
        let guarded = Guarded { input, since_row: Arc::clone(&since_row) };
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(guarded);
        let header = reader.byte_headers().context(|| format!("reading the first row of {name}"))?.clone();
        let mut columns = Vec::with_capacity(header.len());
        for cell in &header {
            let cell = std::str::from_utf8(cell).map_err(|_| {
                Failure::new(format!("the first row of {name} is not UTF-8; save the file as UTF-8"))
            })?;
            columns.push(Column::of(cell));
        }
        let is_known = |column: &Column| *column == Column::Text("name".to_owned());
        if !columns.iter().any(is_known) {
            let message = format!(
                "the first row of {name} names no column `name`; it must name the fields: id, name, price, …"
            );
            return Err(Failure::new(message));
        }
        Ok(Self { reader, header, columns, since_row })
    }

    pub(super) fn header(&self) -> &ByteRecord {
        &self.header
    }

    pub(super) fn next_row(&mut self, name: &str) -> Result<Option<Line>, Failure> {
        let mut row = ByteRecord::new();
        self.since_row.store(0, Ordering::Relaxed);
        let line_of = |row: &ByteRecord| row.position().map_or(0, csv::Position::line);
        let json = match self.reader.read_byte_record(&mut row) {
            Ok(false) => return Ok(None),
            Ok(true) => self.json_of(&row),
            Err(error) => match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    let message = format!(
                        "has {len} cells where the first row has {expected_len}; put cells with separators or line \
                         breaks between quotation marks"
                    );
                    Err(Fault::new("", FaultKind::Malformed, message))
                }
                _ => {
                    let line = self.reader.position().line();
                    return Err(Failure::new(format!("reading {name} after line {line}")).because(error));
                }
            },
        };
        Ok(Some(Line { number: line_of(&row), original: Original::Row(row), json: json.map(Some) }))
    }

    /// The row as a JSON object; empty cells are left out.
    fn json_of(&self, row: &ByteRecord) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::with_capacity(row.as_slice().len() * 2 + 64);
        out.push(b'{');
        let mut attributes = vec![b'{'];
        for (column, cell) in self.columns.iter().zip(row) {
            let cell = std::str::from_utf8(cell).map_err(|_| {
                let column = match column {
                    Column::Text(name) | Column::List(name) | Column::Attribute(name) => name.as_str(),
                    Column::Skipped => "",
                };
                Fault::new(column, FaultKind::Malformed, "is not UTF-8; save the file as UTF-8")
            })?;
            let cell = cell.trim();
            match column {
                _ if cell.is_empty() => {}
                Column::Skipped => {}
                Column::Text(field) => {
                    write_key(field, &mut out);
                    write_text(cell, &mut out);
                }
                Column::List(field) => {
                    let elements = cell.split(LIST_SEPARATOR).map(str::trim).filter(|text| !text.is_empty());
                    write_key(field, &mut out);
                    out.push(b'[');
                    for (at, element) in elements.enumerate() {
                        if at > 0 {
                            out.push(b',');
                        }
                        write_text(element, &mut out);
                    }
                    out.push(b']');
                }
                Column::Attribute(key) if is_plain_value(cell) => write_field(key, cell, &mut attributes),
                Column::Attribute(key) => {
                    write_key(key, &mut attributes);
                    write_text(cell, &mut attributes);
                }
            }
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

/// Whether the text of an attribute is a number or a flag: `true`, `false`, or digits that a number keeps exactly.
/// `007` and `1e5` are codes, not numbers.
fn is_plain_value(text: &str) -> bool {
    if text == "true" || text == "false" {
        return true;
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole)
        && fraction.is_none_or(is_digits)
        && (whole == "0" || !whole.starts_with('0'))
        && whole.len() + fraction.map_or(0, str::len) <= 15
}

/// The separator that stands most often in the first line.
fn delimiter_of(beginning: &[u8]) -> u8 {
    let first_line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| first_line.iter().filter(|byte| **byte == separator).count();
    // The last of equals wins, and without any separator it makes no difference.
    [b'\t', b';', b','].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

/// Stops reading when a row does not end: a quotation mark that is never closed would take in the whole file.
struct Guarded {
    input: Box<dyn BufRead + Send>,
    since_row: Arc<AtomicUsize>,
}

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        if self.since_row.fetch_add(count, Ordering::Relaxed) > MAX_LINE_BYTES {
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
        let line = rows.next_row("x.csv").unwrap().unwrap();
        let json = line.json().map(|json| String::from_utf8(json.to_vec()).unwrap());
        (line.number, json.map_err(|fault| fault.message.clone()))
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
        let failure = rows.next_row("x.csv").unwrap_err().to_string();
        assert!(failure.contains("quotation mark"), "{failure}");
    }

    #[test]
    fn only_numbers_that_stay_exact_are_numbers() {
        for number in ["0", "-1", "13.30", "true", "123456789012345"] {
            assert!(is_plain_value(number), "{number}");
            assert!(serde_json::from_str::<serde_json::Value>(number).is_ok());
        }
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "007",
            "1e5",
            "+1",
            "1,5",
            "0.123456789012345",
            "1234567890123456",
            "True",
            "NaN",
        ] {
            assert!(!is_plain_value(text), "{text}");
        }
    }

    #[test]
    fn a_file_without_names_is_refused() {
        let input = Box::new(io::Cursor::new(b"19.90,red\n".to_vec()));
        let failure = CsvRows::new(input, "x.csv").err().unwrap();
        assert!(failure.to_string().contains("no column `name`"));
        assert_eq!(delimiter_of(b"name\tprice\nA;;;;"), b'\t');
    }
}
