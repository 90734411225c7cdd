//! What the handlers share: members of bodies, responses and problems.

use algolia_protocol::RequestError;
use axum::http::StatusCode;
use axum::response::Response;
use runtime::Problem;
use serde_json::{Map, Value};

use crate::http::json_response;

/// Returns the problem of a request that cannot be answered.
#[expect(clippy::needless_pass_by_value, reason = "a function for `map_err`")]
pub(super) fn refused(error: RequestError) -> Problem {
    let status = match error {
        RequestError::Invalid(_) => StatusCode::BAD_REQUEST,
        RequestError::UnknownIndex(_) => StatusCode::NOT_FOUND,
    };
    Problem::new(status, error.to_string())
}

/// Returns a response of JSON.
pub(super) fn json(value: &Value) -> Response {
    json_response(value.to_string())
}

/// Returns a text of an object of the body.
pub(super) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, Problem> {
    members
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, format!("{name}: must be a text")))
}
