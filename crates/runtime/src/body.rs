//! Request bodies that are read as a whole, with a checked content type.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

use crate::Problem;
use crate::body_budget::read_whole;

/// The bytes of a body with the content type of JSON, not parsed.
pub struct JsonBody(pub Bytes);

/// The bytes of a body with the content type of a merge patch or of JSON, not parsed.
pub struct PatchBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Response;
    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        body_of_type(request, &["application/json"]).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for PatchBody {
    type Rejection = Response;
    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        body_of_type(request, &["application/merge-patch+json", "application/json"]).await.map(Self)
    }
}

async fn body_of_type(request: Request, types: &[&str]) -> Result<Bytes, Response> {
    check_content_type(request.headers(), types).map_err(Problem::into_response)?;
    read_whole(request).await
}

/// Checks that the content type is one of `types`, ignoring parameters such as a charset.
///
/// # Errors
/// 415 for any other content type.
pub fn check_content_type(headers: &HeaderMap, types: &[&str]) -> Result<(), Problem> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim();
    if types.iter().any(|allowed| kind.eq_ignore_ascii_case(allowed)) {
        return Ok(());
    }
    let detail = format!("the body must have the header `content-type: {}`", types.join("` or `"));
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}
