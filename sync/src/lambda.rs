//! The consumer as a Lambda function: SQS delivers batches, and the response names the messages to deliver again. A schedule has it
//! compare a sample of the index with the store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::wire::verify::Summary;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use domain::Change;
use domain::ports::{
    Applied, CompareDepth, Delivery, Envelope, Generation, IndexMaintenance, IndexWriter, PortError, Receipt,
};
use observed_ports::ObservedWriter;
use runtime::{Deadline, StartError};
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;

use crate::back_ends::open_store;
use crate::batch::Batch;
use crate::metrics::{DIFFERENCES, record_batch, record_freshness};
use crate::processing::Processing;
use crate::reconcile::{Comparison, reconcile};
use crate::{BackEnds, NoProgress, StoreAndIndex};

/// The time that a difference may last before it counts: a change may be on its way.
const GRACE_PERIOD: Duration = Duration::from_secs(10);

/// An event of the function.
#[derive(Deserialize)]
#[serde(untagged)]
enum Event {
    /// A schedule: compare one product in this number.
    Compare {
        #[serde(rename = "verifySample")]
        one_in: u64,
    },
    /// A batch of the queue.
    Batch(SqsEvent),
}

/// The return value of the function.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Compared(Summary),
    Settled(SqsBatchResponse),
}

/// Handles events until Lambda ends the process.
pub(crate) async fn serve(back_ends: BackEnds, index: Arc<dyn IndexMaintenance>) -> Result<(), StartError> {
    let (back_ends, writer) = (Arc::new(back_ends), ObservedWriter::around(index.clone()));
    runtime::lambda::serve_events(move |event: Event, deadline| {
        let (back_ends, index, writer) = (Arc::clone(&back_ends), Arc::clone(&index), Arc::clone(&writer));
        async move {
            match event {
                Event::Compare { one_in } => {
                    // On the heap, because its nested futures are large.
                    let comparing = Box::pin(compare(&back_ends, index, one_in));
                    let compared = tokio::time::timeout(deadline.remaining(), comparing).await;
                    let late =
                        || "the comparison took longer than this function may run; compare a smaller sample";
                    compared.map_err(|_| late().to_owned())?.map(Answer::Compared)
                }
                Event::Batch(batch) => Ok(Answer::Settled(apply(&*writer, batch, deadline).await)),
            }
        }
    })
    .await
}

/// Compares one product in `one_in` of the index with the store. Differences are logged and counted, and not repaired.
async fn compare(
    back_ends: &BackEnds,
    index: Arc<dyn IndexMaintenance>,
    one_in: u64,
) -> Result<Summary, String> {
    let store = open_store(back_ends).await.map_err(|error| error.to_string())?;
    let comparison = Comparison {
        generation: Generation::Live,
        depth: CompareDepth::Documents,
        repair: false,
        grace_period: GRACE_PERIOD,
        one_in: one_in.max(1),
    };
    let sides = StoreAndIndex::new(store, index);
    let counts = reconcile(&sides, comparison, &mut NoProgress).await.map_err(|error| error.chain())?;
    let differences = counts.differences();
    // Not a gauge, which each later invocation would repeat.
    metrics::histogram!(DIFFERENCES).record(differences as f64);
    match differences {
        0 => tracing::info!(compared = counts.compared, "the sample of the index equals the store"),
        _ => tracing::error!(
            compared = counts.compared,
            differences,
            "the index differs from the store; noren verify --repair --back-ends repairs it"
        ),
    }
    Ok(counts.into())
}

/// Applies a batch once. SQS retries, counts and dead-letters the messages that the response names: those that failed, or
/// all if the index does not apply them by the deadline.
pub async fn apply(index: &dyn IndexWriter, event: SqsEvent, deadline: Deadline) -> SqsBatchResponse {
    let batch = Batch::new(event.records.into_iter().map(delivery).collect());
    let all = batch.receipts().to_vec();
    let (begun, messages) = (Instant::now(), batch.len());
    let processing = Processing::of(&batch, "aws_sqs");
    let applying = apply_changes(index, &batch.changes).instrument(processing.span().clone());
    let applied = tokio::time::timeout(deadline.remaining(), applying).await;
    let failed: Vec<Receipt> = match applied {
        Ok(Ok(applied)) => {
            record_freshness(&batch.changes, &applied);
            record_batch(messages, begun.elapsed());
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
