//! The look at the start: whether the index holds every version that the store holds. An index folder that was deleted or
//! put back to an old copy, a store that was restored, a commit that a power loss undid: whatever it was, the index is
//! brought up to the store, while searches and writes go on.

use std::time::Duration;

use domain::ports::PortError;
use domain::ports::{CompareDepth, Generation};
use runtime::Backoff;
use tokio_util::sync::CancellationToken;

use crate::reconcile::{Comparison, Nobody, Outcome, Sides, list_error, reconcile};
use crate::worker::MAX_BACKOFF;

/// Compares versions, which takes a second for some hundred thousand products, and mends what differs. It tries again
/// until it has succeeded or `stop` is cancelled.
pub async fn catch_up(sides: Sides, stop: CancellationToken) {
    let mut backoff = Backoff::up_to(MAX_BACKOFF);
    loop {
        match stop.run_until_cancelled(compare(&sides)).await {
            None => return,
            Some(Ok(outcome)) => return told(&outcome),
            Some(Err(error)) => {
                tracing::warn!(
                    error = error.chain(),
                    "the index cannot be compared with the store; trying again"
                );
                if stop.run_until_cancelled(backoff.pause()).await.is_none() {
                    return;
                }
            }
        }
    }
}

async fn compare(sides: &Sides) -> Result<Outcome, PortError> {
    if sides.store.versions(None, 1).await.map_err(list_error)?.versions.is_empty() {
        let documents = sides.index.generations().await?.live.map_or(0, |live| live.documents);
        if documents > 0 {
            // Most likely another store is meant, and to empty the index would be the wrong answer.
            tracing::error!(
                index.documents = documents,
                "the store is empty and the index is not; it is left as it is: look whether this is the right data \
                 folder, or run `noren verify --repair`"
            );
        }
        return Ok(Outcome::default());
    }
    let comparison = Comparison {
        generation: Generation::Live,
        look: CompareDepth::Versions,
        repair: true,
        patience: Duration::ZERO,
        one_in: 1,
    };
    reconcile(sides, comparison, &mut Nobody).await
}

fn told(outcome: &Outcome) {
    if outcome.drifts() == 0 {
        tracing::debug!(compared = outcome.compared, "the index holds every version of the store");
        return;
    }
    tracing::warn!(
        compared = outcome.compared,
        missing = outcome.missing,
        stale = outcome.stale,
        ghost = outcome.ghost,
        ahead = outcome.ahead,
        repaired = outcome.repaired,
        "the index had not every version of the store; it was mended"
    );
}
