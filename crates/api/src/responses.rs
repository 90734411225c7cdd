//! Responses that many operations share, as OpenAPI documents describe them.
//!
//! An operation names them in `responses(…)` beside its own. Of several responses with one status the last one wins, so
//! that an operation can describe a status more closely. A router that uses them begins with [`Components`], which
//! contain the schemas that they refer to.

use domain::Fault;
use runtime::Problem;
use utoipa::{IntoResponses, OpenApi};

/// The schemas of shared responses.
#[derive(OpenApi)]
#[openapi(components(schemas(Problem, Fault, domain::FaultKind)))]
pub struct Components;

/// 304 for a conditional GET.
#[derive(IntoResponses)]
#[response(status = 304, description = "Not modified: `If-None-Match` names the current `ETag`.")]
pub struct NotModified;

/// 400 for parameters.
#[derive(IntoResponses)]
#[response(
    status = 400,
    description = "Parameters are unknown, malformed or out of range; `errors` names each.",
    content_type = "application/problem+json",
    example = json!({
        "type": "about:blank", "title": "Bad Request", "status": 400, "detail": "2 invalid parameters",
        "errors": [
            {"field": "pageSize", "message": "must be a whole number from 1 to 100", "type": "out_of_range"},
            {"field": "pricerange", "message": "is not a parameter here; did you mean `priceRange`?", "type": "unknown"}
        ]
    })
)]
pub struct BadParameters(pub Problem);

/// 404 for an id that has no product.
#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "The product does not exist.",
    content_type = "application/problem+json"
)]
pub struct ProductNotFound(pub Problem);

/// 404 for an id that has no API key.
#[derive(IntoResponses)]
#[response(status = 404, description = "There is no such key.", content_type = "application/problem+json")]
pub struct KeyNotFound(pub Problem);

/// 412 for a precondition on the version.
#[derive(IntoResponses)]
#[response(
    status = 412,
    description = "`If-Match` or `If-None-Match` does not hold; `currentVersion` has the version of the product, or null.",
    content_type = "application/problem+json"
)]
pub struct PreconditionFailed(pub Problem);

/// 422 for a path parameter that no product id has.
#[derive(IntoResponses)]
#[response(
    status = 422,
    description = "The id is not a valid product id.",
    content_type = "application/problem+json"
)]
pub struct InvalidId(pub Problem);

/// The responses to a body that is not the JSON that the operation takes.
#[derive(IntoResponses)]
pub enum BadJsonBody {
    /// 400
    #[response(
        status = 400,
        description = "The body is not JSON, or a parameter or header is invalid.",
        content_type = "application/problem+json"
    )]
    Syntax(Problem),
    /// 413
    #[response(
        status = 413,
        description = "The body is larger than 1 MiB.",
        content_type = "application/problem+json"
    )]
    TooLarge(Problem),
    /// 415
    #[response(
        status = 415,
        description = "The body does not have the content type of the operation, or it has a content encoding.",
        content_type = "application/problem+json"
    )]
    WrongType(Problem),
    /// 422
    #[response(
        status = 422,
        description = "Fields are unknown, malformed or out of range; `errors` names each.",
        content_type = "application/problem+json",
        example = json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422,
            "detail": "priceRange: must be `min-max`, `min-` or `-max`",
            "errors": [
                {"field": "priceRange", "message": "must be `min-max`, `min-` or `-max`", "type": "malformed"}
            ]
        })
    )]
    Faults(Problem),
}

/// 415 for a body that is not NDJSON.
#[derive(IntoResponses)]
#[response(
    status = 415,
    description = "The content type is not `application/x-ndjson`, or the body has a content encoding.",
    content_type = "application/problem+json"
)]
pub struct NotNdjson(pub Problem);

/// The responses when the service or one of its back ends fails.
#[derive(IntoResponses)]
pub enum ServiceFailed {
    /// 500
    #[response(
        status = 500,
        description = "A defect; the log has the details under the request id.",
        content_type = "application/problem+json"
    )]
    Defect(Problem),
    /// 503
    #[response(
        status = 503,
        description = "A back end is unavailable or overloaded.",
        content_type = "application/problem+json",
        headers(("Retry-After" = u64, description = "Seconds until a retry is useful."))
    )]
    Unavailable(Problem),
}

/// 507 for writes.
#[derive(IntoResponses)]
#[response(
    status = 507,
    description = "The disk is full; nothing was written.",
    content_type = "application/problem+json"
)]
pub struct DiskFull(pub Problem);

/// 504 for a request with sync tokens.
#[derive(IntoResponses)]
#[response(
    status = 504,
    description = "A write named by a sync token is not indexed yet; `notIndexed` lists the tokens.",
    content_type = "application/problem+json",
    headers(("Retry-After" = u64, description = "Seconds until a retry is useful."))
)]
pub struct NotIndexed(pub Problem);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_response_refers_to_the_schema_of_a_problem() {
        let responses = ServiceFailed::responses();
        assert_eq!(responses.keys().collect::<Vec<_>>(), ["500", "503"]);
        let json = serde_json::to_value(&responses["503"]).unwrap();
        let schema = json.pointer("/content/application~1problem+json/schema/$ref").unwrap();
        assert_eq!(schema, "#/components/schemas/Problem");
        assert!(json.pointer("/headers/Retry-After").is_some());
        let components = Components::openapi().components.unwrap();
        assert!(components.schemas.contains_key("Problem"));
    }
}
