//! Batch calls. DynamoDB may leave a part of a batch unprocessed, which is then retried.

use aws_setup::backoff;
use backon::RetryableWithContext as _;
use domain::ports::{PortError, PortErrorKind};

/// The reason why one call did not complete a batch.
pub(crate) enum BatchError {
    /// The server left a part unprocessed. The batch keeps that part for the next attempt.
    Unprocessed,
    /// The call failed.
    Failed(PortError),
}

impl From<PortError> for BatchError {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}

/// Repeats `attempt` with backoff until it has processed all of the batch, and returns the batch. `context` names the operation
/// in errors.
///
/// # Errors
/// The error of a failed call, without further attempts; [`PortErrorKind::Throttled`] if a part is still unprocessed after the
/// last attempt.
pub(crate) async fn process_all<B, F>(
    context: &str,
    batch: B,
    attempt: impl FnMut(B) -> F,
) -> Result<B, PortError>
where
    F: Future<Output = (B, Result<(), BatchError>)>,
{
    let processing = attempt.retry(backoff()).context(batch);
    let (batch, result) = processing.when(|error| matches!(error, BatchError::Unprocessed)).await;
    match result {
        Ok(()) => Ok(batch),
        Err(BatchError::Failed(error)) => Err(error),
        Err(BatchError::Unprocessed) => Err(PortError::bare(PortErrorKind::Throttled, context)),
    }
}
