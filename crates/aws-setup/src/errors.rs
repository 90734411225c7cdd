//! What an error of the SDK means to a caller.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::ports::{PortError, PortErrorKind};

/// Codes of errors that pass when there are fewer calls, or fewer to one item.
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

/// Codes of errors that somebody has to mend outside of Noren: the same call succeeds when that is done.
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

/// What a caller can do about an error of the SDK.
pub fn kind_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> PortErrorKind {
    match error {
        SdkError::ServiceError(service) => kind_of_code(service.err().code()),
        // A call that was put together wrongly is a defect of ours; everything else did not reach the server, or
        // its answer did not reach us.
        SdkError::ConstructionFailure(_) => PortErrorKind::Internal,
        _ => PortErrorKind::Unavailable,
    }
}

fn kind_of_code(code: Option<&str>) -> PortErrorKind {
    // A namespace may stand before the name: `com.amazonaws.sqs#QueueDoesNotExist`.
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

/// Whether the server has answered that it will not: the same call at the same state of things fails again.
pub fn is_refusal<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let status = error.raw_response().map(|response| response.status());
    status.is_some_and(|status| status.is_client_error()) && kind_of(error) != PortErrorKind::Throttled
}

/// The error of a port, with `context` saying what was being done.
pub fn port_error<E, R>(context: impl Into<String>, error: SdkError<E, R>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let (kind, context) = (kind_of(&error), context.into());
    match error {
        // The error of the service says everything; that it is one of the service says nothing more.
        SdkError::ServiceError(service) => PortError::new(kind, context, service.into_err()),
        error => PortError::new(kind, context, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_pass_is_internal() {
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
