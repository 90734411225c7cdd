//! The checkpoint of an import job, and pages of its faults.

use api::parameters::{ParameterReader, unknown_among};
use api::problems::bad_parameters;
use api::wire::imports::{Job, JobStatus};
use domain::MaxDelete;
use domain::ports::WriteOutcome;
use runtime::Problem;
use runtime::audit::{Caller, Entry, Lines};
use serde::{Deserialize, Serialize};

use super::file_options::FileOptions;
use crate::batch::ExecutedLine;
use crate::lines::Position;

/// The most rejected lines of a job whose faults are kept; further ones are only counted.
pub(crate) const MAX_KEPT_FAULTS: u64 = 10_000;
/// The number of runs that may end with their process in the same batch, or at the same line, before the next one is more careful.
pub(super) const MAX_ENDED_RUNS: u32 = 2;

/// The durable state of a job: the effects of all lines before its position, and of none after it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Checkpoint {
    #[serde(flatten)]
    pub(crate) job: Job,
    /// The number of rejected lines whose faults are kept.
    pub(crate) faults_kept: u64,
    /// The length of the file of faults; bytes after it belong to no checkpoint.
    pub(crate) faults_bytes: u64,
    /// The number of runs that began at this position and neither got further nor stopped in an orderly way: their processes
    /// ended in the lines that follow.
    #[serde(default)]
    pub(crate) runs_here: u32,
    /// The last line of a batch in which several processes ended; 0 if there is none. Lines up to it are applied one by one, to find the
    /// one at fault.
    #[serde(default)]
    pub(crate) one_by_one_until: u64,
    /// Options of the conversion to NDJSON; `None` if its lines are applied as they are.
    #[serde(default)]
    pub(crate) conversion: Option<FileOptions>,
    /// The converted file, once there is one.
    #[serde(default)]
    pub(crate) converted: Option<ConvertedLines>,
    /// The source of the products, if the job names one.
    #[serde(default)]
    pub(crate) source: Option<String>,
    /// The state of a synchronisation, which deletes the products that its file lacks; `None` for other jobs.
    #[serde(default)]
    pub(crate) sync: Option<SyncState>,
    /// The sender of the job; unknown for a job of an earlier version.
    #[serde(default)]
    pub(crate) caller: Caller,
}

/// The state of a synchronisation.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncState {
    pub(crate) max_delete: MaxDelete,
    /// True once the deletes are lines of the job.
    pub(crate) is_planned: bool,
}

/// The length of a converted file and the part that is done, in bytes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConvertedLines {
    pub(crate) bytes: u64,
    pub(crate) bytes_done: u64,
}

/// The way in which a run continues a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resume {
    /// With the next lines.
    Normally,
    /// With the next lines one by one, because processes ended in their batch.
    OneByOne,
    /// After the next line, because processes ended at this line alone.
    SkippingOne,
}

impl Checkpoint {
    /// Returns the checkpoint of a job without applied lines.
    pub(crate) fn of(job: Job, caller: Caller) -> Self {
        Self {
            job,
            faults_kept: 0,
            faults_bytes: 0,
            runs_here: 0,
            one_by_one_until: 0,
            conversion: None,
            converted: None,
            source: None,
            sync: None,
            caller,
        }
    }

    /// Returns the position from which the job continues.
    pub(crate) fn position(&self) -> Position {
        let bytes = self.converted.map_or(self.job.bytes_done, |converted| converted.bytes_done);
        Position { lines: self.job.lines_done, bytes }
    }

    pub(crate) fn advance_to(&mut self, position: Position) {
        self.job.lines_done = position.lines;
        self.job.bytes_done = match &mut self.converted {
            None => position.bytes,
            Some(converted) => {
                converted.bytes_done = position.bytes;
                // The same fraction of the uploaded file.
                let part = u128::from(self.job.bytes) * u128::from(position.bytes);
                let done = part.checked_div(u128::from(converted.bytes));
                done.and_then(|done| u64::try_from(done).ok()).unwrap_or(self.job.bytes)
            }
        };
    }

    /// Returns the guard of a synchronisation whose deletes are not lines of the job yet.
    pub(crate) fn max_delete_to_plan(&self) -> Option<MaxDelete> {
        self.sync.filter(|sync| !sync.is_planned).map(|sync| sync.max_delete)
    }

    /// Returns the length of all lines in bytes.
    pub(crate) fn bytes_of_lines(&self) -> u64 {
        self.converted.map_or(self.job.bytes, |converted| converted.bytes)
    }

    /// Records that `bytes` of delete lines were appended to the lines of the job.
    pub(crate) fn plan_sync(&mut self, bytes: u64) {
        match &mut self.converted {
            Some(converted) => converted.bytes += bytes,
            None => self.job.bytes += bytes,
        }
        if let Some(sync) = &mut self.sync {
            sync.is_planned = true;
        }
    }

    /// Returns true if the next line is applied alone.
    pub(crate) fn is_one_by_one(&self) -> bool {
        self.job.lines_done < self.one_by_one_until
    }

    /// Returns how the next run continues.
    pub(crate) fn resume(&self) -> Resume {
        match (self.runs_here >= MAX_ENDED_RUNS, self.is_one_by_one()) {
            (false, _) => Resume::Normally,
            (true, false) => Resume::OneByOne,
            (true, true) => Resume::SkippingOne,
        }
    }

    /// Counts a line, and appends its faults to `faults` as long as faults are kept.
    pub(crate) fn count(&mut self, line: &ExecutedLine, faults: &mut Vec<u8>) {
        let job = &mut self.job;
        match line.result.as_ref().map(|response| response.outcome) {
            Ok(WriteOutcome::Created) => job.created += 1,
            Ok(WriteOutcome::Updated) => job.updated += 1,
            Ok(WriteOutcome::Deleted) => job.deleted += 1,
            Ok(WriteOutcome::Unchanged) => job.unchanged += 1,
            Err(_) => {
                job.rejected += 1;
                if self.faults_kept < MAX_KEPT_FAULTS {
                    self.faults_kept += 1;
                    line.write(faults);
                }
            }
        }
    }

    /// Describes the job so far for the audit log.
    pub(crate) fn audit_entry(&self, outcome: &'static str) -> Entry {
        let Job { id, created, updated, deleted, unchanged, rejected, .. } = self.job;
        let lines = Some(Lines { created, updated, deleted, unchanged, rejected });
        Entry { lines, outcome: Some(outcome), ..Entry::of(id.to_string()) }
    }

    /// Marks the job as done, or as failed with a reason.
    pub(crate) fn finish(&mut self, error: Option<String>) {
        self.job.status = if error.is_none() { JobStatus::Done } else { JobStatus::Failed };
        self.job.finished_at = Some(domain::now());
        self.job.error = error;
    }
}

/// A page of the faults that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FaultsPage {
    /// The line after which the page begins.
    pub(crate) after: u64,
    /// The most faults of the page.
    pub(crate) limit: usize,
}

impl FaultsPage {
    const DEFAULT_LIMIT: usize = 100;
    const MAX_LIMIT: usize = 1000;
    /// The maximum of an `int64`, the type in the OpenAPI document.
    const MAX_LINE: u64 = i64::MAX as u64;

    /// Reads the parameters `faultsAfter` and `limit`.
    ///
    /// # Errors
    /// 400 with all faults.
    pub(crate) fn read(mut parameters: ParameterReader) -> Result<Self, Problem> {
        let after = parameters.whole_number("faultsAfter", 0..=Self::MAX_LINE).unwrap_or(0);
        let limit = parameters.whole_number("limit", 1..=Self::MAX_LIMIT).unwrap_or(Self::DEFAULT_LIMIT);
        let unknown = |_: &str| unknown_among(&["faultsAfter", "limit"]);
        parameters.finish(unknown).map_err(|faults| bad_parameters(&faults))?;
        Ok(Self { after, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::wire::imports::JobId;

    #[test]
    fn a_checkpoint_survives_its_file() {
        let mut checkpoint =
            Checkpoint::of(Job::queued(JobId::generate(), domain::now(), 99), Caller::default());
        checkpoint.advance_to(Position { lines: 3, bytes: 50 });
        checkpoint.finish(Some("why".to_owned()));
        let json = serde_json::to_string(&checkpoint).unwrap();
        let again: Checkpoint = serde_json::from_str(&json).unwrap();
        assert_eq!(again.position(), Position { lines: 3, bytes: 50 });
        assert_eq!(serde_json::to_string(&again).unwrap(), json);
    }

    #[test]
    fn a_checkpoint_of_an_earlier_version_is_read() {
        let checkpoint = Checkpoint::of(Job::queued(JobId::generate(), domain::now(), 99), Caller::default());
        let mut json = serde_json::to_value(&checkpoint).unwrap();
        for field in ["runsHere", "oneByOneUntil", "caller", "conversion", "converted", "source", "sync"] {
            assert!(json.as_object_mut().unwrap().remove(field).is_some(), "{field}");
        }
        let earlier: Checkpoint = serde_json::from_value(json).unwrap();
        assert_eq!(earlier.resume(), Resume::Normally);
    }

    #[test]
    fn a_run_becomes_more_careful_where_others_ended() {
        let mut checkpoint =
            Checkpoint::of(Job::queued(JobId::generate(), domain::now(), 99), Caller::default());
        checkpoint.advance_to(Position { lines: 500, bytes: 5000 });
        checkpoint.runs_here = 1;
        assert_eq!(checkpoint.resume(), Resume::Normally);
        checkpoint.runs_here = 2;
        assert_eq!(checkpoint.resume(), Resume::OneByOne);
        checkpoint.one_by_one_until = 1000;
        assert_eq!(checkpoint.resume(), Resume::SkippingOne);
        checkpoint.advance_to(Position { lines: 1000, bytes: 9000 });
        assert_eq!(checkpoint.resume(), Resume::OneByOne, "the batch after that one");
    }
}
