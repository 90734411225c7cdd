//! The file that rejected products go to, each with what is wrong, in the format of the file they came from. It can
//! be corrected and imported again.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use domain::{Fault, FaultKind};
use serde::Serialize;
use serde_json::value::RawValue;

use super::csv_rows::OWN_COLUMNS;
use super::source::Original;
use crate::cli::Format;
use crate::failure::{Context as _, Failure};

/// Chooses the names of the rejects files of one import.
pub(super) struct RejectsNames {
    folder: PathBuf,
    given: Option<PathBuf>,
    taken: HashSet<PathBuf>,
}

impl RejectsNames {
    pub(super) fn new(folder: PathBuf, given: Option<PathBuf>) -> Self {
        Self { folder, given, taken: HashSet::new() }
    }

    /// `NAME.rejects.ndjson`; `NAME-2.rejects.ndjson` for a second file of the same name.
    pub(super) fn next(&mut self, stem: &str, format: Format) -> PathBuf {
        if let Some(given) = &self.given {
            return given.clone();
        }
        let ending = match format {
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
        };
        let mut path = self.folder.join(format!("{stem}.rejects.{ending}"));
        let mut number = 2;
        while !self.taken.insert(path.clone()) {
            path = self.folder.join(format!("{stem}-{number}.rejects.{ending}"));
            number += 1;
        }
        path
    }
}

/// The rejects of one file. The file is made with the first of them.
pub(super) struct Rejects {
    source: String,
    path: PathBuf,
    header: Option<ByteRecord>,
    output: Option<Output>,
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
    pub(super) fn new(source: &str, path: PathBuf, header: Option<&ByteRecord>) -> Self {
        Self { source: source.to_owned(), path, header: header.cloned(), output: None }
    }

    /// Where they are, when there are any.
    pub(super) fn path(&self) -> Option<&Path> {
        self.output.as_ref().map(|_| self.path.as_path())
    }

    pub(super) fn write(&mut self, line: u64, original: &Original, faults: &[Fault]) -> Result<(), Failure> {
        let writing = || format!("writing rejected products to {}", self.path.display());
        let output = match &mut self.output {
            Some(output) => output,
            closed => {
                let file = File::create(&self.path).context(writing)?;
                closed.insert(match &self.header {
                    None => Output::Ndjson(BufWriter::new(file)),
                    Some(header) => {
                        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
                        let own = ["noren.line", "noren.faults"].map(str::as_bytes);
                        let columns = data_columns(header).map(|at| &header[at]);
                        writer.write_record(columns.chain(own)).context(writing)?;
                        Output::Csv(Box::new(writer))
                    }
                })
            }
        };
        match (output, original) {
            (Output::Ndjson(output), Original::Text(text)) => {
                let input = as_json(text).context(writing)?;
                let reject = RejectJson { file: &self.source, line, faults, input: &input };
                serde_json::to_writer(&mut *output, &reject).context(writing)?;
                output.write_all(b"\n").context(writing)
            }
            (Output::Csv(output), Original::Row(row)) => {
                let header = self.header.as_ref();
                let cells = header.into_iter().flat_map(|header| {
                    // Of a row with too many cells, all are kept.
                    data_columns(header).chain(header.len()..row.len().max(header.len()))
                });
                let cells = cells.map(|at| row.get(at).unwrap_or_default());
                let faults = faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ");
                let line = line.to_string();
                let own = [line.as_bytes(), faults.as_bytes()];
                output.write_record(cells.chain(own)).context(writing)
            }
            // A source gives one kind of original only, and the header decides which.
            _ => Err(Failure::new(writing())),
        }
    }

    /// Writes everything out; the path, when there were any.
    pub(super) fn finish(mut self) -> Result<Option<PathBuf>, Failure> {
        let path = self.path().map(Path::to_owned);
        let writing = || format!("writing rejected products to {}", self.path.display());
        match &mut self.output {
            None => {}
            Some(Output::Ndjson(output)) => output.flush().context(writing)?,
            Some(Output::Csv(output)) => output.flush().context(writing)?,
        }
        Ok(path)
    }
}

/// The columns that are not of an earlier rejects file.
fn data_columns(header: &ByteRecord) -> impl Iterator<Item = usize> + '_ {
    (0..header.len()).filter(|at| !header[*at].to_ascii_lowercase().starts_with(OWN_COLUMNS.as_bytes()))
}

/// The line as it is when it is JSON, else as a JSON text.
fn as_json(text: &[u8]) -> serde_json::Result<Box<RawValue>> {
    match serde_json::from_slice::<Box<RawValue>>(text) {
        Ok(json) => Ok(json),
        Err(_) => serde_json::value::to_raw_value(&String::from_utf8_lossy(text)),
    }
}

/// A fault as a person reads it: what is wrong, and what to do where the message does not say it.
pub(super) fn describe(fault: &Fault) -> String {
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
