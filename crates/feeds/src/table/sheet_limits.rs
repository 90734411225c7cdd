//! Checks a spreadsheet before it is opened. Its parser holds the shared texts and the styles in memory, and reserves as much for
//! them as the file declares.
//!
//! Every part of the archive is read once, because any of them can be the one that the workbook names as its sheet.

use std::fs::File;
use std::io::{self, BufReader};
use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error, Reader};

use super::watched::Watched;
use crate::containers::{Inflated, open_archive};
use crate::error::FeedError;

/// The most texts that cells share.
const MAX_STRINGS: u64 = 4_000_000;
/// Size limit in bytes of the part that holds these texts.
const MAX_STRINGS_BYTES: u64 = 256 * 1024 * 1024;
/// Size limit in bytes of a part without cells and shared texts, and of a cell.
const MAX_STRETCH_BYTES: u64 = 32 * 1024 * 1024;
/// Limit of the elements of such a part, and of a cell.
const MAX_STRETCH_ELEMENTS: u64 = 500_000;

/// Findings about the parts of a spreadsheet.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// True if a formula has no result: the program that wrote it does not calculate.
    pub(super) has_formulas_without_result: bool,
    /// True if cells are merged.
    pub(super) has_merged_cells: bool,
}

/// Checks all parts of a spreadsheet.
///
/// # Errors
/// If the archive is damaged or a part exceeds a limit.
pub(super) fn check_limits(file: &File, name: &str) -> Result<Checked, FeedError> {
    let refused = |message: String| FeedError::Container { name: name.to_owned(), message };
    let failed = |source| FeedError::Read { name: name.to_owned(), source };
    let packed = file.metadata().map_err(failed)?.len();
    let mut archive = open_archive(file, name)?;
    let bytes = Arc::default();
    let mut checked = Checked::default();
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index(index) else { continue };
        let input = BufReader::new(Inflated::counted(entry, || packed, Arc::clone(&bytes)));
        let mut part = Part::new(input);
        part.read().map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => refused(format!("cannot be read: {error}; save the sheet as CSV")),
            _ => failed(error),
        })?;
        checked.has_formulas_without_result |= part.has_formulas_without_result;
        checked.has_merged_cells |= part.has_merged_cells;
    }
    Ok(checked)
}

/// One part of the archive.
struct Part<R> {
    reader: Reader<Watched<R>>,
    strings: u64,
    /// The end of the last cell or shared text, in bytes.
    last_end: u64,
    /// Elements since then.
    elements: u64,
    has_formulas_without_result: bool,
    has_merged_cells: bool,
}

impl<R: io::BufRead> Part<R> {
    fn new(input: R) -> Self {
        // One event is at most as long as a stretch.
        let mut reader = Reader::from_reader(Watched::new(input, MAX_STRETCH_BYTES as usize));
        let config = reader.config_mut();
        config.check_end_names = false;
        config.expand_empty_elements = true;
        Self {
            reader,
            strings: 0,
            last_end: 0,
            elements: 0,
            has_formulas_without_result: false,
            has_merged_cells: false,
        }
    }

    /// Reads the part up to its end, or to where it is no XML: the parser stops there, too.
    fn read(&mut self) -> io::Result<()> {
        let mut buffer = Vec::new();
        let (mut has_formula, mut has_result, mut is_in_result) = (false, false, false);
        loop {
            buffer.clear();
            self.reader.get_mut().event_bytes = 0;
            match self.reader.read_event_into(&mut buffer) {
                Ok(Event::Start(tag)) => {
                    let kind = tag.local_name();
                    let kind: &str = kind.as_ref();
                    if kind == "c" {
                        (has_formula, has_result) = (false, false);
                    }
                    self.has_merged_cells |= kind == "mergeCell";
                    has_formula |= kind == "f";
                    is_in_result = matches!(kind, "v" | "t");
                    let position = self.reader.buffer_position();
                    self.count(&tag, position)?;
                }
                Ok(Event::Text(_) | Event::CData(_) | Event::GeneralRef(_)) => has_result |= is_in_result,
                Ok(Event::End(tag)) => {
                    is_in_result = false;
                    let is_cell = tag.local_name().as_ref() == "c";
                    self.has_formulas_without_result |= is_cell && has_formula && !has_result;
                }
                Ok(Event::Eof) => return Ok(()),
                Ok(_) => {}
                Err(Error::Io(error)) => return Err(io::Error::new(error.kind(), error.to_string())),
                Err(_) => return Ok(()),
            }
            self.check()?;
        }
    }

    /// Counts an element.
    fn count(&mut self, tag: &BytesStart<'_>, position: u64) -> io::Result<()> {
        match tag.local_name().as_ref() {
            "si" => self.strings += 1,
            "c" => {}
            "sst" => {
                let counts = tag.attributes().flatten().filter(|it| it.key.as_ref() == "uniqueCount");
                let counts = counts.map(|count| count.value.parse().unwrap_or_default());
                if counts.max().is_some_and(|count: u64| count > MAX_STRINGS) {
                    return Err(limit(format!(
                        "it says that it has more than {MAX_STRINGS} different texts"
                    )));
                }
                self.elements += 1;
                return Ok(());
            }
            _ => {
                self.elements += 1;
                return Ok(());
            }
        }
        (self.last_end, self.elements) = (position, 0);
        Ok(())
    }

    fn check(&self) -> io::Result<()> {
        let position = self.reader.buffer_position();
        if self.strings > MAX_STRINGS || (self.strings > 0 && position > MAX_STRINGS_BYTES) {
            let megabytes = MAX_STRINGS_BYTES >> 20;
            return Err(limit(format!(
                "it has more than {MAX_STRINGS} different texts, or {megabytes} MB of them"
            )));
        }
        if position - self.last_end > MAX_STRETCH_BYTES || self.elements > MAX_STRETCH_ELEMENTS {
            return Err(limit("a cell, or a part without cells such as its styles, is too large".to_owned()));
        }
        Ok(())
    }
}

fn limit(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
