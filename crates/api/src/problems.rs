//! Errors of the domain as problem documents.

use access::Object;
use domain::input::InputError;
use domain::ports::{PortError, PortErrorKind};
use domain::{Fault, FaultKind, Faults};
use http::StatusCode;
use runtime::Problem;
use serde::de::DeserializeOwned;

/// A back end as error texts name it, with the status for a full disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackEnd {
    name: &'static str,
    full: StatusCode,
}

/// The index that searches read.
pub const SEARCH_INDEX: BackEnd = BackEnd::read("the search index");
/// The store that writes go to.
pub const PRODUCT_STORE: BackEnd = BackEnd::written("the product store");

impl BackEnd {
    /// Returns a back end that requests read. If its disk is full, the response is 503.
    pub const fn read(name: &'static str) -> Self {
        Self { name, full: StatusCode::SERVICE_UNAVAILABLE }
    }

    /// Returns a back end that requests write. If its disk is full, the response is 507.
    pub const fn written(name: &'static str) -> Self {
        Self { name, full: StatusCode::INSUFFICIENT_STORAGE }
    }

    /// Converts an error of this back end to a problem. Logs the error with its causes, unless the kind is
    /// [`Suspended`](PortErrorKind::Suspended).
    ///
    /// The problem does not contain the causes. Clients may retry after a 503 with `Retry-After`. The problem of a full disk has no
    /// `Retry-After`, because an operator must free space first.
    pub fn problem(&self, error: &PortError) -> Problem {
        let name = self.name;
        if error.kind != PortErrorKind::Suspended {
            tracing::error!(error.kind = ?error.kind, error.chain = error.chain(), "{name} failed");
        }
        match error.kind {
            PortErrorKind::Throttled => {
                Problem::unavailable(format!("{name} has too many requests now; try again more slowly"))
            }
            PortErrorKind::Unavailable | PortErrorKind::Suspended => {
                Problem::unavailable(format!("{name} is not available now; try again"))
            }
            PortErrorKind::Full => {
                Problem::new(self.full, format!("{name} has no room left; an operator must free some"))
            }
            PortErrorKind::Internal => Problem::internal(),
        }
    }
}

/// Converts the error of a port call, for handlers that use `?`.
pub trait OrProblem<T> {
    /// Converts an error by [`BackEnd::problem`].
    ///
    /// # Errors
    /// The problem of the error.
    fn or_problem(self, back_end: BackEnd) -> Result<T, Problem>;
}

impl<T> OrProblem<T> for Result<T, PortError> {
    fn or_problem(self, back_end: BackEnd) -> Result<T, Problem> {
        self.map_err(|error| back_end.problem(&error))
    }
}

/// Returns a problem for one fault, with the fault as its detail.
pub fn of_fault(status: StatusCode, fault: Fault) -> Problem {
    Problem::of_faults(status, fault.to_string(), &[fault])
}

/// Returns 400 for one fault of a parameter, a header or the path.
pub fn bad_request(field: &str, kind: FaultKind, message: impl Into<String>) -> Problem {
    of_fault(StatusCode::BAD_REQUEST, Fault::new(field, kind, message))
}

/// Returns 400 with the faults of the parameters.
pub fn bad_parameters(faults: &Faults) -> Problem {
    of_faults(StatusCode::BAD_REQUEST, faults, |count| format!("{count} invalid parameters"))
}

/// Returns 400 for a body that is not JSON, otherwise 422 with its faults. `what` names the expected content, such as
/// `the product`.
pub fn bad_body(error: &InputError, what: &str) -> Problem {
    match error {
        InputError::Syntax(detail) => Problem::new(StatusCode::BAD_REQUEST, detail),
        InputError::Faults(faults) => {
            of_faults(StatusCode::UNPROCESSABLE_ENTITY, faults, |count| format!("{what} has {count} faults"))
        }
    }
}

/// Reads a JSON object of a fixed form. `what` names the expected content, such as `a key`.
///
/// # Errors
/// 400 for a body that is not JSON, otherwise 422 with the wrong field.
pub fn read_body<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut reader).map(|Object(read)| read).map_err(|error| {
        let field = error.path().to_string();
        // The path of the body itself.
        let field = if field == "." { String::new() } else { field };
        (field, error.into_inner())
    });
    let read = read.and_then(|read| reader.end().map(|()| read).map_err(|error| (String::new(), error)));
    read.map_err(|(field, error)| match error.is_data() {
        true => refused_body(&field, format!("is not right for {what}: {error}")),
        false => Problem::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}")),
    })
}

/// Returns 422 for one fault of a body.
pub fn refused_body(field: &str, message: impl Into<String>) -> Problem {
    of_fault(StatusCode::UNPROCESSABLE_ENTITY, Fault::new(field, FaultKind::Malformed, message))
}

/// Returns a problem that lists the faults. A single fault is its detail; `several` makes the detail from their number.
fn of_faults(status: StatusCode, faults: &Faults, several: impl FnOnce(usize) -> String) -> Problem {
    let detail = match (faults.listed(), faults.omitted()) {
        ([fault], 0) => fault.to_string(),
        (_, 0) => several(faults.count()),
        (listed, _) => format!("{}; the first {} are listed", several(faults.count()), listed.len()),
    };
    Problem::of_faults(status, detail, faults.listed()).with_errors_omitted(faults.omitted())
}

/// Returns 500 for a response that cannot be serialized, and logs the error.
pub fn serialization_failed(error: &serde_json::Error) -> Problem {
    tracing::error!(error.chain = %error, "cannot write a response as JSON");
    Problem::internal()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;
    use http::header::RETRY_AFTER;

    #[test]
    fn a_failed_back_end_is_reported_without_its_cause() {
        let cases = [
            (PortErrorKind::Throttled, [503, 503], true),
            (PortErrorKind::Unavailable, [503, 503], true),
            (PortErrorKind::Full, [503, 507], false),
            (PortErrorKind::Internal, [500, 500], false),
        ];
        for (kind, statuses, retry) in cases {
            for (back_end, status) in [SEARCH_INDEX, PRODUCT_STORE].into_iter().zip(statuses) {
                let problem = back_end.problem(&PortError::new(kind, "searching", "secret.path: broken"));
                assert!(!problem.detail().contains("secret"));
                let response = problem.into_response();
                assert_eq!(response.status().as_u16(), status);
                assert_eq!(response.headers().contains_key(RETRY_AFTER), retry);
            }
        }
    }

    #[test]
    fn one_fault_is_the_detail_and_several_are_counted() {
        let fault = || Fault::new("page", FaultKind::Malformed, "must be a number");
        assert_eq!(bad_parameters(&fault().into()).detail(), "page: must be a number");
        let two = Faults::from_iter([fault(), fault()]);
        assert_eq!(bad_parameters(&two).detail(), "2 invalid parameters");
        assert_eq!(bad_body(&two.into(), "the product").detail(), "the product has 2 faults");
        let many: Faults = (0..520_000).map(|_| fault()).collect();
        let problem = serde_json::to_value(bad_body(&many.into(), "the product")).unwrap();
        assert_eq!(problem["detail"], "the product has 520000 faults; the first 50 are listed");
        assert_eq!(problem["errors"].as_array().unwrap().len(), 50);
        assert_eq!(problem["errorsOmitted"], 519_950);
    }
}
