//! Reading files of products: gzip and format are found out, and each product becomes one line of JSON with the
//! number of the line it began at.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{Fault, FaultKind};
use flate2::bufread::MultiGzDecoder;

use super::csv_rows::CsvRows;
use crate::cli::Format;
use crate::failure::{Context as _, Failure};

/// The most bytes that a line may have: five times the largest product.
pub(super) const MAX_LINE_BYTES: usize = 1024 * 1024;

/// One product of a file, not looked into yet.
#[derive(Debug)]
pub(super) struct Line {
    /// Where it begins in the file, from 1.
    pub(super) number: u64,
    /// It as it stands in the file, for the rejects: a line of NDJSON, or the cells of a row.
    pub(super) original: Original,
    /// It as a JSON object, unless it is the original itself; or why it cannot be one.
    pub(super) json: Result<Option<Vec<u8>>, Fault>,
}

/// How a product stands in its file.
#[derive(Debug)]
pub(super) enum Original {
    /// A line, without its end.
    Text(Vec<u8>),
    /// The cells of a row.
    Row(csv::ByteRecord),
}

impl Line {
    /// The JSON of the product, where it has one.
    pub(super) fn json(&self) -> Result<&[u8], &Fault> {
        match (&self.json, &self.original) {
            (Ok(Some(json)), _) => Ok(json),
            (Ok(None), Original::Text(text)) => Ok(text),
            (Ok(None), Original::Row(_)) => Ok(b""),
            (Err(fault), _) => Err(fault),
        }
    }
}

/// An open file of products.
pub(super) struct Source {
    /// The name to show.
    pub(super) name: String,
    /// The name that its rejects are called by, without endings.
    pub(super) stem: String,
    read: Arc<AtomicU64>,
    lines: Lines,
}

enum Lines {
    Ndjson(NdjsonLines),
    Csv(Box<CsvRows>),
}

impl Source {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be opened, or is no file of products.
    pub(super) fn open(path: &Path, format: Option<Format>) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Self::of(Box::new(io::stdin()), Path::new("stdin"), format);
        }
        let opening = || format!("opening {}", path.display());
        let file = File::open(path).context(opening)?;
        if file.metadata().context(opening)?.is_dir() {
            return Err(Failure::new(format!("{} is a folder; name the files in it", path.display())));
        }
        Self::of(Box::new(file), path, format)
    }

    fn of(input: Box<dyn Read + Send>, path: &Path, format: Option<Format>) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let reading = || format!("reading {name}");
        let read = Arc::new(AtomicU64::new(0));
        let counted = Counted { input, read: Arc::clone(&read) };
        let mut input: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(128 * 1024, counted));
        if input.fill_buf().context(reading)?.starts_with(&[0x1f, 0x8b]) {
            input = Box::new(BufReader::with_capacity(128 * 1024, MultiGzDecoder::new(input)));
        }
        if input.fill_buf().context(reading)?.starts_with("\u{feff}".as_bytes()) {
            input.consume("\u{feff}".len());
        }
        let (stem, named_format) = stem_and_format(path);
        let first =
            input.fill_buf().context(reading)?.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        let format = format.or(named_format).unwrap_or(match first {
            Some(b'{' | b'[') => Format::Ndjson,
            _ => Format::Csv,
        });
        let lines = match format {
            Format::Ndjson if first == Some(b'[') => {
                let message = "is one JSON list; write one product a line, for example with `jq -c '.[]'`";
                return Err(Failure::new(format!("{name} {message}")));
            }
            Format::Ndjson => Lines::Ndjson(NdjsonLines { input, number: 0 }),
            Format::Csv => Lines::Csv(Box::new(CsvRows::new(input, &name)?)),
        };
        Ok(Self { name, stem, read, lines })
    }

    /// How the file is written.
    pub(super) fn format(&self) -> Format {
        match self.lines {
            Lines::Ndjson(_) => Format::Ndjson,
            Lines::Csv(_) => Format::Csv,
        }
    }

    /// The first row of a CSV file.
    pub(super) fn header(&self) -> Option<&csv::ByteRecord> {
        match &self.lines {
            Lines::Csv(rows) => Some(rows.header()),
            Lines::Ndjson(_) => None,
        }
    }

    /// Bytes of the file that were read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The next product, none at the end.
    ///
    /// # Errors
    /// When the file cannot be read on. A product that is at fault is a line with a fault, not an error.
    pub(super) fn next_line(&mut self) -> Result<Option<Line>, Failure> {
        match &mut self.lines {
            Lines::Ndjson(lines) => lines.next_line().context(|| format!("reading {}", self.name)),
            Lines::Csv(rows) => rows.next_row(&self.name),
        }
    }
}

/// `shop/tea.ndjson.gz` is `tea`, and NDJSON.
fn stem_and_format(path: &Path) -> (String, Option<Format>) {
    let ending = |path: &Path| path.extension().map(|end| end.to_ascii_lowercase()).unwrap_or_default();
    let mut path = PathBuf::from(path.file_name().unwrap_or(path.as_os_str()));
    if ending(&path) == "gz" {
        path.set_extension("");
    }
    let format = match ending(&path).to_str() {
        Some("ndjson" | "jsonl" | "json") => Some(Format::Ndjson),
        Some("csv" | "tsv") => Some(Format::Csv),
        _ => None,
    };
    if format.is_some() {
        path.set_extension("");
    }
    (path.display().to_string(), format)
}

struct NdjsonLines {
    input: Box<dyn BufRead + Send>,
    number: u64,
}

impl NdjsonLines {
    fn next_line(&mut self) -> io::Result<Option<Line>> {
        loop {
            let mut text = Vec::with_capacity(1024);
            self.number += 1;
            let read = (&mut self.input).take(MAX_LINE_BYTES as u64 + 2).read_until(b'\n', &mut text)?;
            if read == 0 {
                return Ok(None);
            }
            let is_whole = text.ends_with(b"\n");
            text.truncate(text.trim_ascii_end().len());
            // What fits after trimming may still be the beginning of something longer.
            if text.len() > MAX_LINE_BYTES || (!is_whole && read > MAX_LINE_BYTES) {
                if !is_whole {
                    self.input.skip_until(b'\n')?;
                }
                text = Vec::new();
                let message = format!("has more than {MAX_LINE_BYTES} bytes; a product has at most 204800");
                let fault = Fault::new("", FaultKind::OutOfRange, message);
                return Ok(Some(Line {
                    number: self.number,
                    original: Original::Text(text),
                    json: Err(fault),
                }));
            }
            if !text.trim_ascii_start().is_empty() {
                return Ok(Some(Line {
                    number: self.number,
                    original: Original::Text(text),
                    json: Ok(None),
                }));
            }
        }
    }
}

/// Counts the bytes that come out of a file.
struct Counted {
    input: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn source(name: &str, content: &[u8]) -> Result<Source, Failure> {
        Source::of(Box::new(io::Cursor::new(content.to_vec())), Path::new(name), None)
    }

    fn lines(mut source: Source) -> Vec<(u64, Result<String, String>)> {
        let mut lines = Vec::new();
        while let Some(line) = source.next_line().unwrap() {
            let json = line.json().map(|json| String::from_utf8(json.to_vec()).unwrap());
            lines.push((line.number, json.map_err(|fault| fault.message.clone())));
        }
        lines
    }

    #[test]
    fn lines_keep_their_numbers() {
        let found = lines(source("a", b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{\"b\":2}").unwrap());
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
        assert_eq!(lines(source("a", &bytes).unwrap()).len(), 2);
    }

    #[test]
    fn a_line_that_is_too_long_is_a_fault_of_that_line_only() {
        let fits = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_LINE_BYTES - 8));
        assert_eq!(fits.len(), MAX_LINE_BYTES);
        let text = format!("{fits}\n{fits}x\n{}\n{{}}\n", "y".repeat(3 * MAX_LINE_BYTES));
        let found = lines(source("a.ndjson", text.as_bytes()).unwrap());
        let shapes: Vec<(u64, bool)> = found.iter().map(|(number, json)| (*number, json.is_ok())).collect();
        assert_eq!(shapes, [(1, true), (2, false), (3, false), (4, true)]);
    }

    #[test]
    fn the_format_comes_from_the_name_or_the_content() {
        assert_eq!(source("a.CSV.gz", b"{x,name\n").unwrap().format(), Format::Csv);
        assert_eq!(source("a.txt", b" {}").unwrap().format(), Format::Ndjson);
        assert_eq!(source("a.txt", b"name;price\n").unwrap().format(), Format::Csv);
        let failure = source("a.json", b"[{}]").err().unwrap();
        assert!(failure.to_string().contains("jq -c"), "{failure}");
        assert_eq!(stem_and_format(Path::new("x/tea.old.jsonl.gz")).0, "tea.old");
        assert_eq!(stem_and_format(Path::new("x/tea.txt")), ("tea.txt".to_owned(), None));
    }
}
