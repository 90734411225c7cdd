//! Batch calls, of which DynamoDB may leave a part unprocessed.

use aws_setup::backoff;
use backon::RetryableWithContext as _;
use domain::ports::{PortError, PortErrorKind};

/// The reason why one call did not complete a batch.
pub(crate) enum BatchError {
    /// The server left a part unprocessed, which the batch still has: try that part again.
    Unprocessed,
    /// The call failed.
    Failed(PortError),
}

impl From<PortError> for BatchError {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}

/// Repeats `attempt` with backoff until it has processed all of the batch, and returns the batch.
///
/// # Errors
/// A failed call ends it immediately. It fails as throttled if a part is unprocessed after the last attempt; `context` names
/// the operation.
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
