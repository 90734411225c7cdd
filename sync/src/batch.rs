//! A batch of messages: the newest change of each product, and the messages that each change settles.

use std::collections::HashMap;
use std::time::Duration;

use domain::ports::{Applied, Delivery, Envelope, Receipt, ReleaseRequest, RetryRequest};
use domain::{Change, ProductId};
use runtime::trace_context::{self, SpanContext};

/// The longest delay of a retry.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);

/// Messages that were received together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The newest change of each product.
    pub(crate) changes: Vec<Change>,
    /// For each change, the messages that it settles: those of the same product.
    messages: Vec<Vec<Message>>,
    /// Messages that cannot be parsed.
    unreadable: Vec<RetryRequest>,
    receipts: Vec<Receipt>,
    is_suspect: bool,
}

/// The messages of a batch by their result.
#[derive(Debug, Default)]
pub(crate) struct Settlement {
    /// Messages whose change, or a newer one, is in the index.
    pub(crate) acknowledged: Vec<Receipt>,
    /// Messages that cannot be parsed, or whose change the index refused.
    pub(crate) retried: Vec<RetryRequest>,
}

#[derive(Debug)]
struct Message {
    receipt: Receipt,
    receives: u32,
    body: Option<String>,
    /// The trace in which the change was written.
    trace: Option<SpanContext>,
}

impl Batch {
    pub(crate) fn new(deliveries: Vec<Delivery>) -> Self {
        let count = deliveries.len();
        let mut batch = Self {
            changes: Vec::with_capacity(count),
            messages: Vec::with_capacity(count),
            receipts: Vec::with_capacity(count),
            ..Self::default()
        };
        let mut positions: HashMap<ProductId, usize> = HashMap::with_capacity(count);
        for delivery in deliveries {
            batch.is_suspect |= delivery.is_suspect();
            let Delivery { receipt, envelope, receives, body } = delivery;
            batch.receipts.push(receipt.clone());
            match envelope {
                Ok(Envelope { change, traceparent }) => {
                    let trace = traceparent.as_deref().and_then(trace_context::parse);
                    batch.add(&mut positions, change, Message { receipt, receives, body, trace });
                }
                Err(reason) => {
                    tracing::error!(reason, receives, "cannot parse a message");
                    let message = Message { receipt, receives, body, trace: None };
                    batch.unreadable.push(message.retry_request(reason));
                }
            }
        }
        batch
    }

    fn add(&mut self, positions: &mut HashMap<ProductId, usize>, change: Change, message: Message) {
        match positions.get(change.id()) {
            None => {
                positions.insert(change.id().clone(), self.changes.len());
                self.changes.push(change);
                self.messages.push(vec![message]);
            }
            Some(&at) => {
                if change.version() > self.changes[at].version() {
                    self.changes[at] = change;
                }
                self.messages[at].push(message);
            }
        }
    }

    /// Returns true if a message of this batch [may end the process](Delivery::is_suspect).
    pub(crate) fn is_suspect(&self) -> bool {
        self.is_suspect
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.receipts.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.receipts.len()
    }

    /// Returns the traces in which the changes were written.
    pub(crate) fn traces(&self) -> impl Iterator<Item = SpanContext> {
        self.messages.iter().flatten().filter_map(|message| message.trace.clone())
    }

    /// Returns the largest receive count of the messages.
    pub(crate) fn receives(&self) -> u32 {
        let unreadable = self.unreadable.iter().map(|message| message.receives);
        self.messages.iter().flatten().map(|message| message.receives).chain(unreadable).max().unwrap_or(0)
    }

    /// Returns the receipts of all messages, to extend their visibility.
    pub(crate) fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// Returns all messages as unprocessed.
    pub(crate) fn release(self) -> Vec<ReleaseRequest> {
        let readable = self.messages.into_iter().flatten().map(Message::release_request);
        let unreadable = self.unreadable.into_iter();
        let unreadable = unreadable.map(|RetryRequest { receipt, receives, body, .. }| ReleaseRequest {
            receipt,
            receives,
            body,
        });
        readable.chain(unreadable).collect()
    }

    /// Settles the messages, given the results of [`Batch::changes`] in the same order.
    pub(crate) fn settle(self, applied: Vec<Applied>) -> Settlement {
        let mut acknowledged = Vec::with_capacity(self.receipts.len());
        let mut retried = self.unreadable;
        for ((change, messages), applied) in self.changes.iter().zip(self.messages).zip(applied) {
            let Applied::Refused(reason) = applied else {
                acknowledged.extend(messages.into_iter().map(|message| message.receipt));
                continue;
            };
            tracing::error!(
                product.id = %change.id(),
                product.version = change.version().0,
                trace.id = trace_of(&messages),
                reason,
                "the index refused a product"
            );
            retried.extend(messages.into_iter().map(|message| message.retry_request(reason.clone())));
        }
        Settlement { acknowledged, retried }
    }
}

/// Returns the trace of the newest message that has one, for the log.
fn trace_of(messages: &[Message]) -> Option<String> {
    let traced = messages.iter().rev().find_map(|message| message.trace.as_ref());
    traced.map(|trace| trace.trace_id().to_string())
}

impl Message {
    fn release_request(self) -> ReleaseRequest {
        let Self { receipt, receives, body, .. } = self;
        ReleaseRequest { receipt, receives, body }
    }

    /// Requests a retry. The delay doubles with each receive.
    fn retry_request(self, reason: String) -> RetryRequest {
        let Self { receipt, receives, body, .. } = self;
        let delay = Duration::from_secs(1 << receives.min(6)).min(MAX_RETRY_DELAY);
        RetryRequest { receipt, receives, body, reason, delay }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Tombstone, Version};

    fn delivery(receipt: &str, id: &str, version: u64) -> Delivery {
        let id = ProductId::parse(id).unwrap();
        let change = Change::Delete(Tombstone { id, version: Version(version), deleted_at: domain::now() });
        Delivery {
            receipt: Receipt(receipt.to_owned()),
            envelope: Ok(Envelope { change, traceparent: None }),
            receives: 1,
            body: None,
        }
    }

    #[test]
    fn the_newest_change_of_a_product_settles_all_its_messages() {
        let deliveries = [("r1", "a", 2), ("r2", "b", 1), ("r3", "a", 3), ("r4", "a", 1)];
        let batch =
            Batch::new(deliveries.map(|(receipt, id, version)| delivery(receipt, id, version)).into());
        let versions: Vec<u64> = batch.changes.iter().map(|change| change.version().0).collect();
        assert_eq!(versions, [3, 1]);
        let Settlement { acknowledged, retried } =
            batch.settle(vec![Applied::Stale, Applied::Refused("why".into())]);
        assert_eq!(acknowledged, ["r1", "r3", "r4"].map(|receipt| Receipt(receipt.to_owned())));
        assert_eq!(retried.len(), 1);
        assert_eq!(retried[0].reason, "why");
    }

    #[test]
    fn an_unreadable_message_is_retried_alone() {
        let unreadable = Delivery {
            receipt: Receipt("r1".into()),
            envelope: Err("no JSON".into()),
            receives: 3,
            body: Some("{".into()),
        };
        let batch = Batch::new(vec![unreadable, delivery("r2", "a", 1)]);
        assert_eq!(batch.len(), 2);
        let Settlement { acknowledged, retried } = batch.settle(vec![Applied::Done]);
        assert_eq!(acknowledged, [Receipt("r2".into())]);
        assert_eq!(retried[0].delay, Duration::from_secs(8));
        assert_eq!((retried[0].receives, retried[0].body.as_deref()), (3, Some("{")));
    }
}
