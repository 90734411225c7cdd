//! What an operator may ask of a running service, under `/admin/`: a proxy in front of it keeps shoppers away from
//! there.

pub mod dead_letters;
mod index;
mod stream;

use domain::ports::{PortError, PortErrorKind};
use domain::{Fault, FaultKind};
use http::{StatusCode, Uri};
use runtime::Problem;
use runtime::http::parameters;

pub use index::index_routes;

/// A problem with one fault.
fn fault(status: StatusCode, field: &str, kind: FaultKind, message: impl Into<String>) -> Problem {
    let fault = Fault::new(field, kind, message);
    Problem::of_faults(status, fault.to_string(), &[fault])
}

/// Refuses any query parameter, for addresses that take none.
fn no_parameters(uri: &Uri) -> Result<(), Problem> {
    match parameters(uri).next() {
        None => Ok(()),
        Some((name, _)) => {
            let message = "is no parameter of this address";
            Err(fault(StatusCode::BAD_REQUEST, &name, FaultKind::Unknown, message))
        }
    }
}

/// The problem for a failed port. What it was goes to the log, with all its causes.
fn problem_of_port(error: &PortError) -> Problem {
    tracing::error!(error = error.chain(), "a part of the service failed");
    match error.kind {
        PortErrorKind::Throttled => Problem::unavailable("too much at once; try again"),
        PortErrorKind::Unavailable => Problem::unavailable("a part of the service is not ready; try again"),
        PortErrorKind::Full => {
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, "there is no room left to store anything")
        }
        PortErrorKind::Internal => Problem::internal(),
    }
}
