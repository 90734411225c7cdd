//! The routes of import jobs.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use runtime::Problem;
use runtime::body::check_content_type;
use runtime::http::parameters;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::job::{FaultsPage, Job, JobId};
use super::{ImportError, Imports, JobWithFaults};
use crate::request::NoParameters;

/// The routes of import jobs with their description. Without a folder for them, they say what to do instead.
pub fn import_routes(imports: Option<Imports>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(read, remove))
        .with_state(Place(imports))
}

/// Where jobs are kept, if they are.
#[derive(Clone)]
struct Place(Option<Imports>);

impl Place {
    fn imports(self) -> Result<Imports, Problem> {
        let detail = "this service keeps no files between requests, so it takes no import jobs; use `noren import`, or \
                      POST /products/bulk";
        self.0.ok_or_else(|| Problem::new(StatusCode::NOT_IMPLEMENTED, detail))
    }
}

/// Import a file in the background
///
/// NDJSON as for `POST /products/bulk`, without a limit on its size. The lines are written to the disk as they come, and
/// the answer is 202 once all of them are there durably; a body that breaks off imports nothing. Jobs are worked on one
/// after the other. `GET` the address in `Location` to see how far it is.
///
/// Each line is carried out once, whatever crashes in between, also over a restart of up to 24 hours. Lines on one
/// product are carried out in their order. While the store is away or full, the job waits; only a line that is at fault
/// itself is rejected. A line without an `id` makes a product under an id of the job's.
#[utoipa::path(
    post, path = "/imports", tag = "imports", operation_id = "createImport",
    request_body(content = String, content_type = "application/x-ndjson", example = "{\"id\":\"lamp-1\",\"name\":\"Desk lamp\"}\n{\"id\":\"lamp-2\",\"name\":\"Floor lamp\"}\n"),
    responses(
        (status = 202, description = "All lines are here and will be carried out.", body = Job, headers(("Location" = String))),
        (status = 400, description = "The body broke off, or there are parameters.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "Nothing came for a minute.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not `application/x-ndjson`.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "There are 100 unfinished jobs.", body = Problem, content_type = "application/problem+json"),
        (status = 501, description = "This service keeps no files, being a function of AWS Lambda.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The folder of the jobs cannot be used now.", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn create(
    State(place): State<Place>,
    _: NoParameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let imports = place.imports()?;
    check_content_type(&headers, &["application/x-ndjson"])?;
    let job = imports.receive(body).await?;
    let mut response = (StatusCode::ACCEPTED, axum::Json(&job)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/imports/{}", job.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// All import jobs.
#[derive(Serialize, utoipa::ToSchema)]
struct ImportJobs {
    /// The newest first.
    imports: Vec<Job>,
}

/// List import jobs
///
/// The newest first. Finished ones are kept for 7 days, at most 400 of them.
#[utoipa::path(
    get, path = "/imports", tag = "imports", operation_id = "listImports",
    responses(
        (status = 200, description = "All of them.", body = ImportJobs),
        (status = 501, description = "This service takes no import jobs.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn list(State(place): State<Place>, _: NoParameters) -> Result<Response, Problem> {
    let imports = place.imports()?.list().await?;
    Ok(as_it_is_now(ImportJobs { imports }))
}

/// An import job with its faults.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImportJobDetails {
    #[serde(flatten)]
    job: Job,
    /// What was wrong with rejected lines, in their order, each with its line, status, id and `problem`, as
    /// `POST /products/bulk` answers.
    #[schema(value_type = Vec<Object>)]
    faults: Vec<Box<RawValue>>,
    /// Hand it back as `faultsAfter` for more faults; absent when there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_faults_after: Option<u64>,
    /// How many rejected lines have no fault here: the first 10,000 are kept, each with its first 20 errors.
    faults_omitted: u64,
}

/// Read an import job
///
/// How far it is, what became of its lines, and what was wrong with those that were rejected.
#[utoipa::path(
    get, path = "/imports/{id}", tag = "imports", operation_id = "readImport",
    params(("id" = String, Path, description = "The job's id."),
           ("faultsAfter" = Option<u64>, Query, description = "Faults of lines behind this one: `nextFaultsAfter` of the page before."),
           ("limit" = Option<usize>, Query, minimum = 1, maximum = 1000, description = "The most faults, 100 unless given.")),
    responses(
        (status = 200, description = "The job.", body = ImportJobDetails),
        (status = 400, description = "A faulty parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn read(State(place): State<Place>, Path(id): Path<String>, uri: Uri) -> Result<Response, Problem> {
    let imports = place.imports()?;
    let page = FaultsPage::read(parameters(&uri))?;
    let JobWithFaults { job, faults, next_faults_after, faults_omitted } =
        imports.get(read_id(id)?, page).await?;
    Ok(as_it_is_now(ImportJobDetails { job, faults, next_faults_after, faults_omitted }))
}

/// Remove an import job
///
/// One that is queued or running is cancelled: what was written stays, and at most the batch in hand, 500 lines, is still
/// written.
#[utoipa::path(
    delete, path = "/imports/{id}", tag = "imports", operation_id = "removeImport",
    params(("id" = String, Path, description = "The job's id.")),
    responses(
        (status = 204, description = "It is removed."),
        (status = 404, description = "There is no such job.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn remove(
    State(place): State<Place>,
    Path(id): Path<String>,
    _: NoParameters,
) -> Result<StatusCode, Problem> {
    place.imports()?.remove(read_id(id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read_id(text: String) -> Result<JobId, ImportError> {
    JobId::parse(&text).ok_or(ImportError::Unknown(text))
}

fn as_it_is_now(answer: impl Serialize) -> Response {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-cache"))], axum::Json(answer)).into_response()
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        let detail = error.to_string();
        match error {
            ImportError::Elsewhere => Self::unavailable(detail),
            ImportError::TooMany => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(Duration::from_secs(10))
            }
            ImportError::BrokenOff => Self::new(StatusCode::BAD_REQUEST, detail),
            ImportError::Idle => Self::new(StatusCode::REQUEST_TIMEOUT, detail),
            ImportError::Unknown(_) => Self::new(StatusCode::NOT_FOUND, detail),
            ImportError::Disk(error) => problem_of_disk(&error),
        }
    }
}

fn problem_of_disk(error: &std::io::Error) -> Problem {
    use std::io::ErrorKind;
    tracing::error!(error = %error, "the folder of the import jobs failed");
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            let detail = "there is no room left for the import job; nothing of it was imported";
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail)
        }
        _ => Problem::unavailable("the folder of the import jobs cannot be used now; the log says why"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn a_full_disk_is_told_from_one_that_fails() {
        let status = |kind| Problem::from(ImportError::Disk(Error::new(kind, "secret"))).status().as_u16();
        assert_eq!(status(ErrorKind::StorageFull), 507);
        assert_eq!(status(ErrorKind::QuotaExceeded), 507);
        assert_eq!(status(ErrorKind::ReadOnlyFilesystem), 503);
        let problem = Problem::from(ImportError::Disk(Error::other("secret")));
        assert!(!problem.detail().contains("secret"));
    }
}
