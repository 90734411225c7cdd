//! The queue, observed where changes are sent. The consumer creates the spans of the messages that it processes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{
    ChangeQueue, Delivery, Envelope, PortError, QueueStats, Receipt, RefillId, ReleaseRequest, RetryRequest,
};
use runtime::server_timing::Phase;
use runtime::telemetry::traces;
use runtime::trace_context;
use tracing::Span;

use crate::call::{call_span, record_error, timed};

/// A queue whose sends are observed.
pub struct ObservedQueue(Arc<dyn ChangeQueue>);

impl ObservedQueue {
    /// Observes the sends of a queue.
    pub fn around(queue: Arc<dyn ChangeQueue>) -> Arc<dyn ChangeQueue> {
        Arc::new(Self(queue))
    }

    fn send_span(&self, messages: usize) -> Span {
        call_span!(
            "queue.send",
            "producer",
            messaging.system = self.0.back_end(),
            messaging.operation.name = "send",
            messaging.batch.message_count = messages,
        )
    }
}

#[async_trait]
impl ChangeQueue for ObservedQueue {
    async fn send(&self, envelopes: Vec<Envelope>) -> Vec<Result<(), PortError>> {
        if !traces::is_on() {
            return timed(Phase::Store, &Span::none(), self.0.send(envelopes)).await;
        }
        let span = self.send_span(envelopes.len());
        // The relay runs outside of a request: its span follows the traces of the requests whose changes it sends.
        let _of_messages = match Span::current().is_none() {
            true => {
                let senders = envelopes.iter().filter_map(|envelope| envelope.traceparent.as_deref());
                let senders = senders.filter_map(trace_context::parse);
                traces::follow(&span, senders, || self.send_span(1))
            }
            false => Vec::new(),
        };
        let results = timed(Phase::Store, &span, self.0.send(envelopes)).await;
        if let Some(error) = results.iter().find_map(|result| result.as_ref().err()) {
            record_error(&span, error);
        }
        results
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, PortError> {
        self.0.receive(max, wait).await
    }

    async fn acknowledge(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        self.0.acknowledge(receipts).await
    }

    async fn retry_later(&self, failed: &[RetryRequest]) -> Result<(), PortError> {
        self.0.retry_later(failed).await
    }

    async fn release(&self, unprocessed: &[ReleaseRequest]) -> Result<(), PortError> {
        self.0.release(unprocessed).await
    }

    async fn extend(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        self.0.extend(receipts).await
    }

    fn visibility_timeout(&self) -> Duration {
        self.0.visibility_timeout()
    }

    async fn stats(&self) -> Result<QueueStats, PortError> {
        self.0.stats().await
    }

    async fn is_empty(&self) -> Result<bool, PortError> {
        self.0.is_empty().await
    }

    fn back_end(&self) -> &'static str {
        self.0.back_end()
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.0.ready().await
    }

    async fn claim_refill(&self, claimant: &str) -> Result<Option<RefillId>, PortError> {
        self.0.claim_refill(claimant).await
    }

    async fn complete_refill(&self, id: &RefillId) -> Result<(), PortError> {
        self.0.complete_refill(id).await
    }
}
