//! Errors of a measurement.

use std::path::PathBuf;
use std::{error, io};

use axum::http::{Method, StatusCode, Uri};
use domain::ports::PortError;
use runtime::StartError;

use crate::catalogue::Cause;

/// A measurement that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// There is no server at the address.
    #[error("connecting to {host}")]
    Connect {
        /// Host and port.
        host: String,
        /// The cause.
        source: Box<dyn error::Error + Send + Sync>,
    },
    /// The connection was closed before the response was complete.
    #[error("{host} broke off")]
    Disconnected {
        /// Host and port.
        host: String,
        /// The cause.
        source: Box<dyn error::Error + Send + Sync>,
    },
    /// The response took too long.
    #[error("{host} did not respond within {seconds} s")]
    Timeout {
        /// Host and port.
        host: String,
        /// The time limit.
        seconds: u64,
    },
    /// The response is not a success.
    #[error("{method} {target} was answered with {status}: {body}")]
    Status {
        /// Method of the request.
        method: Method,
        /// Path and parameters of the request.
        target: Uri,
        /// Status of the response.
        status: StatusCode,
        /// Beginning of the body, escaped.
        body: String,
    },
    /// The response is a success, but not of a service that answers searches.
    #[error("the response of {host} is not JSON; is this the address of a service")]
    NotJson {
        /// The address.
        host: String,
    },
    /// Assertions do not hold.
    #[error("assertions do not hold: {0}")]
    Unmet(String),
    /// The request cannot be written.
    #[error("invalid request for {target}")]
    Request {
        /// Path and parameters.
        target: String,
        /// The cause.
        source: Box<dyn error::Error + Send + Sync>,
    },
    /// The response cannot be read.
    #[error("reading the response of a search")]
    Response(#[source] serde_json::Error),
    /// The response to a write has no sync token.
    #[error("the response to a write has no sync token")]
    NoSyncToken,
    /// There is nothing to search for.
    #[error("there is nothing to search for: {0}")]
    NoQueries(&'static str),
    /// A price range of a query is invalid.
    #[error("the price range of a query is invalid")]
    PriceRange(#[source] Cause),
    /// The index failed.
    #[error("searching the index")]
    Index(#[from] PortError),
    /// A file cannot be read or written, or a folder cannot be created.
    #[error("{action} {}", path.display())]
    File {
        /// The failed action, such as "reading".
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The catalogue failed.
    #[error("the catalogue failed")]
    Catalogue(#[source] Cause),
    /// The server cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A client ended unexpectedly.
    #[error("a client ended unexpectedly")]
    Client(#[from] tokio::task::JoinError),
}

impl BenchError {
    /// Returns a function that adds an action and a path to an I/O error.
    pub(crate) fn file(action: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
