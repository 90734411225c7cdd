//! The dead-letter queue: moving messages there with their reasons, reading and removing them.
//!
//! SQS shows a message only to a caller that receives it. Reading dead letters therefore receives all of them, which hides
//! them from other callers for that moment, and then releases them.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use aws_setup::port_error;
use domain::ports::{
    DeadLetter, DeadLetterKey, DeadLetterList, DeadLetters, MAX_RECEIVES, PortError, PortErrorKind, Receipt,
    RetryRequest,
};
use futures::future::join_all;
use jiff::Timestamp;

use crate::batch::{BatchAction, BatchEntry};
use crate::client::{CONCURRENT_CALLS, MAX_ENTRIES, waiting};
use crate::message::{Outgoing, number, read_envelope, text};
use crate::queue::SqsQueue;

/// The message attribute with the reason.
const REASON: &str = "reason";
/// The message attribute with the receive count in the original queue.
const RECEIVES: &str = "receives";
/// The most characters of a reason that are kept.
const MAX_REASON_CHARS: usize = 2_000;
/// The visibility timeout of dead letters that are read: how long they stay hidden if they are not released.
const VISIBILITY: Duration = Duration::from_secs(30);
/// The most letters that are read for one call.
const MAX_LETTERS: usize = 5_000;
/// Bytes of bodies after which no more letters are read.
const MAX_BYTES: usize = 32 << 20;
const READING: &str = "reading dead letters";

/// Received letters, which are hidden from other callers until they are released.
#[derive(Default)]
struct ReceivedLetters {
    /// Letters by message id.
    letters: HashMap<String, Message>,
    bytes: usize,
    /// True if the queue may have more.
    more: bool,
}

impl ReceivedLetters {
    /// Adds letters. A letter that is received a second time replaces the first, because it has a new receipt.
    fn add(&mut self, messages: Vec<Message>) {
        for message in messages {
            self.bytes += message.body().map_or(0, str::len);
            if let Some(id) = message.message_id() {
                self.letters.insert(id.to_owned(), message);
            }
        }
    }
}

impl SqsQueue {
    /// Copies the messages that have reached [`MAX_RECEIVES`] to the dead-letter queue, and returns the receipts of those that were
    /// copied. The others are left to the queue's redrive policy.
    pub(crate) async fn move_to_dead_letters(
        &self,
        failed: &[RetryRequest],
    ) -> Result<HashSet<Receipt>, PortError> {
        let info = self.info().await?;
        let Some(url) = &info.dead_letter_url else { return Ok(HashSet::new()) };
        let last = failed.iter().enumerate().filter(|(_, request)| request.receives >= MAX_RECEIVES);
        let copies: Vec<_> = last.filter_map(|(index, request)| Some((index, copy_of(request)?))).collect();
        let mut moved = HashSet::with_capacity(copies.len());
        for (index, result) in self.send_messages(url, copies).await {
            match result {
                Ok(()) => drop(moved.insert(failed[index].receipt.clone())),
                Err(error) => {
                    tracing::warn!(error = error.chain(), "cannot keep the reason of a dead letter");
                }
            }
        }
        Ok(moved)
    }

    async fn dead_letter_url(&self) -> Result<String, PortError> {
        let url = self.info().await?.dead_letter_url.clone();
        url.ok_or_else(|| {
            let text = format!("the queue `{}` has no dead-letter queue that can be accessed", self.name);
            PortError::bare(PortErrorKind::Unavailable, text)
        })
    }

    /// Receives all letters, up to the limits of count, size and time.
    async fn receive_letters(&self, url: &str) -> Result<ReceivedLetters, PortError> {
        let (mut received, started) = (ReceivedLetters::default(), Instant::now());
        loop {
            match self.receive_more_letters(url, &mut received).await {
                Ok(0) => return Ok(received),
                Ok(_) => {}
                Err(error) => {
                    self.release_letters(url, received.letters.values()).await;
                    return Err(error);
                }
            }
            // Letters become visible again after the visibility timeout and would be received a second time.
            let is_late = started.elapsed() > VISIBILITY / 3;
            if received.letters.len() >= MAX_LETTERS || received.bytes >= MAX_BYTES || is_late {
                received.more = true;
                return Ok(received);
            }
        }
    }

    /// Receives with one long poll, which queries all servers of the queue. If that returns many letters, adds concurrent short
    /// polls. Returns the number of letters.
    async fn receive_more_letters(
        &self,
        url: &str,
        received: &mut ReceivedLetters,
    ) -> Result<usize, PortError> {
        let first = self.poll_letters(url, 1).await?;
        let mut count = first.len();
        received.add(first);
        if count < MAX_ENTRIES / 2 {
            return Ok(count);
        }
        let mut failed = None;
        for result in join_all((1..CONCURRENT_CALLS).map(|_| self.poll_letters(url, 0))).await {
            match result {
                Ok(messages) => {
                    count += messages.len();
                    received.add(messages);
                }
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(count), Err)
    }

    async fn poll_letters(&self, url: &str, seconds: u64) -> Result<Vec<Message>, PortError> {
        let call = self
            .client
            .receive_message()
            .queue_url(url)
            // All three numbers are small constants.
            .max_number_of_messages(MAX_ENTRIES as i32)
            .wait_time_seconds(seconds as i32)
            .visibility_timeout(VISIBILITY.as_secs() as i32)
            .message_attribute_names(REASON)
            .message_attribute_names(RECEIVES)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .customize()
            .config_override(waiting(Duration::from_secs(seconds)));
        let response = call.send().await.map_err(|error| port_error(READING, error))?;
        Ok(response.messages.unwrap_or_default())
    }

    /// Makes letters visible to other callers. If that fails, they become visible after [`VISIBILITY`].
    async fn release_letters(&self, url: &str, letters: impl Iterator<Item = &Message>) {
        let action = BatchAction::Hide(0);
        let entries = letters.filter_map(receipt_of).map(|receipt| BatchEntry { receipt, action }).collect();
        if let Err(error) = self.apply_all(url, entries, READING).await {
            let seconds = VISIBILITY.as_secs();
            tracing::warn!(error = error.chain(), "dead letters stay hidden for up to {seconds} s");
        }
    }
}

#[async_trait]
impl DeadLetters for SqsQueue {
    async fn newest(&self, limit: usize) -> Result<DeadLetterList, PortError> {
        let url = &self.dead_letter_url().await?;
        let received = self.receive_letters(url).await?;
        self.release_letters(url, received.letters.values()).await;
        let mut letters: Vec<&Message> = received.letters.values().collect();
        letters.sort_by_key(|message| Reverse((sent_at(message), message.message_id())));
        let more = received.more || letters.len() > limit;
        letters.truncate(limit);
        Ok(DeadLetterList { letters: letters.into_iter().filter_map(read).collect(), more })
    }

    async fn find(&self, keys: &[DeadLetterKey]) -> Result<Vec<Option<DeadLetter>>, PortError> {
        let url = &self.dead_letter_url().await?;
        let received = self.receive_letters(url).await?;
        self.release_letters(url, received.letters.values()).await;
        Ok(keys.iter().map(|key| received.letters.get(&key.0).and_then(read)).collect())
    }

    async fn remove(&self, keys: &[DeadLetterKey]) -> Result<Vec<bool>, PortError> {
        let url = &self.dead_letter_url().await?;
        let mut received = self.receive_letters(url).await?;
        let named: Vec<Option<Message>> = keys.iter().map(|key| received.letters.remove(&key.0)).collect();
        let action = BatchAction::Delete;
        let receipts = named.iter().flatten().filter_map(receipt_of);
        let entries = receipts.map(|receipt| BatchEntry { receipt, action }).collect();
        let removed = self.apply_all(url, entries, "removing dead letters").await;
        self.release_letters(url, received.letters.values()).await;
        removed?;
        Ok(named.iter().map(Option::is_some).collect())
    }
}

/// Builds the dead letter of a message; `None` if the request has no body.
fn copy_of(failed: &RetryRequest) -> Option<Outgoing> {
    // SQS accepts neither control characters nor empty strings.
    let mut reason: String = failed
        .reason
        .chars()
        .map(|c| if is_accepted(c) { c } else { '\u{fffd}' })
        .take(MAX_REASON_CHARS)
        .collect();
    if reason.is_empty() {
        reason.push('-');
    }
    let attributes = vec![(REASON, reason), (RECEIVES, failed.receives.to_string())];
    Some(Outgoing { body: failed.body.clone().filter(|body| !body.is_empty())?, attributes })
}

fn is_accepted(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn receipt_of(message: &Message) -> Option<Receipt> {
    message.receipt_handle().map(|handle| Receipt(handle.to_owned()))
}

/// Returns the time at which a message was sent, in milliseconds since 1970. For a copied letter, that is the time of the copy; a
/// message that SQS moved itself keeps the time at which it was first enqueued.
fn sent_at(message: &Message) -> i64 {
    number(message, &MessageSystemAttributeName::SentTimestamp).unwrap_or_default()
}

/// Converts a received letter; `None` if it has no message id, which SQS always sets.
fn read(message: &Message) -> Option<DeadLetter> {
    let body = message.body().unwrap_or_default();
    let envelope = read_envelope(body, None);
    let copied: Option<u32> = text(message, RECEIVES).and_then(|receives| receives.parse().ok());
    let reason = text(message, REASON).map(str::to_owned).or_else(|| envelope.as_ref().err().cloned());
    let change = envelope.as_ref().ok().map(|envelope| &envelope.change);
    Some(DeadLetter {
        key: DeadLetterKey(message.message_id()?.to_owned()),
        id: change.map(|change| change.id().clone()),
        version: change.map(|change| change.version()),
        reason,
        receives: copied.unwrap_or(MAX_RECEIVES),
        dead_lettered_at: copied.and_then(|_| Timestamp::from_millisecond(sent_at(message)).ok()),
        body: Some(body.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_kept_in_characters_that_sqs_accepts() {
        let failed = |reason: &str, body: Option<&str>| RetryRequest {
            receipt: Receipt("r".to_owned()),
            receives: MAX_RECEIVES,
            body: body.map(str::to_owned),
            reason: reason.to_owned(),
            delay: Duration::ZERO,
        };
        let copy = copy_of(&failed("a\u{0}b\u{fffe}\n名", Some("{}"))).unwrap();
        assert_eq!(copy.attributes[0].1, "a\u{fffd}b\u{fffd}\n名");
        assert_eq!(copy.attributes[1].1, "5");
        assert_eq!(copy_of(&failed("", Some("{}"))).unwrap().attributes[0].1, "-");
        assert_eq!(copy_of(&failed("a", None)), None);
    }

    #[test]
    fn a_message_that_sqs_moved_by_itself_has_a_reason_only_if_it_cannot_be_read() {
        let message = |body: &str| Message::builder().message_id("m").body(body).build();
        let poison = read(&message("poison")).unwrap();
        assert!(poison.reason.unwrap().starts_with("it is not a change"));
        assert_eq!((poison.id, poison.receives, poison.dead_lettered_at), (None, MAX_RECEIVES, None));
        let delete = r#"{"action":"DELETE","id":"a","version":3,"at":"2026-01-02T03:04:05Z"}"#;
        let crashed = read(&message(delete)).unwrap();
        assert_eq!((crashed.id.unwrap().as_str(), crashed.reason), ("a", None));
    }
}
