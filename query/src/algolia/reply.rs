//! Helpers of the handlers: required members, responses and problems.

use algolia_protocol::RequestError;
use api::problems::serialization_failed;
use axum::http::StatusCode;
use axum::response::Response;
use runtime::Problem;
use runtime::server_timing::{self, Phase};
use serde::Serialize;
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

/// Returns a JSON response.
pub(super) fn json(body: &impl Serialize) -> Result<Response, Problem> {
    let json = server_timing::measure(Phase::Json, || serde_json::to_vec(body))
        .map_err(|error| serialization_failed(&error))?;
    Ok(json_response(json))
}

/// The answers to several requests, in their order.
#[derive(Serialize)]
pub(super) struct Results<T> {
    pub(super) results: Vec<T>,
}

/// Returns a required string member of an object in the body.
pub(super) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, Problem> {
    members
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, format!("{name}: must be a string")))
}
