//! Mapping errors of the SDK to errors of a port.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::ports::{PortError, PortErrorKind};

/// Error codes of rate limits and of conflicts over one item: the same call succeeds later.
const THROTTLED: [&str; 11] = [
    "KmsThrottled",
    "OverLimit",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// Error codes that an operator must fix outside of Noren: the same call succeeds once that is done.
const MISCONFIGURED: [&str; 15] = [
    "AccessDenied",
    "AccessDeniedException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// Classifies an error of the SDK by what a caller can do about it.
pub fn kind_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> PortErrorKind {
    match error {
        SdkError::ServiceError(service) => kind_of_code(service.err().code()),
        // An invalid request is a defect of ours. In every other case the request did not reach the server, or the
        // response did not reach us.
        SdkError::ConstructionFailure(_) => PortErrorKind::Internal,
        _ => PortErrorKind::Unavailable,
    }
}

fn kind_of_code(code: Option<&str>) -> PortErrorKind {
    // Some servers prefix the code with a namespace: `com.amazonaws.sqs#QueueDoesNotExist`.
    let code = code.map(|code| code.rsplit('#').next().unwrap_or(code));
    match code {
        Some(code) if THROTTLED.contains(&code) => PortErrorKind::Throttled,
        Some(code) if MISCONFIGURED.contains(&code) => PortErrorKind::Unavailable,
        Some("InternalServerError" | "InternalFailure" | "InternalError" | "ServiceUnavailable") | None => {
            PortErrorKind::Unavailable
        }
        Some(_) => PortErrorKind::Internal,
    }
}

/// Returns true if the server rejected the call with a 4xx that is not throttling: the same call fails again until an
/// operator changes something.
pub fn is_refusal<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let status = error.raw_response().map(|response| response.status());
    status.is_some_and(|status| status.is_client_error()) && kind_of(error) != PortErrorKind::Throttled
}

/// A failed call, and whether waiting can help.
pub struct FailedCall {
    /// The error.
    pub error: PortError,
    /// True if the same call fails again until an operator changes something, see [`is_refusal`].
    pub is_refusal: bool,
}

/// Converts an error of the SDK as [`port_error`] does, and keeps whether the server rejected the call.
pub fn failed_call<E>(context: impl Into<String>, error: SdkError<E, HttpResponse>) -> FailedCall
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let is_refusal = is_refusal(&error);
    FailedCall { error: port_error(context, error), is_refusal }
}

/// Converts an error of the SDK; `context` names the operation, in lower case.
pub fn port_error<E, R>(context: impl Into<String>, error: SdkError<E, R>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let (kind, context) = (kind_of(&error), context.into());
    match error {
        // The wrapper would only add "service error" to the chain.
        SdkError::ServiceError(service) => PortError::new(kind, context, service.into_err()),
        error => PortError::new(kind, context, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_that_cannot_pass_are_internal() {
        for (code, kind) in [
            (Some("ThrottlingException"), PortErrorKind::Throttled),
            (Some("com.amazonaws.dynamodb.v20120810#RequestLimitExceeded"), PortErrorKind::Throttled),
            (Some("com.amazonaws.sqs#QueueDoesNotExist"), PortErrorKind::Unavailable),
            (Some("ResourceNotFoundException"), PortErrorKind::Unavailable),
            (Some("InternalServerError"), PortErrorKind::Unavailable),
            (None, PortErrorKind::Unavailable),
            (Some("ValidationException"), PortErrorKind::Internal),
        ] {
            assert_eq!(kind_of_code(code), kind, "{code:?}");
        }
    }
}
