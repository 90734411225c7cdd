//! A product between its file and the catalogue.

use domain::input::ProductInput;
use domain::ports::WriteOutcome;
use domain::{Fault, WriteMode};
use feeds::{FeedRecord, Prepared, Preparer, Rejected};

/// A product on its way from a file to the catalogue.
#[derive(Debug)]
pub struct Candidate {
    pub(super) record: FeedRecord,
    /// The record mapped to a product; `None` if the record is one already.
    mapped: Option<Vec<u8>>,
    mode: WriteMode,
    input: Option<ProductInput>,
    /// Outcome of the write.
    pub(super) outcome: Option<WriteOutcome>,
    /// Faults that prevent the write.
    pub(super) faults: Vec<Fault>,
}

impl Candidate {
    /// Returns the product or the patch as JSON, with an id.
    pub fn json(&self) -> &[u8] {
        match &self.mapped {
            Some(json) => json,
            None => self.record.json().unwrap_or_default(),
        }
    }

    /// Takes the validated product; the second call returns `None`. If the record is a patch, only the id of the result is
    /// meaningful.
    pub fn take_input(&mut self) -> Option<ProductInput> {
        self.input.take()
    }

    /// Returns how the product is written.
    pub fn mode(&self) -> WriteMode {
        self.mode
    }

    /// Maps and validates a record.
    pub(super) fn of(record: FeedRecord, mode: WriteMode, preparer: &mut Preparer) -> Self {
        let (mapped, input, faults) = match preparer.prepare(&record) {
            Ok(Prepared { json, input, .. }) => (json, input, Vec::new()),
            Err(Rejected { faults, .. }) => (None, None, faults),
        };
        Self { record, mapped, mode, input, outcome: None, faults }
    }
}
