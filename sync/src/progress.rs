//! Progress of long-running operations.

use async_trait::async_trait;

/// Receives progress events of a long-running operation. A slow receiver applies backpressure.
#[async_trait]
pub trait Progress<E: Send + 'static>: Send + Sync {
    /// Reports an event. The operation continues once this returns.
    async fn report(&mut self, event: E);
}

/// Discards all events.
pub struct NoProgress;

#[async_trait]
impl<E: Send + 'static> Progress<E> for NoProgress {
    async fn report(&mut self, _: E) {}
}

/// Sends all events to a channel.
#[async_trait]
impl<E: Send + 'static> Progress<E> for tokio::sync::mpsc::Sender<E> {
    async fn report(&mut self, event: E) {
        // If the receiver is gone, the task that runs the operation ends it.
        let _ = self.send(event).await;
    }
}
