//! Sending messages, in batches that SQS accepts.

use std::collections::{HashMap, HashSet};

use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use aws_setup::backoff;
use backon::RetryableWithContext as _;
use domain::ports::{Envelope, MAX_RECEIVES, PortError, PortErrorKind, Receipt, ReleaseRequest};
use futures::{StreamExt, stream};

use crate::client::{CONCURRENT_CALLS, MAX_ENTRIES};
use crate::message::{Outgoing, batch_error};
use crate::queue::SqsQueue;
use crate::queue_info::{call_error, is_missing_queue};

/// The most bytes in one call. SQS accepts four times as much now, but compatible servers and queues with a lower limit may
/// not.
const MAX_BYTES: usize = 256 * 1024;
const SENDING: &str = "sending changes to the queue";

/// The results of messages by their index.
pub(crate) type SendResults = HashMap<usize, Result<(), PortError>>;

/// Messages with their indices.
type Indexed = Vec<(usize, Outgoing)>;

/// A batch that is being sent.
struct SendBatch {
    unsent: Indexed,
    /// The result of the last attempt for each message.
    results: SendResults,
}

/// The error of a batch of which a part must be sent again.
struct Incomplete;

impl SqsQueue {
    /// Sends changes and returns the results in request order. Changes that found no queue are sent again after the queue was looked
    /// up, which creates it if that is configured.
    pub(crate) async fn send_all(&self, envelopes: &[Envelope]) -> Vec<Result<(), PortError>> {
        let mut results = SendResults::with_capacity(envelopes.len());
        let mut unsent: Vec<usize> = (0..envelopes.len()).collect();
        for _ in 0..2 {
            let info = match self.info().await {
                Ok(info) => info,
                Err(error) => {
                    results.extend(unsent.iter().map(|index| (*index, Err(error.clone()))));
                    break;
                }
            };
            results.extend(self.send_envelopes(&info.url, envelopes, &unsent).await);
            let found_no_queue =
                |index: &usize| matches!(results.get(index), Some(Err(error)) if is_missing_queue(error));
            unsent.retain(found_no_queue);
            if unsent.is_empty() {
                break;
            }
            self.forget(&info);
        }
        let missing = || Err(PortError::bare(PortErrorKind::Internal, "a message has no result"));
        (0..envelopes.len()).map(|index| results.remove(&index).unwrap_or_else(missing)).collect()
    }

    /// Sends the changes with these indices.
    async fn send_envelopes(&self, url: &str, envelopes: &[Envelope], indices: &[usize]) -> SendResults {
        let mut results = SendResults::with_capacity(indices.len());
        let mut messages = Vec::with_capacity(indices.len());
        for index in indices {
            match Outgoing::new(&envelopes[*index]) {
                Ok(message) => messages.push((*index, message)),
                Err(error) => {
                    results.insert(*index, Err(PortError::new(PortErrorKind::Internal, SENDING, error)));
                }
            }
        }
        results.extend(self.send_messages(url, messages).await);
        results
    }

    /// Sends a new copy of each message that has reached [`MAX_RECEIVES`], because SQS cannot undo a receive. Returns the receipts of
    /// those that were sent; the others stay as they are.
    pub(crate) async fn resend(&self, unprocessed: &[ReleaseRequest]) -> Result<HashSet<Receipt>, PortError> {
        let last = unprocessed.iter().enumerate().filter(|(_, request)| request.receives >= MAX_RECEIVES);
        let outgoing = |body: &String| Outgoing { body: body.clone(), attributes: Vec::new() };
        let copies: Vec<_> =
            last.filter_map(|(index, request)| Some((index, request.body.as_ref().map(outgoing)?))).collect();
        let mut resent = HashSet::with_capacity(copies.len());
        let info = self.info().await?;
        for (index, result) in self.send_messages(&info.url, copies).await {
            match result {
                Ok(()) => drop(resent.insert(unprocessed[index].receipt.clone())),
                Err(error) => tracing::warn!(error = error.chain(), "cannot send a released message again"),
            }
        }
        Ok(resent)
    }

    /// Sends messages to a queue and returns the results by index.
    pub(crate) async fn send_messages(&self, url: &str, messages: Indexed) -> SendResults {
        let calls = stream::iter(batches(messages)).map(async |batch| self.send_batch(url, batch).await);
        let results: Vec<SendResults> = calls.buffer_unordered(CONCURRENT_CALLS).collect().await;
        results.into_iter().flatten().collect()
    }

    /// Sends one batch. Retries messages that failed through no fault of the request.
    async fn send_batch(&self, url: &str, messages: Indexed) -> SendResults {
        let batch = SendBatch { results: SendResults::with_capacity(messages.len()), unsent: messages };
        let send = |mut batch: SendBatch| async move {
            let result = self.send_some(url, &mut batch).await;
            (batch, result)
        };
        let (batch, _) = send.retry(backoff()).context(batch).await;
        batch.results
    }

    /// Makes one call and keeps the messages to send again. A call has status 200 even if every entry failed.
    async fn send_some(&self, url: &str, batch: &mut SendBatch) -> Result<(), Incomplete> {
        let sent = std::mem::take(&mut batch.unsent);
        let failed = match self.send_once(url, &sent).await {
            Ok(failed) => failed,
            Err(error) => {
                batch.results.extend(sent.iter().map(|(index, _)| (*index, Err(error.clone()))));
                return Ok(());
            }
        };
        for (index, message) in sent {
            let failed = failed.iter().find(|failed| failed.id == index.to_string());
            batch.results.insert(index, failed.map_or(Ok(()), |failed| Err(batch_error(failed, SENDING))));
            if failed.is_some_and(|failed| !failed.sender_fault) {
                batch.unsent.push((index, message));
            }
        }
        if batch.unsent.is_empty() { Ok(()) } else { Err(Incomplete) }
    }

    /// Makes one call and returns the entries that failed.
    async fn send_once(
        &self,
        url: &str,
        messages: &[(usize, Outgoing)],
    ) -> Result<Vec<BatchResultErrorEntry>, PortError> {
        let mut call = self.client.send_message_batch().queue_url(url);
        for (index, message) in messages {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(&message.body)
                .set_message_attributes(message.message_attributes())
                .build()
                .map_err(|error| PortError::new(PortErrorKind::Internal, SENDING, error))?;
            call = call.entries(entry);
        }
        Ok(call.send().await.map_err(|error| call_error(url, SENDING, error))?.failed)
    }
}

/// Groups messages, in their order, into batches within the limits of count and bytes. A message that alone exceeds the limit
/// gets a batch of its own.
fn batches(messages: Indexed) -> Vec<Indexed> {
    let mut batches: Vec<Indexed> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        let size = message.1.bytes();
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_ENTRIES && bytes + size <= MAX_BYTES => {
                bytes += size;
                batch.push(message);
            }
            _ => {
                bytes = size;
                batches.push(vec![message]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(bytes: &[usize]) -> Vec<Vec<usize>> {
        let message = |bytes: &usize| Outgoing { body: "x".repeat(*bytes), attributes: Vec::new() };
        let batches = batches(bytes.iter().map(message).enumerate().collect());
        batches.iter().map(|batch| batch.iter().map(|(_, message)| message.bytes()).collect()).collect()
    }

    #[test]
    fn batches_are_limited_in_count_and_bytes() {
        assert_eq!(sizes(&[1; 23]).iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 3]);
        let (half, whole) = (MAX_BYTES / 2, MAX_BYTES);
        assert_eq!(
            sizes(&[half, half, 1, whole + 1, whole, 1]),
            [vec![half, half], vec![1], vec![whole + 1], vec![whole], vec![1]]
        );
        assert!(sizes(&[]).is_empty());
    }

    #[test]
    fn the_trace_context_counts() {
        let attributes = vec![("traceparent", "00-1-2-01".to_owned())];
        let message = Outgoing { body: "x".repeat(100), attributes };
        assert_eq!(message.bytes(), 100 + "traceparent".len() + "String".len() + 9);
    }
}
