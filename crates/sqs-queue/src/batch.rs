//! Batch calls on received messages: deleting them, and changing how long they stay hidden.

use std::time::Duration;

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
};
use aws_setup::{backoff, port_error};
use backon::RetryableWithContext as _;
use domain::ports::{PortError, PortErrorKind, Receipt};
use futures::{StreamExt, TryStreamExt, stream};

use crate::client::{CONCURRENT_CALLS, MAX_ENTRIES};
use crate::message::batch_error;
use crate::queue::SqsQueue;

/// The longest visibility timeout that SQS allows.
const MAX_HIDDEN: Duration = Duration::from_secs(12 * 60 * 60);

/// An action on a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BatchAction {
    /// Removes it.
    Delete,
    /// Hides it for this many seconds from now.
    Hide(i32),
}

/// An action on one received message.
#[derive(Debug, Clone)]
pub(crate) struct BatchEntry {
    pub(crate) receipt: Receipt,
    pub(crate) action: BatchAction,
}

/// A batch that is being processed.
struct ActionBatch {
    /// The entries that are not processed yet.
    entries: Vec<BatchEntry>,
    /// The first error of an entry for which a retry is useless.
    first_error: Option<PortError>,
}

/// The reason why one call did not process a batch.
enum BatchError {
    /// The server could not process the entries that the batch still has; a retry may succeed.
    Incomplete(PortError),
    /// The call failed.
    Failed(PortError),
}

impl SqsQueue {
    /// Removes messages from the queue.
    pub(crate) async fn delete_all(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let delete = |receipt: &Receipt| BatchEntry { receipt: receipt.clone(), action: BatchAction::Delete };
        let entries = receipts.iter().map(delete).collect();
        self.apply_all(&self.info().await?.url, entries, "removing messages from the queue").await
    }

    /// Hides each message for its duration from now; zero makes it visible. `context` names the operation.
    pub(crate) async fn hide_all(
        &self,
        delays: Vec<(Receipt, Duration)>,
        context: &'static str,
    ) -> Result<(), PortError> {
        let hide = |(receipt, delay)| BatchEntry { receipt, action: BatchAction::Hide(whole_seconds(delay)) };
        self.apply_all(&self.info().await?.url, delays.into_iter().map(hide).collect(), context).await
    }

    /// Processes as many entries as possible; `context` names the operation. Expired receipts are ignored.
    ///
    /// # Errors
    /// The first error of an entry, after the others were processed.
    pub(crate) async fn apply_all(
        &self,
        url: &str,
        entries: Vec<BatchEntry>,
        context: &'static str,
    ) -> Result<(), PortError> {
        let batches: Vec<Vec<BatchEntry>> = entries.chunks(MAX_ENTRIES).map(<[_]>::to_vec).collect();
        let calls = stream::iter(batches).map(|batch| self.apply_batch(url, batch, context));
        let results: Vec<Result<(), PortError>> = calls.buffer_unordered(CONCURRENT_CALLS).collect().await;
        stream::iter(results).try_collect().await
    }

    /// Processes one batch. Retries entries that failed through no fault of the request.
    async fn apply_batch(
        &self,
        url: &str,
        entries: Vec<BatchEntry>,
        context: &'static str,
    ) -> Result<(), PortError> {
        let batch = ActionBatch { entries, first_error: None };
        let apply = |mut batch: ActionBatch| async move {
            let result = self.apply_some(url, &mut batch, context).await;
            (batch, result)
        };
        let applying = apply.retry(backoff()).context(batch);
        let (batch, result) = applying.when(|error| matches!(error, BatchError::Incomplete(_))).await;
        match (result, batch.first_error) {
            (Err(BatchError::Failed(error)), _) | (_, Some(error)) => Err(error),
            (Err(BatchError::Incomplete(error)), None) => Err(error),
            (Ok(()), None) => Ok(()),
        }
    }

    /// Makes one call and keeps the entries to retry.
    async fn apply_some(
        &self,
        url: &str,
        batch: &mut ActionBatch,
        context: &'static str,
    ) -> Result<(), BatchError> {
        let (mut left, mut cause) = (Vec::new(), None);
        for failed in self.apply_once(url, &batch.entries, context).await.map_err(BatchError::Failed)? {
            // The ids are indices into the batch.
            let entry = failed.id.parse::<usize>().ok().and_then(|index| batch.entries.get(index)).cloned();
            match entry {
                _ if is_expired(&failed) => {}
                Some(entry) if !failed.sender_fault => {
                    cause = Some(batch_error(&failed, context));
                    left.push(entry);
                }
                _ => drop(batch.first_error.get_or_insert_with(|| batch_error(&failed, context))),
            }
        }
        batch.entries = left;
        cause.map_or(Ok(()), |cause| Err(BatchError::Incomplete(cause)))
    }

    /// Makes one call and returns the entries that failed. All entries of a batch have the same kind of action.
    async fn apply_once(
        &self,
        url: &str,
        entries: &[BatchEntry],
        context: &'static str,
    ) -> Result<Vec<BatchResultErrorEntry>, PortError> {
        let defect = |error| PortError::new(PortErrorKind::Internal, context, error);
        let (mut deletes, mut hides) = (Vec::new(), Vec::new());
        for (index, BatchEntry { receipt: Receipt(receipt), action }) in entries.iter().enumerate() {
            let id = index.to_string();
            match action {
                BatchAction::Delete => {
                    let entry = DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(receipt);
                    deletes.push(entry.build().map_err(defect)?);
                }
                BatchAction::Hide(seconds) => {
                    let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                        .id(id)
                        .receipt_handle(receipt)
                        .visibility_timeout(*seconds);
                    hides.push(entry.build().map_err(defect)?);
                }
            }
        }
        let mut failed = Vec::new();
        if !deletes.is_empty() {
            let call = self.client.delete_message_batch().queue_url(url).set_entries(Some(deletes));
            failed.extend(call.send().await.map_err(|error| port_error(context, error))?.failed);
        }
        if !hides.is_empty() {
            let call = self.client.change_message_visibility_batch().queue_url(url).set_entries(Some(hides));
            failed.extend(call.send().await.map_err(|error| port_error(context, error))?.failed);
        }
        Ok(failed)
    }
}

/// Returns true if an entry failed because its receipt is no longer valid: the message is gone, visible again or received again.
fn is_expired(failed: &BatchResultErrorEntry) -> bool {
    let code = failed.code.rsplit(['.', '#']).next().unwrap_or_default();
    matches!(
        code,
        "ReceiptHandleIsInvalid"
            | "MessageNotInflight"
            | "InvalidParameterValue"
            | "InvalidParameterValueException"
    )
}

/// Returns a delay in the whole seconds of SQS: rounded up, and at most 12 hours.
fn whole_seconds(delay: Duration) -> i32 {
    let seconds = delay.min(MAX_HIDDEN).as_secs_f64().ceil();
    // At most 43,200.
    seconds as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_never_shortened_below_the_limit() {
        let seconds = |millis| whole_seconds(Duration::from_millis(millis));
        assert_eq!([seconds(0), seconds(1), seconds(1000), seconds(1001)], [0, 1, 1, 2]);
        assert_eq!(whole_seconds(Duration::MAX), 43_200);
    }
}
