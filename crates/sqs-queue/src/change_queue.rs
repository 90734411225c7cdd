//! The port, composed of the operations of the other modules.

use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{
    ChangeQueue, Delivery, Envelope, PortError, QueueStats, Receipt, RefillId, ReleaseRequest, RetryRequest,
};

use crate::queue::SqsQueue;
use crate::queue_info::VISIBILITY;

#[async_trait]
impl ChangeQueue for SqsQueue {
    async fn send(&self, envelopes: Vec<Envelope>) -> Vec<Result<(), PortError>> {
        self.send_all(&envelopes).await
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, PortError> {
        self.on_queue(|info| async move { self.receive_any(&info.url, max, wait).await }).await
    }

    async fn acknowledge(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        self.delete_all(receipts).await
    }

    async fn retry_later(&self, failed: &[RetryRequest]) -> Result<(), PortError> {
        let moved = self.move_to_dead_letters(failed).await?;
        let (dead, retried): (Vec<_>, Vec<_>) =
            failed.iter().partition(|request| moved.contains(&request.receipt));
        let dead: Vec<Receipt> = dead.into_iter().map(|request| request.receipt.clone()).collect();
        self.delete_all(&dead).await?;
        let delays = retried.into_iter().map(|request| (request.receipt.clone(), request.delay)).collect();
        self.hide_all(delays, "retrying messages later").await
    }

    async fn release(&self, unprocessed: &[ReleaseRequest]) -> Result<(), PortError> {
        let resent = self.resend(unprocessed).await?;
        let (replaced, released): (Vec<_>, Vec<_>) = unprocessed
            .iter()
            .map(|request| request.receipt.clone())
            .partition(|receipt| resent.contains(receipt));
        self.delete_all(&replaced).await?;
        let released = released.into_iter().map(|receipt| (receipt, Duration::ZERO)).collect();
        self.hide_all(released, "releasing messages").await
    }

    async fn extend(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let timeout = self.visibility_timeout();
        let delays = receipts.iter().map(|receipt| (receipt.clone(), timeout)).collect();
        self.hide_all(delays, "extending the visibility timeout of messages").await
    }

    fn visibility_timeout(&self) -> Duration {
        self.known_info().map_or(VISIBILITY, |info| info.visibility)
    }

    async fn stats(&self) -> Result<QueueStats, PortError> {
        self.on_queue(|info| async move { self.count(&info).await }).await
    }

    fn back_end(&self) -> &'static str {
        "sqs"
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.on_queue(|info| async move { self.probe(&info).await }).await
    }

    async fn claim_refill(&self, claimant: &str) -> Result<Option<RefillId>, PortError> {
        if !self.is_created_when_missing() {
            return Ok(None);
        }
        self.on_queue(|info| async move { self.claim(&info.url, claimant).await }).await
    }

    async fn complete_refill(&self, id: &RefillId) -> Result<(), PortError> {
        self.on_queue(|info| async move { self.complete(&info.url, id).await }).await
    }
}
