//! The consumer as a Lambda function: SQS delivers batches, and the response names the messages to deliver again.

use std::sync::Arc;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use domain::Change;
use domain::ports::{Applied, Delivery, Envelope, IndexWriter, PortError, Receipt};
use observed_ports::ObservedWriter;
use runtime::{Deadline, StartError};
use tracing::Instrument as _;

use crate::batch::Batch;
use crate::processing::Processing;

/// Handles SQS events until Lambda ends the process.
pub(crate) async fn serve(index: Arc<dyn IndexWriter>) -> Result<(), StartError> {
    let index = ObservedWriter::around(index);
    runtime::lambda::serve_events(move |event: SqsEvent, deadline| {
        let index = Arc::clone(&index);
        async move { Ok(apply(&*index, event, deadline).await) }
    })
    .await
}

/// Applies a batch once. SQS retries, counts and dead-letters the messages that the response names: those that failed, or
/// all if the index does not apply them by the deadline.
pub async fn apply(index: &dyn IndexWriter, event: SqsEvent, deadline: Deadline) -> SqsBatchResponse {
    let batch = Batch::new(event.records.into_iter().map(delivery).collect());
    let all = batch.receipts().to_vec();
    let processing = Processing::of(&batch, "aws_sqs");
    let applying = apply_changes(index, &batch.changes).instrument(processing.span().clone());
    let applied = tokio::time::timeout(deadline.remaining(), applying).await;
    let failed: Vec<Receipt> = match applied {
        Ok(Ok(applied)) => {
            let settlement = batch.settle(applied);
            processing.end(&settlement);
            settlement.retried.into_iter().map(|retried| retried.receipt).collect()
        }
        Err(_) => {
            tracing::error!(messages = all.len(), "the index did not apply a batch in time");
            all
        }
        Ok(Err(error)) => {
            tracing::error!(error = error.chain(), messages = all.len(), "the index did not apply a batch");
            all
        }
    };
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed.into_iter().map(failure).collect();
    response
}

/// Applies changes. If the index fails with a permanent error, applies each change alone, so that the change that causes
/// the error is the only one that fails.
async fn apply_changes(index: &dyn IndexWriter, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
    match index.apply(changes).await {
        Err(error) if !error.is_transient() && changes.len() > 1 => {
            tracing::error!(error = error.chain(), "the index failed; applying each change alone");
        }
        result => return result,
    }
    let mut applied = Vec::with_capacity(changes.len());
    for change in changes {
        match index.apply(std::slice::from_ref(change)).await {
            Err(error) if error.is_transient() => return Err(error),
            one => applied.extend(one.unwrap_or_else(|error| vec![Applied::Refused(error.chain())])),
        }
    }
    Ok(applied)
}

fn failure(Receipt(message_id): Receipt) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = message_id;
    failure
}

/// Converts a message to a delivery of a queue. The message id becomes the receipt, since the response names messages by it.
fn delivery(message: SqsMessage) -> Delivery {
    let attribute = |name: &str| message.attributes.get(name).and_then(|value| value.parse().ok());
    let traceparent =
        message.message_attributes.get("traceparent").and_then(|value| value.string_value.clone());
    let change = serde_json::from_str(message.body.as_deref().unwrap_or_default());
    Delivery {
        receives: attribute("ApproximateReceiveCount").unwrap_or(1),
        envelope: change
            .map(|change| Envelope { change, traceparent })
            .map_err(|error| format!("the message cannot be read: {error}")),
        receipt: Receipt(message.message_id.unwrap_or_default()),
        // SQS itself copies messages to the dead-letter queue.
        body: None,
    }
}
