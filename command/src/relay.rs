//! The relay: enqueues changes that stayed in the outbox because of a crash or an unavailable queue.

use std::time::Duration;

use domain::ports::PortError;

use crate::Catalogue;
use crate::refill::refill_forever;

/// The age from which an outbox entry is relayed. A younger one most likely belongs to a write that is about to enqueue it.
const MIN_AGE: Duration = Duration::from_secs(5);
/// Changes that are relayed at a time.
const BATCH: usize = 100;
/// The pause when there was nothing to relay.
const PAUSE: Duration = Duration::from_secs(2);

/// Relays until the process ends, and enqueues every record once more whenever the queue was lost.
pub async fn relay_forever(catalogue: Catalogue) {
    tokio::join!(relay_entries(&catalogue), refill_forever(&catalogue));
}

async fn relay_entries(catalogue: &Catalogue) {
    loop {
        match relay_once(catalogue).await {
            Ok(BATCH) => {}
            Ok(_) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                tracing::warn!(error = error.chain(), "cannot read the outbox; retrying");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Relays until no entry is old enough, or the queue rejects changes.
///
/// # Errors
/// When the outbox cannot be read.
pub async fn relay_all(catalogue: &Catalogue) -> Result<(), PortError> {
    while relay_once(catalogue).await? == BATCH {}
    Ok(())
}

/// Enqueues one batch of changes whose outbox entries are old enough. Returns how many were enqueued.
///
/// # Errors
/// When the outbox cannot be read.
pub async fn relay_once(catalogue: &Catalogue) -> Result<usize, PortError> {
    let entries = catalogue.store().pending(MIN_AGE, BATCH).await?;
    Ok(catalogue.enqueue(entries.into_iter().map(|entry| (entry.id, entry.envelope)).collect()).await)
}
