//! The routes of products.

use access::Scope;
use api::extract::{
    IdInPath, IdempotencyHeader, IfMatchHeader, NoParameters, Parameters, WriteRequest, has_entity_tag,
    sync_token_header, traceparent, version_tag,
};
use api::parameters::{ParameterReader, unknown_among};
use api::problems::bad_parameters;
use api::responses::{
    BadJsonBody, BadParameters, Components, DiskFull, InvalidId, NotModified, NotNdjson, PreconditionFailed,
    ProductNotFound, ServiceFailed,
};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::input::{MAX_LABEL_CHARS, ProductBody, ProductInput, ProductPatch, parse_label, read_product};
use domain::ports::{WriteOutcome, WriteResponse};
use domain::{FaultKind, Faults, Product, ProductId, Version, WriteMode};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use runtime::audit::{Entry, Trail};
use runtime::body::{JsonBody, PatchBody, check_content_type};
use runtime::http::SYNC_TOKEN;
use runtime::server_timing::{self, Phase};
use runtime::{Problem, Routes, off_thread};
use serde::Serialize;
use utoipa::OpenApi;
use utoipa_axum::routes;

use crate::Catalogue;
use crate::audit::entry_of;
use crate::bulk::BulkLines;
use crate::command::{Command, Operation};
use crate::decide::other_id_fault;
use crate::error::CommandError;
use crate::product_list;

/// Returns the routes of products with their OpenAPI document.
pub fn routes(catalogue: Catalogue) -> Routes {
    Routes::with_openapi(Components::openapi())
        .routes(Scope::Read, routes!(product_list::list))
        .routes(Scope::Read, routes!(read))
        .routes(Scope::Write, routes!(create))
        .routes(Scope::Write, routes!(put, patch, delete))
        .routes(Scope::Write, routes!(bulk))
        .with_state(catalogue)
}

/// The response to a write.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Written {
    /// The product.
    #[schema(value_type = String, examples("lamp-1"))]
    id: ProductId,
    /// Its version after the write.
    #[schema(value_type = u64, examples(1))]
    version: Version,
    /// The effect of the write, for people.
    #[schema(value_type = String, examples("created"))]
    message: &'static str,
}

pub(crate) fn write_response(response: WriteResponse) -> Response {
    let (status, message) = match response.outcome {
        WriteOutcome::Created => (StatusCode::CREATED, "created"),
        WriteOutcome::Updated => (StatusCode::OK, "updated"),
        WriteOutcome::Unchanged => (StatusCode::OK, "unchanged: the product has this content already"),
        WriteOutcome::Deleted => (StatusCode::OK, "deleted"),
    };
    let mut headers = HeaderMap::new();
    headers.insert(SYNC_TOKEN, sync_token_header(&response.sync_token()));
    let WriteResponse { outcome, id, version } = response;
    if outcome != WriteOutcome::Deleted {
        headers.insert(ETAG, version_tag(version));
    }
    if outcome == WriteOutcome::Created
        && let Ok(location) = HeaderValue::from_str(&format!("/products/{id}"))
    {
        headers.insert(LOCATION, location);
    }
    (status, headers, axum::Json(Written { id, version, message })).into_response()
}

/// Executes a command under the conditions of its request.
async fn execute(
    catalogue: &Catalogue,
    request: &WriteRequest,
    body: Bytes,
    command: Command,
) -> Result<Response, Problem> {
    let request = request.clone();
    let conditions = off_thread(body.len(), move || request.conditions(&body)).await?;
    let command = command.with_conditions(conditions);
    // The audit log names a generated id only if the product is created.
    let id = (!matches!(command.operation, Operation::CreateNew(_))).then(|| command.id.clone());
    let result = catalogue.execute(command).await;
    let entry = entry_of(id.as_ref(), &result);
    let response = result.map_or_else(|error| error.to_problem().into_response(), write_response);
    Ok((entry.attached(), response).into_response())
}

/// Reads the product of a body. If `id` is given, the body must have the same id or none.
async fn read_body(
    catalogue: &Catalogue,
    body: &Bytes,
    id: Option<&ProductId>,
) -> Result<ProductInput, Problem> {
    let (bytes, currency) = (body.clone(), catalogue.currency());
    let input = off_thread(body.len(), move || read_product(&bytes, currency)).await;
    let input = input.map_err(CommandError::from)?;
    match (&input.id, id) {
        (Some(given), Some(id)) if given != id => {
            Err(CommandError::from(Faults::from(other_id_fault(id))).into())
        }
        _ => Ok(input),
    }
}

/// Create a product
///
/// A product without an `id` gets a generated one. If the `id` or the `sku` is taken, the response is 409.
#[utoipa::path(
    post, path = "/products", tag = "products", operation_id = "createProduct",
    request_body(content = ProductBody, content_type = "application/json", description = "The product: `name` and any other fields, at most 200 KiB.",
        example = json!({"id": "lamp-1", "name": "Desk lamp", "brand": "Hikari", "category": "Home > Lamps", "price": 39.9, "currency": "USD", "stock": 12, "tags": ["oak"], "attributes": {"colour": "black", "watts": 8}})),
    params(IdempotencyHeader),
    responses(
        BadJsonBody, ServiceFailed, DiskFull,
        (status = 201, description = "The product is stored durably; searches find it soon.", body = Written, headers(("Location" = String, description = "The path of the product."), ("ETag" = String, description = "The version in quotes; send it back as `If-Match`."), ("Noren-Sync-Token" = String, description = "Send it with a search that must see this write."))),
        (status = 409, description = "The id or the sku is taken.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The product has faults, each in `errors`, or the idempotency key was used for another request.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn create(
    State(catalogue): State<Catalogue>,
    _: NoParameters,
    request: WriteRequest,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let input = read_body(&catalogue, &body, None).await?;
    let command = match input.id {
        Some(id) => Command::new(id, Operation::Create(input.content)),
        None => Command::new(ProductId::generate(), Operation::CreateNew(input.content)),
    };
    execute(&catalogue, &request, body, command).await
}

/// Read a product
///
/// From the store, including drafts and archived products.
#[utoipa::path(
    get, path = "/products/{id}", tag = "products", operation_id = "readProduct",
    params(("id" = inline(ProductId), Path, description = "The id of the product.", example = "ket-0004"),
           ("If-None-Match" = Option<String>, Header, nullable = false, description = "An ETag: the response is 304 if the product still has it.")),
    responses(
        NotModified, BadParameters, ProductNotFound, InvalidId, ServiceFailed,
        (status = 200, description = "The product.", body = Product, headers(("ETag" = String, description = "The version in quotes; send it back as `If-Match` or `If-None-Match`."))),
    )
)]
async fn read(
    State(catalogue): State<Catalogue>,
    _: NoParameters,
    IdInPath(id): IdInPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let product = catalogue.get(&id).await?;
    let caching =
        [(ETAG, version_tag(product.version)), (CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if has_entity_tag(&headers, &product.version.to_string()) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    Ok(server_timing::measure(Phase::Json, || (caching, axum::Json(&*product)).into_response()))
}

/// Create or replace a product
///
/// Fields that the body omits are removed. An equal product keeps its version.
#[utoipa::path(
    put, path = "/products/{id}", tag = "products", operation_id = "putProduct",
    request_body(content = ProductBody, content_type = "application/json", description = "The product, at most 200 KiB.",
        example = json!({"name": "Desk lamp", "price": 34.9})),
    params(("id" = inline(ProductId), Path, description = "The id of the product: 1 to 128 ASCII letters, digits and `.`, `_`, `-`, `:`, `~`.", example = "lamp-1"),
           IfMatchHeader,
           ("If-None-Match" = Option<String>, Header, nullable = false, pattern = r"^\*$", description = "`*`: create only; 412 if the product exists."),
           IdempotencyHeader),
    responses(
        BadJsonBody, PreconditionFailed, ServiceFailed, DiskFull,
        (status = 200, description = "The product is replaced, or was equal already.", body = Written, headers(("ETag" = String, description = "The version in quotes; send it back as `If-Match`."), ("Noren-Sync-Token" = String, description = "Send it with a search that must see this write."))),
        (status = 201, description = "The product is created.", body = Written, headers(("Location" = String, description = "The path of the product."), ("ETag" = String, description = "The version in quotes; send it back as `If-Match`."), ("Noren-Sync-Token" = String, description = "Send it with a search that must see this write."))),
        (status = 409, description = "The sku is taken.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The product has faults, each in `errors`.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn put(
    State(catalogue): State<Catalogue>,
    _: NoParameters,
    IdInPath(id): IdInPath,
    request: WriteRequest,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let input = read_body(&catalogue, &body, Some(&id)).await?;
    execute(&catalogue, &request, body, Command::new(id, Operation::Put(input.content))).await
}

/// Change some fields of a product
///
/// A JSON merge patch (RFC 7396): null removes a field, `attributes` are merged key by key, any other value replaces.
#[utoipa::path(
    patch, path = "/products/{id}", tag = "products", operation_id = "patchProduct",
    request_body(content = ProductPatch, content_type = "application/merge-patch+json", description = "The fields to change.",
        example = json!({"price": 29.9, "attributes": {"colour": null}})),
    params(("id" = inline(ProductId), Path, description = "The id of the product.", example = "lamp-1"),
           IfMatchHeader,
           IdempotencyHeader),
    responses(
        BadJsonBody, ProductNotFound, PreconditionFailed, ServiceFailed, DiskFull,
        (status = 200, description = "The product is changed, or was equal already.", body = Written, headers(("ETag" = String, description = "The version in quotes; send it back as `If-Match`."), ("Noren-Sync-Token" = String, description = "Send it with a search that must see this write."))),
        (status = 409, description = "The sku is taken.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The changed product has faults, each in `errors`.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn patch(
    State(catalogue): State<Catalogue>,
    _: NoParameters,
    IdInPath(id): IdInPath,
    request: WriteRequest,
    PatchBody(body): PatchBody,
) -> Result<Response, Problem> {
    let command = Command::new(id, Operation::Patch(body.to_vec().into()));
    execute(&catalogue, &request, body, command).await
}

/// Delete a product
///
/// If it is created again, its version continues.
#[utoipa::path(
    delete, path = "/products/{id}", tag = "products", operation_id = "deleteProduct",
    params(("id" = inline(ProductId), Path, description = "The id of the product.", example = "lamp-1"),
           IfMatchHeader,
           IdempotencyHeader),
    responses(
        BadParameters, ProductNotFound, PreconditionFailed, InvalidId, ServiceFailed, DiskFull,
        (status = 200, description = "The product is deleted.", body = Written, headers(("Noren-Sync-Token" = String, description = "Send it with a search that must see this write."))),
    )
)]
async fn delete(
    State(catalogue): State<Catalogue>,
    _: NoParameters,
    IdInPath(id): IdInPath,
    request: WriteRequest,
) -> Result<Response, Problem> {
    execute(&catalogue, &request, Bytes::new(), Command::new(id, Operation::Delete)).await
}

/// Create or replace many products
///
/// NDJSON: one product a line, any number of lines, each at most 1 MiB. A product with an `id` is created or replaced, one
/// without is created. The response streams one line for each product, in order:
/// `{"line":1,"status":201,"outcome":"created","id":"lamp-1","version":1,"syncToken":"1.lamp-1"}`, or with a `problem`
/// instead of the outcome. A rejected line does not affect the others. Empty lines are skipped.
///
/// With `mode=merge`, each line is a JSON merge patch with an `id`: fields that it leaves out stay, null removes a field, and
/// a product that does not exist is created.
#[utoipa::path(
    post, path = "/products/bulk", tag = "products", operation_id = "writeProducts",
    params(("mode" = inline(Option<WriteMode>), Query, description = "`replace`, the default, or `merge`."),
           ("source" = Option<String>, Query, min_length = 1, max_length = 128, description = "The source to write into the products, whatever the lines say.")),
    request_body(content = String, content_type = "application/x-ndjson", example = "{\"id\":\"lamp-1\",\"name\":\"Desk lamp\"}\n{\"id\":\"lamp-2\",\"name\":\"Floor lamp\"}\n"),
    responses(
        BadParameters, NotNdjson,
        (status = 200, description = "A `LineResult_Problem` a line.", body = String, content_type = "application/x-ndjson",
            example = "{\"line\":1,\"status\":201,\"outcome\":\"created\",\"id\":\"lamp-1\",\"version\":1,\"syncToken\":\"1.lamp-1\"}\n"),
    )
)]
async fn bulk(
    State(catalogue): State<Catalogue>,
    Parameters(mut parameters): Parameters,
    headers: HeaderMap,
    trail: Trail,
    body: Body,
) -> Result<Response, Problem> {
    check_content_type(&headers, &["application/x-ndjson"])?;
    let mode = take_mode(&mut parameters).unwrap_or(WriteMode::Replace);
    let source = take_source(&mut parameters).map(Into::into);
    parameters.finish(|_| unknown_among(&["mode", "source"])).map_err(|faults| bad_parameters(&faults))?;
    let lines = BulkLines { mode, source, traceparent: traceparent(&headers) };
    let results = crate::bulk::results(catalogue, body, lines, trail);
    let started = Entry { outcome: Some("started"), ..Entry::default() };
    Ok((started.attached(), [(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(results))
        .into_response())
}

/// Takes the parameter `source`: the source to write into the products.
pub(crate) fn take_source(parameters: &mut ParameterReader) -> Option<String> {
    parameters.parsed("source", |text| parse_label(text, MAX_LABEL_CHARS))
}

/// Takes the parameter `mode`.
fn take_mode(parameters: &mut ParameterReader) -> Option<WriteMode> {
    let fault = || (FaultKind::Malformed, "must be `merge` or `replace`".to_owned());
    parameters.parsed("mode", |text| WriteMode::parse(text).ok_or_else(fault))
}
