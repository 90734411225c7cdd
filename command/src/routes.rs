//! The routes of the write side.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::input::{ProductBody, ProductInput, read_product};
use domain::ports::{ListError, WriteOutcome, WriteResponse};
use domain::{FaultKind, Product, ProductId, Version};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use runtime::Problem;
use runtime::body::{JsonBody, PatchBody, check_content_type};
use runtime::http::SYNC_TOKEN;
use runtime::http::parameters;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Catalogue;
use crate::catalogue::{Command, Operation, id_differs};
use crate::error::{CommandError, problem_of_port};
use crate::request::{Id, NoParameters, bad_request, idempotency, precondition, traceparent};

/// Products on a page of the list, unless the caller says otherwise.
const DEFAULT_LIST_LIMIT: usize = 100;
/// The most products on a page of the list.
const MAX_LIST_LIMIT: usize = 500;

/// The routes of the write side with their description.
pub fn routes(catalogue: Catalogue) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(read, put, patch, delete))
        .routes(routes!(bulk))
        .with_state(catalogue)
}

/// What a write answers.
#[derive(Serialize, utoipa::ToSchema)]
struct Written {
    /// The product.
    #[schema(value_type = String, examples("lamp-1"))]
    id: ProductId,
    /// The version that it has now.
    #[schema(value_type = u64, examples(1))]
    version: Version,
    /// What happened, for a person.
    #[schema(value_type = String, examples("created"))]
    message: &'static str,
}

fn answered(answer: WriteResponse) -> Response {
    let (status, message) = match answer.outcome {
        WriteOutcome::Created => (StatusCode::CREATED, "created"),
        WriteOutcome::Updated => (StatusCode::OK, "updated"),
        WriteOutcome::Unchanged => (StatusCode::OK, "unchanged: it was so already"),
        WriteOutcome::Deleted => (StatusCode::OK, "deleted"),
    };
    let token = HeaderValue::from_str(&answer.sync_token().to_string());
    let WriteResponse { outcome, id, version } = answer;
    let location = HeaderValue::from_str(&format!("/products/{id}"));
    let mut response = (status, axum::Json(Written { id, version, message })).into_response();
    if let Ok(token) = token {
        response.headers_mut().insert(SYNC_TOKEN, token);
    }
    if outcome != WriteOutcome::Deleted {
        response.headers_mut().insert(ETAG, etag(version));
    }
    if outcome == WriteOutcome::Created
        && let Ok(location) = location
    {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn etag(version: Version) -> HeaderValue {
    // A number in quotes is always a valid header.
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Carries out a command with the conditions that the headers name.
async fn execute(
    catalogue: &Catalogue,
    (method, uri, headers): (&Method, &Uri, &HeaderMap),
    body: &[u8],
    mut command: Command,
) -> Response {
    let conditions = || Ok::<_, Problem>((precondition(headers)?, idempotency(headers, method, uri, body)?));
    match conditions() {
        Ok((precondition, idempotency)) => {
            command.precondition = precondition;
            command.idempotency = idempotency;
            command.traceparent = traceparent(headers);
        }
        Err(problem) => return problem.into_response(),
    }
    match catalogue.execute(command).await {
        Ok(answer) => answered(answer),
        Err(error) => error.to_problem().into_response(),
    }
}

/// Reads the product of a body; its id must be the one of the address, if there is one.
fn read_body(catalogue: &Catalogue, body: &[u8], id: Option<&ProductId>) -> Result<ProductInput, Response> {
    let input = read_product(body, catalogue.currency());
    let input = input.map_err(|error| CommandError::from(error).to_problem().into_response())?;
    match (&input.id, id) {
        (Some(given), Some(id)) if given != id => {
            let error = CommandError::Input(id_differs(id).into());
            Err(error.to_problem().into_response())
        }
        _ => Ok(input),
    }
}

/// Create a product
///
/// Without an `id` it gets a new one. A product whose `id` or `sku` is taken is refused.
#[utoipa::path(
    post, path = "/products", tag = "products",
    request_body(content = ProductBody, content_type = "application/json", description = "The product: `name` and whatever else it has, at most 200 KiB.",
        example = json!({"id": "lamp-1", "name": "Desk lamp", "brand": "Hikari", "category": "Home > Lamps", "price": 39.9, "currency": "USD", "stock": 12, "tags": ["oak"], "attributes": {"colour": "black", "watts": 8}})),
    params(("Idempotency-Key" = Option<String>, Header, description = "A name for this request: repeating it under the same name answers as the first time and changes nothing.")),
    responses(
        (status = 201, description = "Durable, and about to be found by search.", body = Written, headers(("Location" = String), ("ETag" = String), ("Noren-Sync-Token" = String, description = "Send it with a search that must see this write."))),
        (status = 400, description = "Not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The id or the sku is taken.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not `application/json`.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Every fault of the product, or an idempotency key used for something else.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn create(
    State(catalogue): State<Catalogue>,
    _: NoParameters,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Response {
    let input = match read_body(&catalogue, &body, None) {
        Ok(input) => input,
        Err(response) => return response,
    };
    let command = match input.id {
        Some(id) => Command::new(id, Operation::Create(input.content)),
        None => Command::new(ProductId::generate(), Operation::CreateNew(input.content)),
    };
    execute(&catalogue, (&method, &uri, &headers), &body, command).await
}

/// Read a product
///
/// As the store holds it, also a draft or an archived one.
#[utoipa::path(
    get, path = "/products/{id}", tag = "products",
    params(("id" = String, Path, description = "The product's id."),
           ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 when the product still has it.")),
    responses(
        (status = 200, description = "The product.", body = Product, headers(("ETag" = String))),
        (status = 304, description = "It still has the version of `If-None-Match`."),
        (status = 404, description = "There is none.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn read(
    State(catalogue): State<Catalogue>,
    _: NoParameters,
    Id(id): Id,
    headers: HeaderMap,
) -> Response {
    let product = match catalogue.get(&id).await {
        Ok(product) => product,
        Err(error) => return error.to_problem().into_response(),
    };
    let tag = etag(product.version);
    let common = [(ETAG, tag.clone()), (CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if known.split(',').any(|known| known.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, axum::Json(&*product)).into_response()
}

/// Create or replace a product
///
/// What the body leaves out is gone afterwards. A product that is equal already keeps its version.
#[utoipa::path(
    put, path = "/products/{id}", tag = "products",
    request_body(content = ProductBody, content_type = "application/json", description = "The product, at most 200 KiB.",
        example = json!({"name": "Desk lamp", "price": 34.9})),
    params(("id" = String, Path, description = "The product's id: 1 to 128 ASCII letters, digits and `.`, `_`, `-`, `:`, `~`."),
           ("If-Match" = Option<String>, Header, description = "The ETag of the version to replace; 412 when it has another one."),
           ("If-None-Match" = Option<String>, Header, description = "`*`: create only; 412 when it exists."),
           ("Idempotency-Key" = Option<String>, Header, description = "A name for this request, to repeat it safely.")),
    responses(
        (status = 200, description = "Replaced, or equal already.", body = Written, headers(("ETag" = String), ("Noren-Sync-Token" = String, description = "Send it with a search that must see this write."))),
        (status = 201, description = "Created.", body = Written, headers(("Location" = String), ("ETag" = String), ("Noren-Sync-Token" = String, description = "Send it with a search that must see this write."))),
        (status = 409, description = "The sku is taken.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It has another version: `currentVersion`.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Every fault of the product.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn put(
    State(catalogue): State<Catalogue>,
    _: NoParameters,
    Id(id): Id,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Response {
    match read_body(&catalogue, &body, Some(&id)) {
        Ok(input) => {
            let command = Command::new(id, Operation::Put(input.content));
            execute(&catalogue, (&method, &uri, &headers), &body, command).await
        }
        Err(response) => response,
    }
}

/// Change some fields of a product
///
/// A JSON merge patch (RFC 7396): null removes a field, `attributes` are merged key by key, anything else replaces.
#[utoipa::path(
    patch, path = "/products/{id}", tag = "products",
    request_body(content = Object, content_type = "application/merge-patch+json", description = "The fields to change.",
        example = json!({"price": 29.9, "attributes": {"colour": null}})),
    params(("id" = String, Path, description = "The product's id."),
           ("If-Match" = Option<String>, Header, description = "The ETag of the version to change; 412 when it has another one."),
           ("Idempotency-Key" = Option<String>, Header, description = "A name for this request, to repeat it safely.")),
    responses(
        (status = 200, description = "Changed, or so already.", body = Written, headers(("ETag" = String), ("Noren-Sync-Token" = String, description = "Send it with a search that must see this write."))),
        (status = 404, description = "There is no such product.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It has another version: `currentVersion`.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Every fault of the changed product.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn patch(
    State(catalogue): State<Catalogue>,
    _: NoParameters,
    Id(id): Id,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    PatchBody(body): PatchBody,
) -> Response {
    let command = Command::new(id, Operation::Patch(body.to_vec().into()));
    execute(&catalogue, (&method, &uri, &headers), &body, command).await
}

/// Delete a product
///
/// Its next creation continues the version.
#[utoipa::path(
    delete, path = "/products/{id}", tag = "products",
    params(("id" = String, Path, description = "The product's id."),
           ("If-Match" = Option<String>, Header, description = "The ETag of the version to delete; 412 when it has another one."),
           ("Idempotency-Key" = Option<String>, Header, description = "A name for this request, to repeat it safely.")),
    responses(
        (status = 200, description = "Deleted.", body = Written, headers(("Noren-Sync-Token" = String, description = "Send it with a search that must see this write."))),
        (status = 404, description = "There is no such product.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It has another version: `currentVersion`.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn delete(
    State(catalogue): State<Catalogue>,
    _: NoParameters,
    Id(id): Id,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let command = Command::new(id, Operation::Delete);
    execute(&catalogue, (&method, &uri, &headers), b"", command).await
}

/// A page of all products.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProductList {
    products: Vec<Product>,
    /// Hand it back as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List all products
///
/// Also drafts and archived ones, in an order that stays the same. A product that exists from the first page to the
/// last is listed exactly once, whatever is written meanwhile.
#[utoipa::path(
    get, path = "/products", tag = "products",
    params(("cursor" = Option<String>, Query, description = "`nextCursor` of the page before."),
           ("limit" = Option<usize>, Query, minimum = 1, maximum = 500, description = "Products on a page, 100 unless given.")),
    responses(
        (status = 200, description = "A page.", body = ProductList),
        (status = 400, description = "A faulty parameter.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn list(State(catalogue): State<Catalogue>, uri: Uri) -> Response {
    let (cursor, limit) = match list_parameters(&uri) {
        Ok(parameters) => parameters,
        Err(problem) => return problem.into_response(),
    };
    match catalogue.list(cursor.as_deref(), limit).await {
        Ok(page) => {
            axum::Json(ProductList { products: page.products, next_cursor: page.next }).into_response()
        }
        Err(ListError::UnknownCursor) => {
            let message = "is not one that a list answered with";
            bad_request("cursor", FaultKind::Malformed, message).into_response()
        }
        Err(ListError::Failed(error)) => problem_of_port(&error).into_response(),
    }
}

fn list_parameters(uri: &Uri) -> Result<(Option<String>, usize), Problem> {
    let (mut cursor, mut limit) = (None, None);
    for (name, value) in parameters(uri) {
        let given_before = match name.as_str() {
            "cursor" => cursor.replace(value).is_some(),
            "limit" => {
                let number = value.parse().ok().filter(|limit| (1..=MAX_LIST_LIMIT).contains(limit));
                let number = number.ok_or_else(|| {
                    let message = format!("must be a whole number from 1 to {MAX_LIST_LIMIT}");
                    bad_request("limit", FaultKind::OutOfRange, message)
                })?;
                limit.replace(number).is_some()
            }
            _ => {
                let message = "is no parameter of this address; there are `cursor` and `limit`";
                return Err(bad_request(&name, FaultKind::Unknown, message));
            }
        };
        if given_before {
            return Err(bad_request(&name, FaultKind::Repeated, "is given twice; give it once"));
        }
    }
    Ok((cursor, limit.unwrap_or(DEFAULT_LIST_LIMIT)))
}

/// Create or replace many products
///
/// NDJSON in, one product a line, without a limit on their number; each line is at most 1 MiB. A product with an `id` is
/// created or replaced, one without is created. The answer streams one line for each, in order:
/// `{"line":1,"status":201,"outcome":"created","id":"lamp-1","version":1,"syncToken":"1.lamp-1"}`, or with
/// a `problem` instead of the outcome.
/// A line that is refused leaves the others as they are. Empty lines are passed over.
#[utoipa::path(
    post, path = "/products/bulk", tag = "products",
    request_body(content = String, content_type = "application/x-ndjson", example = "{\"id\":\"lamp-1\",\"name\":\"Desk lamp\"}\n{\"id\":\"lamp-2\",\"name\":\"Floor lamp\"}\n"),
    responses(
        (status = 200, description = "One result a line.", body = String, content_type = "application/x-ndjson"),
        (status = 415, description = "Not `application/x-ndjson`.", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn bulk(
    State(catalogue): State<Catalogue>,
    _: NoParameters,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if let Err(problem) = check_content_type(&headers, &["application/x-ndjson"]) {
        return problem.into_response();
    }
    let results = crate::bulk::results(catalogue, body, traceparent(&headers));
    ([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(results)).into_response()
}
