//! An import job: what is told of it, and what its folder remembers.

use std::fmt;

use domain::ports::WriteOutcome;
use domain::{FaultKind, ProductId};
use jiff::Timestamp;
use runtime::Problem;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::batch::Done;
use crate::lines::Place;
use crate::request::{IMPORT_KEYS, bad_request};

/// The most faults of a job that are kept; of further lines it is only counted that they were rejected.
pub(crate) const MAX_KEPT_FAULTS: u64 = 10_000;
/// The most faults of one line that are kept.
const MAX_ERRORS_OF_A_LINE: usize = 20;

/// Names a job. Later ones sort behind earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct JobId(Uuid);

impl JobId {
    pub(crate) fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// Reads an id; none for a text that is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    /// The idempotency key of a line. Whatever crashes, the store lets each through once.
    pub(crate) fn key_of(self, line: u64) -> String {
        format!("{IMPORT_KEYS}{self}:{line}")
    }

    /// The id of the product of a line that names none: the same each time the line is read.
    pub(crate) fn product_of(self, line: u64) -> Result<ProductId, String> {
        ProductId::parse(&format!("{self}-{line}"))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JobStatus {
    /// It waits for those before it.
    Queued,
    /// Its lines are being written.
    Running,
    /// All of its lines were written or rejected.
    Done,
    /// It cannot go on; `error` says why.
    Failed,
}

/// An import job.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportJob)]
pub(crate) struct Job {
    #[schema(value_type = String, examples("019a2f6e-5d1c-7cc0-8f5e-3a1b9f2d4c6e"))]
    pub(crate) id: JobId,
    pub(crate) status: JobStatus,
    /// When its lines began to arrive.
    #[schema(value_type = String, examples("2026-02-01T12:00:00Z"))]
    pub(crate) created_at: Timestamp,
    /// When it was done or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("2026-02-01T12:01:00Z"))]
    pub(crate) finished_at: Option<Timestamp>,
    /// How many bytes it has.
    pub(crate) bytes: u64,
    /// How many of them are behind it.
    pub(crate) bytes_done: u64,
    /// How many lines are behind it, empty ones too.
    pub(crate) lines_done: u64,
    /// Products that were made.
    pub(crate) created: u64,
    /// Products that were replaced.
    pub(crate) updated: u64,
    /// Products that were so already.
    pub(crate) unchanged: u64,
    /// Lines with faults.
    pub(crate) rejected: u64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

impl Job {
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.status, JobStatus::Done | JobStatus::Failed)
    }
}

/// A job with what its folder remembers beside: what was written up to here, and nothing of what comes behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Checkpoint {
    #[serde(flatten)]
    pub(crate) job: Job,
    /// How many faults are kept.
    pub(crate) faults_kept: u64,
    /// How many bytes of the file of faults belong to it; what was appended after it does not count.
    pub(crate) faults_bytes: u64,
}

impl Checkpoint {
    /// Of a job whose lines have all arrived.
    pub(crate) fn queued(id: JobId, created_at: Timestamp, bytes: u64) -> Self {
        let job = Job {
            id,
            status: JobStatus::Queued,
            created_at,
            finished_at: None,
            bytes,
            bytes_done: 0,
            lines_done: 0,
            created: 0,
            updated: 0,
            unchanged: 0,
            rejected: 0,
            error: None,
        };
        Self { job, faults_kept: 0, faults_bytes: 0 }
    }

    /// Where the job goes on.
    pub(crate) fn place(&self) -> Place {
        Place { lines: self.job.lines_done, bytes: self.job.bytes_done }
    }

    pub(crate) fn reach(&mut self, place: Place) {
        (self.job.lines_done, self.job.bytes_done) = (place.lines, place.bytes);
    }

    /// Counts a line; appends what there is to keep of its faults.
    pub(crate) fn count(&mut self, done: &Done, faults: &mut Vec<u8>) {
        let job = &mut self.job;
        match done.answer.as_ref().map(|answer| answer.outcome) {
            Ok(WriteOutcome::Created) => job.created += 1,
            Ok(WriteOutcome::Updated) => job.updated += 1,
            // A line deletes nothing.
            Ok(WriteOutcome::Unchanged | WriteOutcome::Deleted) => job.unchanged += 1,
            Err(_) => {
                job.rejected += 1;
                if self.faults_kept < MAX_KEPT_FAULTS {
                    self.faults_kept += 1;
                    done.result().abridged(MAX_ERRORS_OF_A_LINE).write(faults);
                }
            }
        }
    }

    pub(crate) fn finish(&mut self, error: Option<String>) {
        self.job.status = if error.is_none() { JobStatus::Done } else { JobStatus::Failed };
        self.job.finished_at = Some(domain::now());
        self.job.error = error;
    }
}

/// Which of the faults that are kept a caller wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FaultsPage {
    /// Those of lines behind this one.
    pub(crate) after: u64,
    /// At most so many.
    pub(crate) limit: usize,
}

impl FaultsPage {
    const DEFAULT_LIMIT: usize = 100;
    pub(crate) const MAX_LIMIT: usize = 1000;

    pub(crate) fn read(parameters: impl Iterator<Item = (String, String)>) -> Result<Self, Problem> {
        let (mut after, mut limit) = (None, None);
        for (name, value) in parameters {
            let wrong = |bounds: String| bad_request(&name, FaultKind::OutOfRange, bounds);
            let given_before = match name.as_str() {
                "faultsAfter" => {
                    let line = value.parse::<u64>();
                    let line =
                        line.map_err(|_| wrong("must be the number of a line, such as 17".to_owned()))?;
                    after.replace(line).is_some()
                }
                "limit" => {
                    let number = value.parse().ok().filter(|limit| (1..=Self::MAX_LIMIT).contains(limit));
                    let bounds = || wrong(format!("must be a whole number from 1 to {}", Self::MAX_LIMIT));
                    limit.replace(number.ok_or_else(bounds)?).is_some()
                }
                _ => {
                    let message = "is no parameter of this address; there are `faultsAfter` and `limit`";
                    return Err(bad_request(&name, FaultKind::Unknown, message));
                }
            };
            if given_before {
                return Err(bad_request(&name, FaultKind::Repeated, "is given twice; give it once"));
            }
        }
        Ok(Self { after: after.unwrap_or(0), limit: limit.unwrap_or(Self::DEFAULT_LIMIT) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_one_key_and_one_product() {
        let id = JobId::generate();
        assert_eq!(id.key_of(7), format!("import:{id}:7"));
        assert_eq!(id.product_of(u64::MAX).unwrap().as_str(), format!("{id}-{}", u64::MAX));
        assert_ne!(id.product_of(1), id.product_of(11));
        assert_eq!(JobId::parse(&id.to_string()), Some(id));
        for text in ["", "..", "../x", "a"] {
            assert_eq!(JobId::parse(text), None, "{text}");
        }
        assert!(JobId::generate() > id);
    }

    #[test]
    fn a_checkpoint_survives_its_file() {
        let mut checkpoint = Checkpoint::queued(JobId::generate(), domain::now(), 99);
        checkpoint.job.bytes_done = 50;
        checkpoint.job.lines_done = 3;
        checkpoint.finish(Some("why".to_owned()));
        let json = serde_json::to_string(&checkpoint).unwrap();
        let again: Checkpoint = serde_json::from_str(&json).unwrap();
        assert_eq!(again.place(), Place { lines: 3, bytes: 50 });
        assert_eq!(serde_json::to_string(&again).unwrap(), json);
    }
}
