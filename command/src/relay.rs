//! The relay: enqueues what a crash, or a queue that was away, left behind in the outbox.

use std::time::Duration;

use domain::ports::PortError;

use crate::Catalogue;

/// A mark younger than this belongs to a write that is most likely still being enqueued.
const MIN_AGE: Duration = Duration::from_secs(5);
/// How many changes are relayed at a time.
const BATCH: usize = 100;
/// How long to wait when there was nothing to relay.
const PAUSE: Duration = Duration::from_secs(2);

/// Relays for as long as the process runs.
pub async fn relay_forever(catalogue: Catalogue) {
    loop {
        match relay_once(&catalogue).await {
            Ok(BATCH) => {}
            Ok(_) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                tracing::warn!(error = error.chain(), "cannot read the outbox; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Relays until nothing is left that is old enough, or the queue does not take it.
///
/// # Errors
/// When the outbox cannot be read.
pub async fn relay_all(catalogue: &Catalogue) -> Result<(), PortError> {
    while relay_once(catalogue).await? == BATCH {}
    Ok(())
}

/// Enqueues one batch of changes whose marks are old enough; answers how many were enqueued.
///
/// # Errors
/// When the outbox cannot be read.
pub async fn relay_once(catalogue: &Catalogue) -> Result<usize, PortError> {
    let unsent = catalogue.store().pending(MIN_AGE, BATCH).await?;
    Ok(catalogue.enqueue(unsent.into_iter().map(|unsent| (unsent.id, unsent.envelope)).collect()).await)
}
