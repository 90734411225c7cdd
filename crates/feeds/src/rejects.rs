//! The rejects file: rejected records with their faults, in the format of the source file. It can be corrected and
//! imported again.

use std::borrow::Cow;
use std::collections::HashSet;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use csv::ByteRecord;
use domain::input::RawObject;
use domain::{Fault, FaultKind, MAX_FAULTS};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::columns::{FAULTS_COLUMN, LINE_COLUMN, REJECTS_PREFIX};
use crate::error::FeedError;
use crate::format::Format;
use crate::record::{FeedRecord, Original};

/// Chooses the names of the rejects files of one import.
pub struct RejectsNames {
    folder: PathBuf,
    given: Option<PathBuf>,
    taken: HashSet<PathBuf>,
}

impl RejectsNames {
    /// Uses the given path, or a path in `folder` for each file.
    pub fn new(folder: PathBuf, given: Option<PathBuf>) -> Self {
        Self { folder, given, taken: HashSet::new() }
    }

    /// Returns the given path, or else `STEM.rejects.ndjson`, or `STEM-2.rejects.ndjson` for the second file with that stem.
    pub fn next(&mut self, stem: &str, format: Format) -> PathBuf {
        if let Some(given) = &self.given {
            return given.clone();
        }
        let extension = format.extension();
        let mut path = self.folder.join(format!("{stem}.rejects.{extension}"));
        let mut number = 2;
        while !self.taken.insert(path.clone()) {
            path = self.folder.join(format!("{stem}-{number}.rejects.{extension}"));
            number += 1;
        }
        path
    }
}

/// The rejects of one file. The rejects file is created with the first of them.
pub struct Rejects {
    source: String,
    path: PathBuf,
    header: Option<ByteRecord>,
    output: Option<Output>,
    /// The last rejected JSON record, not yet written. The rejected variants of a record share one line: repeated records would be
    /// duplicates when the corrected file is imported.
    pending: Option<RejectedRecord>,
}

/// A record with the faults of its products.
struct RejectedRecord {
    line: u64,
    text: Bytes,
    faults: Vec<Fault>,
}

enum Output {
    Ndjson(BufWriter<File>),
    Csv(Box<csv::Writer<File>>),
}

#[derive(Serialize)]
struct RejectJson<'a> {
    file: &'a str,
    line: u64,
    faults: &'a [Fault],
    input: &'a RawValue,
}

impl Rejects {
    /// Prepares the rejects file of a source file; `header` is the first row of a CSV file.
    pub fn new(source: &str, path: PathBuf, header: Option<&ByteRecord>) -> Self {
        Self { source: source.to_owned(), path, header: header.cloned(), output: None, pending: None }
    }

    /// Adds a rejected record with its faults. A JSON record is written with the next one, or by [`finish`](Self::finish).
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&mut self, record: &FeedRecord, faults: &[Fault]) -> Result<(), FeedError> {
        self.try_write(record, faults).map_err(|source| self.error(source))
    }

    fn try_write(&mut self, record: &FeedRecord, faults: &[Fault]) -> Result<(), Cause> {
        let output = match &mut self.output {
            Some(output) => output,
            closed => closed.insert(Output::create(&self.path, self.header.as_ref())?),
        };
        match (output, &record.original) {
            (Output::Ndjson(_), Original::Text(text)) => match &mut self.pending {
                Some(pending) if pending.is_from(text) => pending.add(faults),
                _ => {
                    self.write_pending()?;
                    let (line, text, faults) = (record.line, text.clone(), faults.to_vec());
                    self.pending = Some(RejectedRecord { line, text, faults });
                }
            },
            (Output::Csv(output), Original::Row(row)) => {
                let header = self.header.as_ref();
                let columns = header.into_iter().flat_map(|header| {
                    // A row with too many cells keeps all of them.
                    data_columns(header).chain(header.len()..row.len().max(header.len()))
                });
                let cells = columns.map(|at| row.get(at).unwrap_or_default());
                let faults = faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ");
                let line = record.line.to_string();
                output.write_record(cells.chain([line.as_bytes(), faults.as_bytes()]))?;
            }
            // A reader returns one kind of original only, and the header decides which.
            _ => return Err("a record in another format than its file".into()),
        }
        Ok(())
    }

    /// Writes the pending record, if there is one.
    fn write_pending(&mut self) -> Result<(), Cause> {
        let (Some(Output::Ndjson(output)), Some(record)) = (&mut self.output, self.pending.take()) else {
            return Ok(());
        };
        let RejectedRecord { line, text, faults } = record;
        let reject = RejectJson { file: &self.source, line, faults: &faults, input: &as_json(&text)? };
        serde_json::to_writer(&mut *output, &reject)?;
        output.write_all(b"\n")?;
        Ok(())
    }

    /// Flushes the file. Returns its path, or `None` if nothing was rejected.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(mut self) -> Result<Option<PathBuf>, FeedError> {
        self.write_pending().map_err(|source| self.error(source))?;
        let flushed = match &mut self.output {
            None => return Ok(None),
            Some(Output::Ndjson(output)) => output.flush(),
            Some(Output::Csv(output)) => output.flush(),
        };
        match flushed {
            Ok(()) => Ok(Some(self.path)),
            Err(source) => Err(self.error(source.into())),
        }
    }

    fn error(&self, source: Cause) -> FeedError {
        FeedError::WriteRejects { path: self.path.display().to_string(), source }
    }
}

impl RejectedRecord {
    /// Returns true if the original of a product is this record. Equal texts are not enough: a file can have a record twice. `text`
    /// keeps the buffer, so its address is not used again.
    fn is_from(&self, original: &Bytes) -> bool {
        !original.is_empty() && std::ptr::eq(self.text.as_ptr(), original.as_ptr())
    }

    /// Adds faults that the record does not have yet, up to [`MAX_FAULTS`]. Further ones are dropped.
    fn add(&mut self, faults: &[Fault]) {
        for fault in faults {
            if self.faults.len() >= MAX_FAULTS {
                return;
            }
            if !self.faults.contains(fault) {
                self.faults.push(fault.clone());
            }
        }
    }
}

type Cause = Box<dyn Error + Send + Sync>;

impl Output {
    fn create(path: &Path, header: Option<&ByteRecord>) -> Result<Self, Cause> {
        let file = File::create(path)?;
        let Some(header) = header else { return Ok(Self::Ndjson(BufWriter::new(file))) };
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
        let columns = data_columns(header).map(|at| &header[at]);
        writer.write_record(columns.chain([LINE_COLUMN, FAULTS_COLUMN].map(str::as_bytes)))?;
        Ok(Self::Csv(Box::new(writer)))
    }
}

/// Returns the columns that hold data: those that an earlier rejects file added do not.
fn data_columns(header: &ByteRecord) -> impl Iterator<Item = usize> + '_ {
    (0..header.len()).filter(|at| !header[*at].to_ascii_lowercase().starts_with(REJECTS_PREFIX.as_bytes()))
}

/// Returns the line itself if it is JSON, else the line as a JSON string.
fn as_json(text: &[u8]) -> serde_json::Result<Box<RawValue>> {
    match serde_json::from_slice::<Box<RawValue>>(text) {
        Ok(json) => Ok(json),
        Err(_) => serde_json::value::to_raw_value(&String::from_utf8_lossy(text)),
    }
}

/// Formats a fault for people. Adds what to do about it unless the message says so.
pub fn describe_fault(fault: &Fault) -> String {
    let says_what_to_do = fault.message.starts_with("must ") || fault.message.contains(';');
    let advice = match fault.kind {
        _ if says_what_to_do => "",
        FaultKind::Missing => "; give it a value",
        FaultKind::Taken => "; give it another, or correct the other product",
        FaultKind::Unknown => "; leave it out",
        _ => "; correct it",
    };
    format!("{fault}{advice}")
}

/// The fields of a line in a rejects file, in their order.
const REJECT_FIELDS: [&str; 4] = ["file", "line", "faults", "input"];

/// Replaces a record that is a line of a rejects file by the record that was rejected, so that a corrected rejects file
/// can be imported.
pub fn unwrap_reject(record: &mut FeedRecord) {
    if let (Original::Text(text), Ok(None)) = (&record.original, &record.json)
        && let Some(input) = rejected_input(text)
    {
        record.original = Original::Text(input.into_owned().into());
    }
}

fn rejected_input(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !line.starts_with(br#"{"file":"#) {
        return None;
    }
    let object: RawObject<'_> = serde_json::from_slice(line).ok()?;
    if !object.0.iter().map(|(key, _)| key.as_ref()).eq(REJECT_FIELDS) {
        return None;
    }
    let input = object.0.last()?.1.get();
    match input.starts_with('"') {
        true => serde_json::from_str::<String>(input).ok().map(|text| Cow::Owned(text.into_bytes())),
        false => Some(Cow::Borrowed(input.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line_for_all_its_variants() {
        let folder = tempfile::tempdir().unwrap();
        let mut rejects = Rejects::new("f", folder.path().join("f.rejects.ndjson"), None);
        let record = |line, text: &Bytes| {
            let original = Original::Text(text.clone());
            FeedRecord { line, original, json: Ok(None), covered: None }
        };
        let fault = |field: &str| [Fault::new(field, FaultKind::Malformed, "is wrong")];
        let [first, second] = [1, 1].map(|id| Bytes::from(format!(r#"{{"id":{id}}}"#)));
        rejects.write(&record(1, &first), &fault("price")).unwrap();
        rejects.write(&record(1, &first), &fault("price")).unwrap();
        rejects.write(&record(1, &first), &fault("sku")).unwrap();
        rejects.write(&record(1, &second), &fault("price")).unwrap();
        let path = rejects.finish().unwrap().unwrap();
        let lines = std::fs::read_to_string(path).unwrap();
        let fields = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let faults = line["faults"].as_array().unwrap().clone();
            faults.iter().map(|fault| fault["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(lines.lines().map(fields).collect::<Vec<_>>(), [vec!["price", "sku"], vec!["price"]]);
        assert!(lines.lines().all(|line| line.ends_with(r#""input":{"id":1}}"#)), "{lines}");
    }

    #[test]
    fn a_line_of_a_rejects_file_is_unwrapped() {
        let unwrapped = |line: &str| rejected_input(line.as_bytes()).map(|line| line.into_owned());
        assert_eq!(
            unwrapped(r#"{"file":"f","line":1,"faults":[],"input":{"id":"1"}}"#),
            Some(br#"{"id":"1"}"#.to_vec())
        );
        assert_eq!(
            unwrapped(r#"{"file":"f","line":1,"faults":[],"input":"{\"id\""}"#),
            Some(br#"{"id""#.to_vec())
        );
        assert_eq!(unwrapped(r#"{"file":"f","name":"a real product"}"#), None);
    }
}
