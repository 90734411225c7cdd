//! A product between its file and the catalogue.

use domain::input::{InputError, ProductInput, read_product};
use domain::ports::WriteOutcome;
use domain::{Fault, FaultKind};
use feeds::{FeedRecord, SeenIds, map_record};

use super::options::Options;

/// A product on its way from a file to the catalogue.
#[derive(Debug)]
pub struct Candidate {
    pub(super) record: FeedRecord,
    /// The record mapped to a product, if it had to change.
    mapped: Option<Vec<u8>>,
    input: Option<ProductInput>,
    /// Outcome of the write.
    pub(super) outcome: Option<WriteOutcome>,
    /// Faults that prevent the write.
    pub(super) faults: Vec<Fault>,
}

impl Candidate {
    /// Returns the product as JSON, with an id.
    pub fn json(&self) -> &[u8] {
        match &self.mapped {
            Some(json) => json,
            None => self.record.json().unwrap_or_default(),
        }
    }

    /// Takes the validated product; the second call returns `None`. See [`Options::check`].
    pub fn take_input(&mut self) -> Option<ProductInput> {
        self.input.take()
    }

    /// Maps and validates a record.
    pub(super) fn of(record: FeedRecord, options: &Options, seen: &mut SeenIds) -> Self {
        let mut candidate = Self { record, mapped: None, input: None, outcome: None, faults: Vec::new() };
        if let Err(faults) = candidate.prepare(options, seen) {
            candidate.faults = faults;
            candidate.input = None;
        }
        candidate
    }

    fn prepare(&mut self, options: &Options, seen: &mut SeenIds) -> Result<(), Vec<Fault>> {
        let json = self.record.json().map_err(<[Fault]>::to_vec)?;
        let mapped = map_record(json, options.currency)?;
        self.mapped = mapped.rewritten;
        if let Some(currency) = options.check {
            let input = read_product(self.json(), currency).map_err(|error| match error {
                InputError::Faults(faults) => faults.into_list(),
                InputError::Syntax(message) => vec![Fault::new("", FaultKind::Malformed, message)],
            })?;
            self.input = Some(input);
        }
        match seen.earlier_line(&mapped.id, self.json(), self.record.line) {
            None => Ok(()),
            Some(line) => Err(vec![duplicate_id(line, mapped.is_id_derived)]),
        }
    }
}

fn duplicate_id(line: u64, is_derived: bool) -> Fault {
    let message = match is_derived {
        false => format!("is that of another product in line {line}; give each its own, or remove one"),
        true => format!(
            "is missing, and the one derived from the product's code or name is that of another product in line {line}; \
             give each its own id"
        ),
    };
    Fault::new("id", FaultKind::Taken, message)
}
