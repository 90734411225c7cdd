//! Sending, in batches that SQS takes.

use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use aws_setup::{Backoff, port_error};
use domain::ports::{Envelope, PortError, PortErrorKind};
use futures::{StreamExt, stream};

use crate::message::Outgoing;
use crate::{CONCURRENT_CALLS, MAX_ENTRIES, SqsQueue};

/// The most bytes in one call. SQS itself takes four times as much now, but servers that speak its language, and queues
/// with a limit of their own, may not.
const MAX_BYTES: usize = 256 * 1024;
const SENDING: &str = "sending changes to the queue";

/// What became of the message with a number.
pub(crate) type Answer = (usize, Result<(), PortError>);

impl SqsQueue {
    pub(crate) async fn send_all(&self, envelopes: &[Envelope]) -> Vec<Result<(), PortError>> {
        let mut answers: Vec<Option<Result<(), PortError>>> = Vec::new();
        answers.resize_with(envelopes.len(), || None);
        let mut messages = Vec::with_capacity(envelopes.len());
        for (at, envelope) in envelopes.iter().enumerate() {
            match Outgoing::new(envelope) {
                Ok(message) => messages.push((at, message)),
                Err(error) => {
                    answers[at] = Some(Err(PortError::new(PortErrorKind::Internal, SENDING, error)));
                }
            }
        }
        match self.place().await {
            Ok(place) => {
                for (at, answer) in self.send_messages(&place.url, messages).await {
                    answers[at] = Some(answer);
                }
            }
            Err(error) => messages.iter().for_each(|(at, _)| answers[*at] = Some(Err(copy(&error)))),
        }
        let missing = || Err(PortError::bare(PortErrorKind::Internal, "a message got no answer"));
        answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect()
    }

    /// Sends numbered messages to a queue; the answers come in any order.
    pub(crate) async fn send_messages(&self, url: &str, messages: Vec<(usize, Outgoing)>) -> Vec<Answer> {
        let calls = stream::iter(batches(messages)).map(async |batch| self.send_batch(url, batch).await);
        let sent: Vec<Vec<_>> = calls.buffer_unordered(CONCURRENT_CALLS).collect().await;
        sent.into_iter().flatten().collect()
    }

    /// Sends one batch; what SQS could not take, for reasons of its own, is sent again.
    async fn send_batch(&self, url: &str, mut batch: Vec<(usize, Outgoing)>) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(batch.len());
        let mut backoff = Backoff::default();
        loop {
            let failed = match self.send_once(url, &batch).await {
                Ok(failed) => failed,
                Err(error) => {
                    answers.extend(batch.iter().map(|(at, _)| (*at, Err(copy(&error)))));
                    return answers;
                }
            };
            let mut again = Vec::new();
            let last = !failed.is_empty() && !backoff.pause().await;
            for (at, message) in batch {
                match failed.iter().find(|failed| failed.id == at.to_string()) {
                    None => answers.push((at, Ok(()))),
                    Some(failed) if failed.sender_fault || last => {
                        answers.push((at, Err(failure(failed, SENDING))));
                    }
                    Some(_) => again.push((at, message)),
                }
            }
            if again.is_empty() {
                return answers;
            }
            batch = again;
        }
    }

    /// One call, answering with the entries that failed. It is 200 also when all of them did.
    async fn send_once(
        &self,
        url: &str,
        batch: &[(usize, Outgoing)],
    ) -> Result<Vec<BatchResultErrorEntry>, PortError> {
        let mut call = self.client.send_message_batch().queue_url(url);
        for (at, message) in batch {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .message_body(&message.body)
                .set_message_attributes(message.message_attributes())
                .build()
                .map_err(|error| PortError::new(PortErrorKind::Internal, SENDING, error))?;
            call = call.entries(entry);
        }
        Ok(call.send().await.map_err(|error| port_error(SENDING, error))?.failed)
    }
}

/// The error once more, for another message that it is about.
fn copy(error: &PortError) -> PortError {
    PortError::bare(error.kind, error.chain())
}

/// What an entry of a batch that failed means.
pub(crate) fn failure(failed: &BatchResultErrorEntry, doing: &str) -> PortError {
    let kind = if failed.sender_fault { PortErrorKind::Internal } else { PortErrorKind::Throttled };
    let text = failed.message.as_deref().unwrap_or("no reason given");
    PortError::bare(kind, format!("{doing}: {}: {text}", failed.code))
}

/// Groups messages, in their order, so that no group is too many or too large. One that is too large alone goes alone.
fn batches(messages: Vec<(usize, Outgoing)>) -> Vec<Vec<(usize, Outgoing)>> {
    let mut batches: Vec<Vec<(usize, Outgoing)>> = Vec::new();
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
