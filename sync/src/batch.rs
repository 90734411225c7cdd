//! A batch of messages on its way into the index: the newest change of each product, and which messages it settles.

use std::collections::HashMap;
use std::time::Duration;

use domain::ports::{Applied, Delivery, Receipt, ReleaseRequest, RetryRequest};
use domain::{Change, ProductId};

/// The longest that a message which failed waits until it comes again.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);

/// Messages received together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The newest change of each product.
    pub(crate) changes: Vec<Change>,
    /// For each change, the messages that are settled with it.
    messages: Vec<Vec<Message>>,
    /// Messages that cannot be read.
    unreadable: Vec<RetryRequest>,
    receipts: Vec<Receipt>,
}

#[derive(Debug)]
struct Message {
    receipt: Receipt,
    receives: u32,
    body: Option<String>,
}

impl Batch {
    pub(crate) fn new(deliveries: Vec<Delivery>) -> Self {
        let mut batch = Self::default();
        let mut places: HashMap<ProductId, usize> = HashMap::with_capacity(deliveries.len());
        for Delivery { receipt, envelope, receives, body } in deliveries {
            batch.receipts.push(receipt.clone());
            let message = Message { receipt, receives, body };
            match envelope {
                Ok(envelope) => batch.add(&mut places, envelope.change, message),
                Err(reason) => {
                    tracing::error!(reason, receives, "a message cannot be read");
                    batch.unreadable.push(message.retry_request(reason));
                }
            }
        }
        batch
    }

    fn add(&mut self, places: &mut HashMap<ProductId, usize>, change: Change, message: Message) {
        match places.get(change.id()) {
            None => {
                places.insert(change.id().clone(), self.changes.len());
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

    pub(crate) fn is_empty(&self) -> bool {
        self.receipts.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.receipts.len()
    }

    /// The receipts of all messages, to keep them hidden while they are worked on.
    pub(crate) fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// All messages, where nothing became of them.
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

    /// What became of the messages, given what became of [`Batch::changes`]: acknowledged when the index holds their
    /// change or a later one, given back alone when it refuses theirs.
    pub(crate) fn settle(self, applied: Vec<Applied>) -> (Vec<Receipt>, Vec<RetryRequest>) {
        let mut acknowledged = Vec::with_capacity(self.receipts.len());
        let mut given_back = self.unreadable;
        for ((change, messages), applied) in self.changes.iter().zip(self.messages).zip(applied) {
            match applied {
                Applied::Done | Applied::Stale => {
                    acknowledged.extend(messages.into_iter().map(|message| message.receipt));
                }
                Applied::Refused(reason) => {
                    tracing::error!(product.id = %change.id(), product.version = change.version().0, reason, "the index refuses a product");
                    given_back
                        .extend(messages.into_iter().map(|message| message.retry_request(reason.clone())));
                }
            }
        }
        (acknowledged, given_back)
    }
}

impl Message {
    fn release_request(self) -> ReleaseRequest {
        let Self { receipt, receives, body } = self;
        ReleaseRequest { receipt, receives, body }
    }

    /// Each receive doubles the time until the next.
    fn retry_request(self, reason: String) -> RetryRequest {
        let Self { receipt, receives, body } = self;
        let delay = Duration::from_secs(1 << receives.min(6)).min(MAX_RETRY_DELAY);
        RetryRequest { receipt, receives, body, reason, delay }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ports::Envelope;
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
        let (acknowledged, given_back) = batch.settle(vec![Applied::Stale, Applied::Refused("why".into())]);
        assert_eq!(acknowledged, ["r1", "r3", "r4"].map(|receipt| Receipt(receipt.to_owned())));
        assert_eq!(given_back.len(), 1);
        assert_eq!(given_back[0].reason, "why");
    }

    #[test]
    fn an_unreadable_message_is_given_back_alone() {
        let unreadable = Delivery {
            receipt: Receipt("r1".into()),
            envelope: Err("no JSON".into()),
            receives: 3,
            body: Some("{".into()),
        };
        let batch = Batch::new(vec![unreadable, delivery("r2", "a", 1)]);
        assert_eq!(batch.len(), 2);
        let (acknowledged, given_back) = batch.settle(vec![Applied::Done]);
        assert_eq!(acknowledged, [Receipt("r2".into())]);
        assert_eq!(given_back[0].delay, Duration::from_secs(8));
        assert_eq!((given_back[0].receives, given_back[0].body.as_deref()), (3, Some("{")));
    }
}
