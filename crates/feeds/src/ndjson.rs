//! Records of an NDJSON file: one per line.

use std::io::{self, BufRead};

use bytes::Bytes;
use domain::{Fault, FaultKind};

use crate::line_splitter::{Line, LineSplitter};
use crate::record::{FeedRecord, MAX_LINE_BYTES, Original};

/// Reads an NDJSON file line by line. Blank lines are skipped.
pub(crate) struct NdjsonRecords {
    input: Box<dyn BufRead + Send>,
    splitter: LineSplitter,
    is_at_end: bool,
}

impl NdjsonRecords {
    pub(crate) fn new(input: Box<dyn BufRead + Send>) -> Self {
        // One byte more, for the carriage return of a line that is within the limit.
        Self { input, splitter: LineSplitter::new(MAX_LINE_BYTES + 1), is_at_end: false }
    }

    /// Returns the next record, or `None` at the end. A line over the size limit is a record with a fault.
    pub(crate) fn next_record(&mut self) -> io::Result<Option<FeedRecord>> {
        loop {
            if let Some(line) = self.splitter.next_line() {
                return Ok(Some(record(line)));
            }
            if self.is_at_end {
                return Ok(None);
            }
            let chunk = self.input.fill_buf()?;
            let length = chunk.len();
            self.splitter.push(chunk);
            self.input.consume(length);
            if length == 0 {
                self.is_at_end = true;
                self.splitter.finish();
            }
        }
    }
}

fn record(Line { number, text }: Line) -> FeedRecord {
    let text = text.map(|mut text| {
        text.truncate(text.trim_ascii_end().len());
        text
    });
    match text {
        Ok(text) if text.len() <= MAX_LINE_BYTES => FeedRecord {
            line: number,
            original: Original::Text(text.to_vec().into()),
            json: Ok(None),
            covered: None,
        },
        _ => {
            let message = format!("has more than {MAX_LINE_BYTES} bytes; a product has at most 204800");
            let fault = Fault::new("", FaultKind::OutOfRange, message);
            FeedRecord {
                line: number,
                original: Original::Text(Bytes::new()),
                json: Err(fault.into()),
                covered: None,
            }
        }
    }
}
