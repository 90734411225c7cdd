//! The routes of import jobs.

use access::Scope;
use api::extract::{NoBody, NoParameters, Parameters};
use api::responses::{BadParameters, Components, DiskFull, ServiceFailed};
use api::wire::imports::{Job, JobDetails, JobId, Jobs, SelectedProducts};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::fault::excerpt;
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use runtime::audit::{Entry, Trail};
use runtime::{Problem, Routes};
use serde::Serialize;
use utoipa::{IntoResponses, OpenApi};
use utoipa_axum::routes;

use super::checkpoint::FaultsPage;
use super::error::ImportError;
use super::jobs::Imports;
use super::request::ImportRequest;
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

/// 415 for a body that cannot be a file of products.
#[derive(IntoResponses)]
#[response(
    status = 415,
    description = "The content type is that of no file of products, or the body has a content encoding.",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "describes a response")]
struct NotAFile(Problem);

/// The values of `format`.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a parameter")]
enum FileFormat {
    Ndjson,
    Json,
    Csv,
    Tsv,
    Xml,
    Xlsx,
}

/// The values of `mode`.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a parameter")]
enum ImportMode {
    Merge,
    Replace,
    Sync,
}

/// The values of `decimal`.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a parameter")]
enum DecimalMark {
    Comma,
    Point,
}

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
/// Takes what `noren import` takes, of 16 GiB at most unless configured otherwise: NDJSON and other JSON, CSV, XML feeds, `.xlsx`, and the
/// exports of common shop systems, also in gzip, or as the single file of a zip archive. The format is detected from the content where the
/// content type or `format` leaves it open (`application/octet-stream`, `application/zip`, `application/gzip`). Other types are
/// `application/json`, `text/csv`, `text/tab-separated-values`, `application/xml`, `application/rss+xml`, `application/atom+xml` and
/// `application/vnd.openxmlformats-officedocument.spreadsheetml.sheet`.
///
/// The file is written to the disk as it arrives; the response is 202 once all of it is durable. A body that breaks off imports nothing.
/// Jobs run one after the other. `GET` the address in `Location` for the progress, and for the mapping of columns to fields.
///
/// Each line is applied exactly once, whatever crashes, even across a restart within 24 hours. Lines on one product are
/// applied in order. While the store is unavailable or full, the job waits; only lines with faults are rejected. A line
/// of NDJSON without an `id` creates a product under an id of the job; in other files the id is derived from sku or name.
#[utoipa::path(
    post, path = "/imports", tag = "imports", operation_id = "createImport",
    params(("format" = inline(Option<FileFormat>), Query, description = "The format of the file, instead of that of the content type."),
           ("mode" = inline(Option<ImportMode>), Query, description = "What happens to fields that a product has and the file leaves out: they stay (`merge`, the default for tables) or are removed (`replace`, the default for JSON). `sync` also deletes the products that the file does not have: of the `source`, if one is given, else of the whole catalogue."),
           ("source" = Option<String>, Query, min_length = 1, max_length = 128, description = "The source to write into the products, whatever the file says."),
           ("maxDelete" = Option<String>, Query, pattern = "^([0-9]{1,18}|([0-9]|[1-9][0-9]|100)%)$", description = "With `mode=sync`: the most products to delete, as a number or as a percentage of those that there are; `20%` by default. If the file lacks more, the job fails and changes nothing."),
           ("decimal" = inline(Option<DecimalMark>), Query, description = "The decimal mark of numbers that can be read in two ways, such as `1.299`."),
           ("encoding" = Option<String>, Query, description = "The character set of the file, by a name of the Encoding Standard such as `windows-1251`; otherwise UTF-8, UTF-16 or Windows-1252, by content. The mapping of the job names it."),
           ("map" = Option<Vec<String>>, Query, description = "A column with its field, such as `title=name`; may be repeated, up to 50 times.")),
    request_body(content = String, content_type = "application/x-ndjson", example = "{\"id\":\"lamp-1\",\"name\":\"Desk lamp\"}\n{\"id\":\"lamp-2\",\"name\":\"Floor lamp\"}\n"),
    responses(
        NotAFile, NoImports, ServiceFailed, DiskFull,
        (status = 202, description = "The file is stored durably and will be imported.", body = Job, headers(("Location" = String, description = "The path of the job."))),
        (status = 400, description = "The body broke off, or parameters have faults.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The client sent nothing for a minute, or less than 8 KiB a second.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The file is larger than the limit, which the problem names.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is empty, in no known format, or an archive of several files.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "There are as many unfinished jobs as there may be, of all clients or of this one, or the upload was slow and another one needed its place.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn create(
    State(service): State<ImportService>,
    Parameters(parameters): Parameters,
    headers: HeaderMap,
    trail: Trail,
    body: Body,
) -> Result<Response, Problem> {
    let imports = service.imports()?;
    let request = ImportRequest::read(&headers, parameters)?;
    let job = imports.upload(request, body, trail.caller()).await?;
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
    _: NoBody,
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
