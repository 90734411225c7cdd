//! Responses, and the problems in them.

use axum::body::Bytes;
use domain::{Fault, FaultKind};
use reqwest::StatusCode;
use serde::Deserialize;

use crate::failure::{Context as _, Failure};

/// Size limit of a response in bytes: more than a page of the largest products.
pub(super) const MAX_RESPONSE_BYTES: usize = 256 * 1024 * 1024;

/// The advice for a response with status 401.
pub const HOW_TO_GIVE_A_KEY: &str =
    "give a valid key by `noren login URL`, --api-key-file, NOREN_API_KEY_FILE or NOREN_API_KEY";

/// A complete response.
#[derive(Debug)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Bytes,
}

impl Response {
    /// Returns the body of a success.
    ///
    /// # Errors
    /// The faults of the problem, if the response is not a success.
    pub fn success(self) -> Result<Bytes, Failure> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        if self.status.is_redirection() {
            let how =
                "the service at this address only redirects to another one; give that address with --url";
            return Err(Failure::new(how));
        }
        let problem: Problem = serde_json::from_slice(&self.body).unwrap_or_default();
        let mut faults = problem.into_faults(self.status.as_u16());
        if self.status == StatusCode::UNAUTHORIZED {
            faults.push(Fault::new("", FaultKind::Malformed, HOW_TO_GIVE_A_KEY));
        }
        let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
        Err(Failure::new(faults.join("; ")))
    }
}

/// Reads JSON of a service. `what` names it in the error.
///
/// # Errors
/// If the JSON is not of the expected form.
pub fn read_json<'a, T: Deserialize<'a>>(json: &'a [u8], what: &str) -> Result<T, Failure> {
    serde_json::from_slice(json).context(|| format!("reading {what}; is this address a noren service"))
}

/// A problem document, RFC 9457.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// The problem in one sentence.
    pub detail: String,
    /// The faults of the request.
    pub errors: Vec<Fault>,
    /// The number of faults that `errors` does not list.
    #[serde(rename = "errorsOmitted")]
    pub errors_omitted: usize,
}

impl Problem {
    /// Returns the faults, or the detail as the only fault. If not all are listed, a last one names the number of the others.
    pub fn into_faults(mut self, status: u16) -> Vec<Fault> {
        if !self.errors.is_empty() {
            if self.errors_omitted > 0 {
                let message = format!("and {} more faults", self.errors_omitted);
                self.errors.push(Fault::new("", FaultKind::OutOfRange, message));
            }
            return self.errors;
        }
        let detail =
            if self.detail.is_empty() { format!("was refused with status {status}") } else { self.detail };
        vec![Fault::new("", FaultKind::Malformed, detail)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_reported_with_all_its_faults() {
        let body = r#"{"title":"x","detail":"the request has faults","errors":[
            {"field":"page","message":"must be a number","type":"malformed"},
            {"field":"sort","message":"is unknown","type":"unknown"}]}"#;
        let response = Response { status: StatusCode::UNPROCESSABLE_ENTITY, body: body.into() };
        assert_eq!(response.success().unwrap_err().to_string(), "page: must be a number; sort: is unknown");
        let body =
            r#"{"errors":[{"field":"page","message":"is unknown","type":"unknown"}],"errorsOmitted":7}"#;
        let response = Response { status: StatusCode::BAD_REQUEST, body: body.into() };
        assert_eq!(response.success().unwrap_err().to_string(), "page: is unknown; and 7 more faults");
        let response = Response { status: StatusCode::BAD_GATEWAY, body: "<html>".into() };
        assert_eq!(response.success().unwrap_err().to_string(), "was refused with status 502");
        let response = Response { status: StatusCode::FOUND, body: Bytes::new() };
        assert!(response.success().unwrap_err().to_string().contains("redirects"));
    }
}
