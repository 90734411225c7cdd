//! The dead-letter queue: making dead letters with their reasons, looking at them, removing them.
//!
//! SQS shows a message only to those who receive it. So whoever looks receives all of them, which hides them from others
//! for that moment, and gives them back.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use aws_setup::{port_error, timeouts};
use domain::ports::{
    DeadLetter, DeadLetterKey, DeadLetterList, DeadLetters, MAX_RECEIVES, PortError, PortErrorKind, Receipt,
    RetryRequest,
};
use futures::future::join_all;
use jiff::Timestamp;

use crate::message::{Outgoing, number, read_envelope, text};
use crate::receipts::Act;
use crate::{ATTEMPT_TIMEOUT, CONCURRENT_CALLS, MAX_ENTRIES, OPERATION_TIMEOUT, SqsQueue};

/// The message attribute with the reason.
const REASON: &str = "reason";
/// The message attribute with the number of receives in the queue that it comes from.
const RECEIVES: &str = "receives";
/// The most characters of a reason that are kept.
const MAX_REASON_CHARS: usize = 2_000;
/// How long letters are hidden from others who look, unless they are given back before.
const HOLD: Duration = Duration::from_secs(30);
/// The most letters that are looked at for one answer.
const MAX_HELD: usize = 5_000;
/// The most bytes of bodies that are looked at for one answer, roughly.
const MAX_HELD_BYTES: usize = 32 << 20;
const LOOKING: &str = "looking at the dead letters";

/// The letters that are hidden from others for now.
#[derive(Default)]
struct Held {
    /// By the id of the message.
    letters: HashMap<String, Message>,
    bytes: usize,
    /// Whether there may be others.
    more: bool,
}

impl Held {
    /// A letter that comes a second time has a new receipt.
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
    /// Copies those that were received for the last time to the dead-letter queue, and answers which ones these are. One
    /// that cannot be copied is left to the redrive policy of the queue.
    pub(crate) async fn bury(&self, failed: &[RetryRequest]) -> Result<HashSet<Receipt>, PortError> {
        let Some(url) = &self.place().await?.dead else { return Ok(HashSet::new()) };
        let last = failed.iter().enumerate().filter(|(_, failed)| failed.receives >= MAX_RECEIVES);
        let copies: Vec<_> = last.filter_map(|(at, failed)| Some((at, copy_of(failed)?))).collect();
        let mut buried = HashSet::with_capacity(copies.len());
        for (at, answer) in self.send_messages(url, copies).await {
            match answer {
                Ok(()) => drop(buried.insert(failed[at].receipt.clone())),
                Err(error) => {
                    tracing::warn!(error = error.chain(), "cannot keep the reason of a dead letter");
                }
            }
        }
        Ok(buried)
    }

    async fn dead_queue(&self) -> Result<&str, PortError> {
        let dead = self.place().await?.dead.as_deref();
        dead.ok_or_else(|| {
            let text = format!("the queue `{}` has no dead-letter queue that can be seen", self.named);
            PortError::bare(PortErrorKind::Unavailable, text)
        })
    }

    /// Receives all letters, as far as the limits go.
    async fn hold(&self, url: &str) -> Result<Held, PortError> {
        let (mut held, begun) = (Held::default(), Instant::now());
        loop {
            match self.hold_some(url, &mut held).await {
                Ok(0) => return Ok(held),
                Ok(_) => {}
                Err(error) => {
                    self.release(url, held.letters.values()).await;
                    return Err(error);
                }
            }
            // What is held for too long would come a second time.
            if held.letters.len() >= MAX_HELD || held.bytes >= MAX_HELD_BYTES || begun.elapsed() > HOLD / 3 {
                held.more = true;
                return Ok(held);
            }
        }
    }

    /// Receives once with a wait, which sees all of the queue, and where there is something, many times without.
    async fn hold_some(&self, url: &str, held: &mut Held) -> Result<usize, PortError> {
        let first = self.receive_dead(url, 1).await?;
        let mut came = first.len();
        held.add(first);
        if came < MAX_ENTRIES / 2 {
            return Ok(came);
        }
        let mut failed = None;
        for answer in join_all((1..CONCURRENT_CALLS).map(|_| self.receive_dead(url, 0))).await {
            match answer {
                Ok(messages) => {
                    came += messages.len();
                    held.add(messages);
                }
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(came), Err)
    }

    async fn receive_dead(&self, url: &str, seconds: u64) -> Result<Vec<Message>, PortError> {
        let waiting = Duration::from_secs(seconds);
        let timeouts = timeouts(ATTEMPT_TIMEOUT + waiting, OPERATION_TIMEOUT + waiting);
        let call = self
            .client
            .receive_message()
            .queue_url(url)
            // All three are small constants.
            .max_number_of_messages(MAX_ENTRIES as i32)
            .wait_time_seconds(seconds as i32)
            .visibility_timeout(HOLD.as_secs() as i32)
            .message_attribute_names(REASON)
            .message_attribute_names(RECEIVES)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .customize()
            .config_override(Builder::new().timeout_config(timeouts));
        let answer = call.send().await.map_err(|error| port_error(LOOKING, error))?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Shows letters to others again. What fails is shown when its time is over.
    async fn release(&self, url: &str, letters: impl Iterator<Item = &Message>) {
        let acts = letters.filter_map(receipt_of).map(|receipt| (receipt, Act::Hide(0))).collect();
        if let Err(error) = self.act_on_all(url, acts, LOOKING).await {
            tracing::warn!(error = error.chain(), "dead letters stay hidden for up to {} s", HOLD.as_secs());
        }
    }
}

#[async_trait]
impl DeadLetters for SqsQueue {
    async fn newest(&self, limit: usize) -> Result<DeadLetterList, PortError> {
        let url = self.dead_queue().await?;
        let held = self.hold(url).await?;
        self.release(url, held.letters.values()).await;
        let mut letters: Vec<&Message> = held.letters.values().collect();
        letters.sort_by_key(|message| std::cmp::Reverse((sent_at(message), message.message_id())));
        let more = held.more || letters.len() > limit;
        letters.truncate(limit);
        Ok(DeadLetterList { letters: letters.into_iter().filter_map(read).collect(), more })
    }

    async fn find(&self, keys: &[DeadLetterKey]) -> Result<Vec<Option<DeadLetter>>, PortError> {
        let url = self.dead_queue().await?;
        let held = self.hold(url).await?;
        self.release(url, held.letters.values()).await;
        Ok(keys.iter().map(|key| held.letters.get(&key.0).and_then(read)).collect())
    }

    async fn remove(&self, keys: &[DeadLetterKey]) -> Result<Vec<bool>, PortError> {
        let url = self.dead_queue().await?;
        let mut held = self.hold(url).await?;
        let named: Vec<Option<Message>> = keys.iter().map(|key| held.letters.remove(&key.0)).collect();
        let receipts = named.iter().flatten().filter_map(receipt_of);
        let acts = receipts.map(|receipt| (receipt, Act::Delete)).collect();
        let removed = self.act_on_all(url, acts, "removing dead letters").await;
        self.release(url, held.letters.values()).await;
        removed?;
        Ok(named.iter().map(Option::is_some).collect())
    }
}

/// The dead letter that is to be; none where its body was not given.
fn copy_of(failed: &RetryRequest) -> Option<Outgoing> {
    // SQS takes no control characters and no empty texts.
    let mut reason: String = failed
        .reason
        .chars()
        .map(|c| if is_text(c) { c } else { '\u{fffd}' })
        .take(MAX_REASON_CHARS)
        .collect();
    if reason.is_empty() {
        reason.push('-');
    }
    let attributes = vec![(REASON, reason), (RECEIVES, failed.receives.to_string())];
    Some(Outgoing { body: failed.body.clone().filter(|body| !body.is_empty())?, attributes })
}

fn is_text(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn receipt_of(message: &Message) -> Option<Receipt> {
    message.receipt_handle().map(|handle| Receipt(handle.to_owned()))
}

/// In milliseconds since 1970: when it was copied here. What SQS moved by itself keeps the time when it was enqueued first.
fn sent_at(message: &Message) -> i64 {
    number(message, &MessageSystemAttributeName::SentTimestamp).unwrap_or_default()
}

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
    fn a_reason_is_kept_in_characters_that_sqs_takes() {
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
    fn what_sqs_moved_by_itself_has_a_reason_only_where_it_cannot_be_read() {
        let message = |body: &str| Message::builder().message_id("m").body(body).build();
        let poison = read(&message("poison")).unwrap();
        assert!(poison.reason.unwrap().starts_with("it is no change"));
        assert_eq!((poison.id, poison.receives, poison.dead_lettered_at), (None, MAX_RECEIVES, None));
        let delete = r#"{"action":"DELETE","id":"a","version":3,"at":"2026-01-02T03:04:05Z"}"#;
        let crashed = read(&message(delete)).unwrap();
        assert_eq!((crashed.id.unwrap().as_str(), crashed.reason), ("a", None));
    }
}
