//! Errors of requests to S3.

use domain::ports::{PortError, PortErrorKind};
use http::StatusCode;

/// The most bytes of an error of S3 that are kept.
const MAX_ERROR_BYTES: usize = 500;

/// The reason why the bucket cannot be used. Each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The bucket does not exist.
    #[error("there is no S3 bucket `{bucket}`; set NOREN_IMAGES_BUCKET to an existing one, or create it")]
    NoBucket {
        /// The configured name.
        bucket: String,
    },
    /// The name cannot be that of a bucket.
    #[error(
        "`{bucket}` is not the name of an S3 bucket; set NOREN_IMAGES_BUCKET to 3 to 63 lower-case letters, digits, `-` and `.`"
    )]
    InvalidName {
        /// The configured name.
        bucket: String,
    },
    /// The bucket is elsewhere.
    #[error("the S3 bucket `{bucket}` is not in region {region}; set AWS_REGION to that of the bucket")]
    OtherRegion {
        /// The configured name.
        bucket: String,
        /// The configured region.
        region: String,
    },
    /// The server denies access.
    #[error("access to the S3 bucket `{bucket}` is denied; check the AWS credentials and their permissions")]
    Refused {
        /// The configured name.
        bucket: String,
    },
    /// The HTTP client cannot be created.
    #[error("cannot set up the connections to S3")]
    Client(#[source] reqwest::Error),
    /// The server does not respond.
    #[error("S3 does not respond")]
    Unreachable(#[source] PortError),
}

impl OpenError {
    /// Returns true if the same attempt may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
}

/// The error of one request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// The credentials cannot be had, or the request cannot be signed.
    #[error("the request cannot be signed")]
    Unsigned(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server was not reached, or its response broke off.
    #[error("S3 was not reached")]
    Unreachable(#[source] reqwest::Error),
    /// The server rejected the request.
    #[error("S3 responded with {status}: {text}")]
    Status {
        /// The status.
        status: StatusCode,
        /// The beginning of the response.
        text: String,
    },
    /// The response is not what S3 sends.
    #[error("the response of S3 is malformed")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl RequestError {
    /// Creates the error of a status, without the address, which is signed.
    pub(crate) fn of_status(status: StatusCode, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(&body[..body.len().min(MAX_ERROR_BYTES)]).into_owned();
        Self::Status { status, text }
    }

    /// Creates the error of a connection, without the address, which is signed.
    pub(crate) fn unreachable(error: reqwest::Error) -> Self {
        Self::Unreachable(error.without_url())
    }

    /// Returns true if the same request may succeed a moment later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Status { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Unsigned(_) | Self::Malformed(_) => false,
        }
    }

    /// Converts to an error of the port; `context` names the operation, in lower case.
    pub(crate) fn in_port(self, context: &str) -> PortError {
        let kind = match &self {
            Self::Status { status, .. } => match *status {
                // S3 asks to slow down by 503.
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => PortErrorKind::Throttled,
                // An operator must fix these outside of Noren: the same request succeeds once that is done.
                StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::MOVED_PERMANENTLY => {
                    PortErrorKind::Unavailable
                }
                status if status.is_server_error() => PortErrorKind::Unavailable,
                _ => PortErrorKind::Internal,
            },
            Self::Unreachable(_) | Self::Unsigned(_) => PortErrorKind::Unavailable,
            Self::Malformed(_) => PortErrorKind::Internal,
        };
        PortError::new(kind, context, self)
    }
}
