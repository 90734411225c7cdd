//! The routes of import jobs.

use access::Scope;
use api::extract::{NoParameters, Parameters};
use api::responses::{BadParameters, Components, DiskFull, NotNdjson, ServiceFailed};
use api::wire::imports::{Job, JobDetails, JobId, Jobs, SelectedProducts};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::fault::excerpt;
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use runtime::audit::{Entry, Trail};
use runtime::body::check_content_type;
use runtime::{Problem, Routes};
use serde::Serialize;
use utoipa::{IntoResponses, OpenApi};
use utoipa_axum::routes;

use super::checkpoint::FaultsPage;
use super::error::ImportError;
use super::jobs::Imports;
use super::selection::{SelectionParameters, SelectionRequest};

/// Returns the routes of import jobs with their OpenAPI document. Without `imports` they respond with 501.
pub fn import_routes(imports: Option<Imports>) -> Routes {
    Routes::with_openapi(Components::openapi())
        .routes(Scope::Write, routes!(create, list))
        .routes(Scope::Write, routes!(read, remove))
        .routes(Scope::Write, routes!(delete_selected))
        .with_state(ImportService(imports))
}

/// The jobs of this service, if it can keep files.
#[derive(Clone)]
struct ImportService(Option<Imports>);

impl ImportService {
    fn imports(self) -> Result<Imports, Problem> {
        let detail = "this service keeps no files between requests, so it takes no import jobs; use `noren import`, or \
                      POST /products/bulk";
        self.0.ok_or_else(|| Problem::new(StatusCode::NOT_IMPLEMENTED, detail))
    }
}

/// 404 for an id without a job.
#[derive(IntoResponses)]
#[response(status = 404, description = "The job does not exist.", content_type = "application/problem+json")]
#[expect(dead_code, reason = "describes a response")]
struct JobNotFound(Problem);

/// 501 on AWS Lambda.
#[derive(IntoResponses)]
#[response(
    status = 501,
    description = "This service runs on AWS Lambda and keeps no files.",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "describes a response")]
struct NoImports(Problem);

/// Import a file in the background
///
/// NDJSON as for `POST /products/bulk`, of 16 GiB at most unless configured otherwise. The lines are written to the disk as they arrive; the response is 202
/// once all of them are durable. A body that breaks off imports nothing. Jobs run one after the other. `GET` the address in
/// `Location` for the progress.
///
/// Each line is applied exactly once, whatever crashes, even across a restart within 24 hours. Lines on one product are
/// applied in order. While the store is unavailable or full, the job waits; only lines with faults are rejected. A line
/// without an `id` creates a product under an id of the job.
#[utoipa::path(
    post, path = "/imports", tag = "imports", operation_id = "createImport",
    request_body(content = String, content_type = "application/x-ndjson", example = "{\"id\":\"lamp-1\",\"name\":\"Desk lamp\"}\n{\"id\":\"lamp-2\",\"name\":\"Floor lamp\"}\n"),
    responses(
        NotNdjson, NoImports, ServiceFailed, DiskFull,
        (status = 202, description = "All lines are stored durably and will be applied.", body = Job, headers(("Location" = String, description = "The path of the job."))),
        (status = 400, description = "The body broke off, or there are parameters.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The client sent nothing for a minute, or less than 8 KiB a second.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The file is larger than the limit, which the problem names.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "There are as many unfinished jobs as there may be, of all clients or of this one, or the upload was slow and another one needed its place.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn create(
    State(service): State<ImportService>,
    _: NoParameters,
    headers: HeaderMap,
    trail: Trail,
    body: Body,
) -> Result<Response, Problem> {
    let imports = service.imports()?;
    check_content_type(&headers, &["application/x-ndjson"])?;
    let job = imports.upload(body, trail.caller()).await?;
    Ok(accepted(&job))
}

/// Returns 202 with a job.
fn accepted(job: &Job) -> Response {
    let queued = Entry { outcome: Some("queued"), ..Entry::of(job.id.to_string()) };
    let mut response = (StatusCode::ACCEPTED, queued.attached(), axum::Json(job)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/imports/{}", job.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// Delete a selection of products
///
/// Every product of the store that passes all conditions, also drafts and archived ones; of a condition that is given several times,
/// one value suffices. The response is 202 once the list of products is durable; a job then deletes them, resumes after a crash, and reports
/// at the address in `Location`. A product that is written after it was listed stays, as a rejected line of the job.
///
/// With `dryRun=true` nothing is deleted: the response is the number of products.
#[utoipa::path(
    delete, path = "/products", tag = "imports", operation_id = "deleteProducts",
    params(SelectionParameters),
    responses(
        BadParameters, NoImports, ServiceFailed, DiskFull,
        (status = 200, description = "With `dryRun=true`: what would be deleted.", body = SelectedProducts),
        (status = 202, description = "The products are listed durably and will be deleted.", body = Job, headers(("Location" = String, description = "The path of the job."))),
        (status = 429, description = "There are as many unfinished jobs as there may be, of all clients or of this one.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn delete_selected(
    State(service): State<ImportService>,
    Parameters(parameters): Parameters,
    trail: Trail,
) -> Result<Response, Problem> {
    let SelectionRequest { selection, is_dry_run } = SelectionRequest::read(parameters)?;
    let imports = service.imports()?;
    if is_dry_run {
        return Ok(uncached(imports.count(selection).await?));
    }
    let job = imports.delete(selection, trail.caller()).await?;
    Ok(accepted(&job))
}

/// List import jobs
///
/// Newest first. Finished jobs are kept for 7 days, at most 400 of them.
#[utoipa::path(
    get, path = "/imports", tag = "imports", operation_id = "listImports",
    responses(
        BadParameters, NoImports, ServiceFailed,
        (status = 200, description = "All jobs.", body = Jobs),
    )
)]
async fn list(State(service): State<ImportService>, _: NoParameters) -> Result<Response, Problem> {
    let imports = service.imports()?.list().await?;
    Ok(uncached(Jobs { imports }))
}

/// Read an import job
///
/// Its progress, the number of lines by result, and the faults of rejected lines.
#[utoipa::path(
    get, path = "/imports/{id}", tag = "imports", operation_id = "readImport",
    params(("id" = String, Path, description = "The id of the job."),
           ("faultsAfter" = Option<u64>, Query, description = "Faults of lines after this one: `nextFaultsAfter` of the previous page."),
           ("limit" = Option<usize>, Query, minimum = 1, maximum = 1000, description = "The most faults; 100 by default.")),
    responses(
        BadParameters, JobNotFound, NoImports, ServiceFailed,
        (status = 200, description = "The job.", body = JobDetails),
    )
)]
async fn read(
    State(service): State<ImportService>,
    Path(id): Path<String>,
    Parameters(parameters): Parameters,
) -> Result<Response, Problem> {
    let imports = service.imports()?;
    let page = FaultsPage::read(parameters)?;
    Ok(uncached(imports.get(parse_id(&id)?, page).await?))
}

/// Remove an import job
///
/// A queued or running job is cancelled: applied lines stay, and at most the current batch of 500 lines is still applied.
#[utoipa::path(
    delete, path = "/imports/{id}", tag = "imports", operation_id = "removeImport",
    params(("id" = String, Path, description = "The id of the job.")),
    responses(
        BadParameters, JobNotFound, NoImports, ServiceFailed,
        (status = 204, description = "The job is removed."),
    )
)]
async fn remove(
    State(service): State<ImportService>,
    Path(id): Path<String>,
    _: NoParameters,
) -> Result<StatusCode, Problem> {
    service.imports()?.remove(parse_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse_id(text: &str) -> Result<JobId, ImportError> {
    JobId::parse(text).ok_or_else(|| ImportError::Unknown(excerpt(text)))
}

fn uncached(body: impl Serialize) -> Response {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-cache"))], axum::Json(body)).into_response()
}
