//! Import jobs, as `/imports` responds with them, and the results of single lines.

use std::fmt;

use domain::ports::WriteOutcome;
use domain::{ProductId, SyncToken, Version, WriteMode};
use jiff::Timestamp;
use runtime::Problem;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// The id of an import job. Later jobs sort after earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// Creates a new id.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// Parses an id; `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The status of an import job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    /// The job waits for earlier jobs.
    Queued,
    /// The lines are being applied.
    Running,
    /// Every line was applied or rejected.
    Done,
    /// The job cannot continue; `error` has the reason.
    Failed,
}

/// An import job.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportJob)]
pub struct Job {
    /// Its id.
    #[schema(value_type = String, examples("019a2f6e-5d1c-7cc0-8f5e-3a1b9f2d4c6e"))]
    pub id: JobId,
    /// Its status.
    pub status: JobStatus,
    /// The time at which the upload began.
    #[schema(value_type = String, examples("2026-02-01T12:00:00Z"))]
    pub created_at: Timestamp,
    /// The time at which the job was done or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("2026-02-01T12:01:00Z"))]
    pub finished_at: Option<Timestamp>,
    /// The bytes to process: the size of the file, and the lines that a synchronisation adds to NDJSON.
    pub bytes: u64,
    /// Bytes processed.
    pub bytes_done: u64,
    /// Lines processed, including empty ones; of a file that is not NDJSON, its records.
    pub lines_done: u64,
    /// Products created.
    pub created: u64,
    /// Products replaced.
    pub updated: u64,
    /// Products deleted.
    #[serde(default)]
    pub deleted: u64,
    /// Products that were equal already.
    pub unchanged: u64,
    /// Lines rejected because of their faults.
    pub rejected: u64,
    /// The mode of the writes; absent until the file is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<WriteMode>,
    /// The reason for a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Job {
    /// Creates a queued job.
    pub fn queued(id: JobId, created_at: Timestamp, bytes: u64) -> Self {
        Self {
            id,
            status: JobStatus::Queued,
            created_at,
            finished_at: None,
            bytes,
            bytes_done: 0,
            lines_done: 0,
            created: 0,
            updated: 0,
            deleted: 0,
            unchanged: 0,
            rejected: 0,
            mode: None,
            error: None,
        }
    }

    /// Returns true if the job is done or has failed.
    pub fn is_finished(&self) -> bool {
        matches!(self.status, JobStatus::Done | JobStatus::Failed)
    }
}

/// The products that a delete would delete.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SelectedProducts {
    /// Their number.
    pub selected: u64,
    /// The ids of the first ten.
    #[schema(value_type = Vec<String>, examples("lamp-1"))]
    pub examples: Vec<ProductId>,
}

/// A list of import jobs.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ImportJobs)]
pub struct Jobs {
    /// The jobs, newest first.
    pub imports: Vec<Job>,
}

/// The mapping of a file that is not Noren's own NDJSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportMapping)]
pub struct Mapping {
    /// The format that was recognised.
    #[schema(examples("Shopify products CSV"))]
    pub format: String,
    /// The character set, if it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The sheet of a spreadsheet that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The columns, or fields of JSON, that have a value, in their order.
    pub columns: Vec<MappingColumn>,
    /// Warnings for people.
    pub warnings: Vec<String>,
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportMappingColumn)]
pub struct MappingColumn {
    /// Its name.
    #[schema(examples("Variant Price"))]
    pub column: String,
    /// The field or attribute that it fills.
    #[schema(examples("price"))]
    pub field: String,
    /// The number of records that have a value.
    pub filled: u64,
    /// The first value.
    #[schema(examples("24.00"))]
    pub example: String,
}

/// An import job with a page of its faults.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportJobDetails)]
pub struct JobDetails {
    /// The job.
    #[serde(flatten)]
    pub job: Job,
    /// The mapping of the file; absent for Noren's own NDJSON, and until it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
    /// The rejected lines in order, each with its line, status, id and `problem`, as `POST /products/bulk` responds.
    #[schema(value_type = Vec<LineResult<Problem>>)]
    pub faults: Vec<Box<RawValue>>,
    /// The value of `faultsAfter` for the next page of faults; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_faults_after: Option<u64>,
    /// Rejected lines whose faults are not kept: the first 10,000 are kept, each with its first 20 errors.
    pub faults_omitted: u64,
}

/// The result of one line of a bulk write or an import, with the problem document of type `P` if it was rejected.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineResult<P> {
    /// The number of the line, counted from 1.
    #[schema(examples(1))]
    pub line: u64,
    /// The number of the record, in an import of a file that is not NDJSON: several may begin in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// The HTTP status that a request for this line alone would have received.
    #[schema(examples(201))]
    pub status: u16,
    /// The effect of the write; absent if the line was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<WriteOutcome>,
    /// The product; absent if the line was rejected and names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("lamp-1"))]
    pub id: Option<ProductId>,
    /// The version after the write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, examples(1))]
    pub version: Option<Version>,
    /// The sync token of the write, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("1.lamp-1"))]
    pub sync_token: Option<SyncToken>,
    /// The problem, if the line was rejected.
    #[serde(default = "no_problem", skip_serializing_if = "Option::is_none")]
    pub problem: Option<P>,
}

fn no_problem<P>() -> Option<P> {
    None
}
