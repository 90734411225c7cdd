//! Problem documents: RFC 9457 `application/problem+json`.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A problem document, RFC 9457. The `type` is always `about:blank`: the status is the kind of problem, `detail` describes
/// it, `errors` and the extension members name the fields or versions concerned.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Always `about:blank`.
    #[serde(rename = "type")]
    #[schema(examples("about:blank"))]
    kind: &'static str,
    /// The meaning of the status.
    #[schema(value_type = String, examples("Unprocessable Entity"))]
    title: &'static str,
    /// The status of the response.
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16, examples(422))]
    status: StatusCode,
    /// The description for people.
    detail: String,
    /// The faults of the request, each `{field, message, type}`: the first 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = faults)]
    errors: Vec<Value>,
    /// The number of faults that `errors` does not list; absent if it lists all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, nullable = false, examples(950))]
    errors_omitted: Option<usize>,
    /// Extension members, such as the current version after a conflict.
    #[serde(flatten)]
    #[schema(ignore)]
    extensions: serde_json::Map<String, Value>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Returns the schema of a list of faults. The services define the schema `Fault`, since this crate knows no domain.
fn faults() -> utoipa::openapi::schema::Array {
    utoipa::openapi::schema::Array::new(utoipa::openapi::Ref::from_schema_name("Fault"))
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// Creates a problem with a status and a sentence for people.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status,
            detail: detail.into(),
            errors: Vec::new(),
            errors_omitted: None,
            extensions: serde_json::Map::new(),
            headers: Vec::new(),
        }
    }

    /// Creates a problem that lists faults of the request.
    pub fn of_faults(status: StatusCode, detail: impl Into<String>, faults: &[impl Serialize]) -> Self {
        let errors = faults.iter().filter_map(|fault| serde_json::to_value(fault).ok()).collect();
        Self { errors, ..Self::new(status, detail) }
    }

    /// Creates a 503 that allows a retry after a second.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(Duration::from_secs(1))
    }

    /// Creates a 500 without the cause, which belongs in the log.
    pub fn internal() -> Self {
        let detail = "something went wrong here; the log has the details under this request's id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// Adds the number of faults that are not listed.
    #[must_use]
    pub fn with_errors_omitted(mut self, count: usize) -> Self {
        if count > 0 {
            self.errors_omitted = Some(self.errors_omitted.unwrap_or(0) + count);
        }
        self
    }

    /// Keeps the first `count` faults, and counts the others as omitted.
    #[must_use]
    pub fn with_errors_at_most(mut self, count: usize) -> Self {
        let omitted = self.errors.len().saturating_sub(count);
        self.errors.truncate(count);
        self.with_errors_omitted(omitted)
    }

    /// Adds an extension member.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.extensions.insert(member.to_owned(), value);
        }
        self
    }

    /// Adds a header to the response.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds the header `Retry-After`, in whole seconds, at least 1.
    #[must_use]
    pub fn retry_after(self, delay: Duration) -> Self {
        self.with_header(RETRY_AFTER, HeaderValue::from(delay.as_secs().max(1)))
    }

    /// Returns the status of the response.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the description for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Converts an error response of a library without a problem document (404, 405, 408, 413, 415, …). Problem documents,
/// pages and successful responses are unchanged.
pub async fn problems_for_bare_errors(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_own = |kind: &[u8]| kind.starts_with(b"application/") || kind.starts_with(b"text/html");
    if !is_error || content_type.is_some_and(is_own) {
        return response;
    }
    let allow = response.headers().get(ALLOW).cloned();
    let detail = match (status, &allow) {
        (StatusCode::METHOD_NOT_ALLOWED, Some(allow)) => {
            format!(
                "this address takes {} only",
                allow.to_str().unwrap_or("other methods").replace(',', ", ")
            )
        }
        (StatusCode::PAYLOAD_TOO_LARGE, _) => {
            "the body is larger than 1 MiB; send several, or use /products/bulk or /imports".into()
        }
        (StatusCode::REQUEST_TIMEOUT, _) => "the request took too long and was given up".into(),
        _ => status.canonical_reason().unwrap_or("the request failed").to_lowercase(),
    };
    let problem = Problem::new(status, detail);
    match allow {
        Some(allow) => problem.with_header(ALLOW, allow).into_response(),
        None => problem.into_response(),
    }
}
