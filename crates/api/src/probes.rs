//! Readiness and queue depth of ports, for `/health/ready` and `/metrics`.

use std::sync::Arc;

use domain::ports::{ChangeQueue, OutboxStats, PortError, ProductStore, QueueStats};
use runtime::{OutboxDepth, Part, QueueDepth, QueueProbe};

/// Returns a part that is ready if the `ready` method of the port succeeds.
///
/// The error of a part that is not ready contains all causes, for operators.
pub fn part<P, F>(
    name: &'static str,
    port: &Arc<P>,
    ready: impl Fn(Arc<P>) -> F + Send + Sync + 'static,
) -> Part
where
    P: ?Sized + Send + Sync + 'static,
    F: Future<Output = Result<(), PortError>> + Send + 'static,
{
    let port = Arc::clone(port);
    Part::new(name, move || {
        let ready = ready(Arc::clone(&port));
        async move { ready.await.map_err(|error| error.chain()) }
    })
}

/// Returns a probe of the depth of `queue`, and of the outbox of `store` for services that have the store.
pub fn queue_probe(queue: Arc<dyn ChangeQueue>, store: Option<Arc<dyn ProductStore>>) -> QueueProbe {
    QueueProbe::new(move || {
        let (queue, store) = (Arc::clone(&queue), store.clone());
        async move {
            let (stats, outbox) = futures::join!(queue.stats(), outbox_depth(store.as_deref()));
            let QueueStats { waiting, in_flight, dead, oldest_age } = stats.ok()?;
            Some(QueueDepth { queue: queue.back_end(), waiting, in_flight, dead, oldest_age, outbox })
        }
    })
}

async fn outbox_depth(store: Option<&dyn ProductStore>) -> Option<OutboxDepth> {
    let store = store?;
    let OutboxStats { entries, oldest_age } = store.outbox().await.ok()?;
    let oldest_age = oldest_age.unwrap_or_default();
    Some(OutboxDepth { store: store.back_end(), unsent: entries, oldest_age })
}
