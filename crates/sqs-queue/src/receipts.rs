//! Messages in hand: removing them, and saying for how long they stay hidden.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
};
use aws_setup::{Backoff, port_error};
use domain::ports::{MAX_RECEIVES, PortError, PortErrorKind, Receipt, ReleaseRequest};
use futures::{StreamExt, TryStreamExt, stream};

use crate::message::Outgoing;
use crate::send::failure;
use crate::{CONCURRENT_CALLS, MAX_ENTRIES, SqsQueue};

/// The longest that a message can be hidden.
const MAX_HIDDEN: Duration = Duration::from_secs(12 * 60 * 60);
const REMOVING: &str = "removing messages from the queue";

/// What is done with a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    Delete,
    /// Hides it for this many seconds from now.
    Hide(i32),
}

impl SqsQueue {
    pub(crate) async fn delete_all(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let acts = receipts.iter().map(|receipt| (receipt.clone(), Act::Delete)).collect();
        self.act_on_all(&self.place().await?.url, acts, REMOVING).await
    }

    pub(crate) async fn hide_all(
        &self,
        delays: Vec<(Receipt, Duration)>,
        doing: &'static str,
    ) -> Result<(), PortError> {
        let hide = |(receipt, delay)| (receipt, Act::Hide(whole_seconds(delay)));
        self.act_on_all(&self.place().await?.url, delays.into_iter().map(hide).collect(), doing).await
    }

    /// Sends those anew that were received for the last time, as the count of their receives cannot be taken back, and
    /// answers which ones these are. One that cannot be sent is left as it is.
    pub(crate) async fn renew(&self, untouched: &[ReleaseRequest]) -> Result<HashSet<Receipt>, PortError> {
        let last = untouched.iter().enumerate().filter(|(_, message)| message.receives >= MAX_RECEIVES);
        let outgoing = |body: &String| Outgoing { body: body.clone(), attributes: Vec::new() };
        let copies: Vec<_> =
            last.filter_map(|(at, message)| Some((at, message.body.as_ref().map(outgoing)?))).collect();
        let mut renewed = HashSet::with_capacity(copies.len());
        for (at, answer) in self.send_messages(&self.place().await?.url, copies).await {
            match answer {
                Ok(()) => drop(renewed.insert(untouched[at].receipt.clone())),
                Err(error) => tracing::warn!(error = error.chain(), "cannot send a message anew"),
            }
        }
        Ok(renewed)
    }

    /// Does all that can be done in a queue; the first error is the answer.
    pub(crate) async fn act_on_all(
        &self,
        url: &str,
        acts: Vec<(Receipt, Act)>,
        doing: &'static str,
    ) -> Result<(), PortError> {
        let batches: Vec<Vec<(Receipt, Act)>> = acts.chunks(MAX_ENTRIES).map(<[_]>::to_vec).collect();
        let calls = stream::iter(batches).map(|batch| self.act_on_batch(url, batch, doing));
        let done: Vec<Result<(), PortError>> = calls.buffer_unordered(CONCURRENT_CALLS).collect().await;
        stream::iter(done).try_collect().await
    }

    async fn act_on_batch(
        &self,
        url: &str,
        mut batch: Vec<(Receipt, Act)>,
        doing: &'static str,
    ) -> Result<(), PortError> {
        let mut backoff = Backoff::default();
        let mut first_error = None;
        loop {
            let mut again = Vec::new();
            let mut cause = None;
            for failed in self.act_once(url, &batch, doing).await? {
                // The ids are the places in the batch.
                let entry = failed.id.parse::<usize>().ok().and_then(|at| batch.get(at)).cloned();
                match entry {
                    _ if is_out_of_date(&failed) => {}
                    Some(entry) if !failed.sender_fault => {
                        cause = Some(failure(&failed, doing));
                        again.push(entry);
                    }
                    _ => first_error = first_error.or_else(|| Some(failure(&failed, doing))),
                }
            }
            if !again.is_empty() && backoff.pause().await {
                batch = again;
                continue;
            }
            return first_error.or(cause).map_or(Ok(()), Err);
        }
    }

    /// One call, answering with the entries that failed. All acts of a batch are of one kind.
    async fn act_once(
        &self,
        url: &str,
        batch: &[(Receipt, Act)],
        doing: &'static str,
    ) -> Result<Vec<BatchResultErrorEntry>, PortError> {
        let defect = |error| PortError::new(PortErrorKind::Internal, doing, error);
        let (mut deletes, mut hides) = (Vec::new(), Vec::new());
        for (at, (Receipt(receipt), act)) in batch.iter().enumerate() {
            let id = at.to_string();
            match act {
                Act::Delete => {
                    let entry = DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(receipt);
                    deletes.push(entry.build().map_err(defect)?);
                }
                Act::Hide(seconds) => {
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
            failed.extend(call.send().await.map_err(|error| port_error(doing, error))?.failed);
        }
        if !hides.is_empty() {
            let call = self.client.change_message_visibility_batch().queue_url(url).set_entries(Some(hides));
            failed.extend(call.send().await.map_err(|error| port_error(doing, error))?.failed);
        }
        Ok(failed)
    }
}

/// Whether an entry failed because its receipt names no message, or one that was received again since.
fn is_out_of_date(failed: &BatchResultErrorEntry) -> bool {
    let code = failed.code.rsplit(['.', '#']).next().unwrap_or_default();
    matches!(
        code,
        "ReceiptHandleIsInvalid"
            | "MessageNotInflight"
            | "InvalidParameterValue"
            | "InvalidParameterValueException"
    )
}

/// A delay as SQS counts it: no shorter, and at most 12 hours.
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
