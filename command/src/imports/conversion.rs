//! Converts an upload to NDJSON, by the crate that reads files for the command line, so that both import the same.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use domain::{Currency, Language, WriteMode};
use feeds::{FeedError, FeedReader, FeedRecord, IdOrigin, Preparer, Rejected, Rules, Scratch, TableOptions};

use super::file_options::FileOptions;
use super::mapping_report::mapping_report;
use super::spool::{JobFolder, check_room};
use crate::converted_record::ConvertedRecord;

/// The name of an upload in messages.
pub(super) const FILE_NAME: &str = "the file";
/// Bytes after which the space on the disk is checked again.
const BYTES_BETWEEN_CHECKS: u64 = 8 * 1024 * 1024;

/// The catalogue that a file is converted for, and the limits of the conversion.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) currency: Currency,
    pub(super) language: Language,
    /// Size limit of the converted file, and of all temporary files.
    pub(super) max_bytes: u64,
}

/// A converted file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Converted {
    pub(super) bytes: u64,
    pub(super) mode: WriteMode,
}

/// The reason why a file was not converted.
#[derive(Debug)]
pub(super) enum NotConverted {
    /// The conversion was asked to stop.
    Stopped,
    /// The file cannot be imported.
    Refused(String),
}

impl From<FeedError> for NotConverted {
    fn from(error: FeedError) -> Self {
        Self::Refused(with_cause(&error))
    }
}

impl From<io::Error> for NotConverted {
    fn from(error: io::Error) -> Self {
        Self::Refused(format!("the converted file cannot be written: {error}"))
    }
}

/// Returns an error with its causes.
pub(super) fn with_cause(error: &FeedError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Writes the lines and the mapping of a job from its upload. After a crash, the conversion is repeated from the start. Blocks.
///
/// # Errors
/// If the file cannot be imported, or `is_stopped` returns true.
pub(super) fn convert(
    folder: &JobFolder,
    options: &FileOptions,
    target: Target,
    is_stopped: impl Fn() -> bool,
) -> Result<Converted, NotConverted> {
    let mut reader = open(folder, options, target)?;
    let rules = Rules { currency: None, check: Some(target.currency), mode: reader.mode() };
    let mut output = Output::new(folder, target.max_bytes)?;
    let mut preparer = Preparer::new(rules);
    while let Some(mut record) = reader.next_record()? {
        feeds::unwrap_reject(&mut record);
        match preparer.prepare(&record) {
            Ok(prepared) => output.product(&record, prepared.json.as_deref(), prepared.origin)?,
            Err(rejected) => output.rejected(&record, rejected)?,
        }
        if is_stopped() {
            return Err(NotConverted::Stopped);
        }
    }
    let report = mapping_report(reader.report().or_else(|| preparer.report()), reader.notes());
    folder.save_mapping(&report)?;
    Ok(Converted { bytes: output.finish(folder)?, mode: rules.mode })
}

fn open(folder: &JobFolder, options: &FileOptions, target: Target) -> Result<FeedReader, NotConverted> {
    let file = folder.upload()?;
    let disk = folder.path().to_owned();
    let mut table = TableOptions::default();
    table.language = Some(target.language);
    table.currency = Some(target.currency);
    table.mark = options.decimal;
    table.mode = options.mode;
    table.scratch = Scratch::in_folder(disk.clone(), target.max_bytes, move |bytes| check_room(&disk, bytes));
    if let Some(name) = &options.encoding {
        table.set_encoding(name).map_err(NotConverted::Refused)?;
    }
    for (column, field) in &options.map {
        table.map_column(column, field);
    }
    Ok(FeedReader::of_file(file, Path::new(FILE_NAME), options.format, &table)?)
}

/// The file of lines.
struct Output {
    file: BufWriter<File>,
    folder: PathBuf,
    bytes: u64,
    checked: u64,
    max_bytes: u64,
}

impl Output {
    fn new(folder: &JobFolder, max_bytes: u64) -> io::Result<Self> {
        let file = BufWriter::new(folder.create_lines()?);
        Ok(Self { file, folder: folder.path().to_owned(), bytes: 0, checked: 0, max_bytes })
    }

    /// Writes a product; `json` is `None` if the record's own JSON is the product.
    fn product(
        &mut self,
        record: &FeedRecord,
        json: Option<&[u8]>,
        origin: IdOrigin,
    ) -> Result<(), NotConverted> {
        let json = json.or_else(|| record.json().ok()).unwrap_or_default();
        let product = serde_json::from_slice(json).map_err(io::Error::from)?;
        self.write(&ConvertedRecord {
            line: record.line,
            product: Some(product),
            id: None,
            sku: None,
            origin,
            faults: Vec::new(),
        })
    }

    fn rejected(&mut self, record: &FeedRecord, rejected: Rejected) -> Result<(), NotConverted> {
        let Rejected { id, sku, origin, faults } = rejected;
        let (line, id, sku) = (record.line, id.map(Into::into), sku.map(Into::into));
        self.write(&ConvertedRecord { line, product: None, id, sku, origin, faults })
    }

    fn write(&mut self, record: &ConvertedRecord<'_>) -> Result<(), NotConverted> {
        let mut line = serde_json::to_vec(record).map_err(io::Error::from)?;
        line.push(b'\n');
        self.bytes += line.len() as u64;
        if self.bytes > self.max_bytes {
            let megabytes = self.max_bytes >> 20;
            let message = format!("{FILE_NAME} has more than {megabytes} MB of products; send it in parts");
            return Err(NotConverted::Refused(message));
        }
        if self.bytes > self.checked {
            check_room(&self.folder, BYTES_BETWEEN_CHECKS)?;
            self.checked = self.bytes + BYTES_BETWEEN_CHECKS;
        }
        Ok(self.file.write_all(&line)?)
    }

    /// Makes the lines durable. Returns their length.
    fn finish(self, folder: &JobFolder) -> io::Result<u64> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        folder.rename_lines()?;
        Ok(self.bytes)
    }
}
