//! The comparison at start.
//!
//! It finds every loss that happened while no consumer ran: an index folder that was deleted or restored from an older
//! copy, a store that was restored, a commit that a power loss undid. Searches and writes continue meanwhile.

use std::time::Duration;

use api::wire::verify::DriftCounts;
use domain::ports::{CompareDepth, Generation, PortError};
use runtime::retry;
use tokio_util::sync::CancellationToken;

use crate::consumer::MAX_BACKOFF;
use crate::progress::NoProgress;
use crate::reconcile::{Comparison, reconcile};
use crate::store_and_index::{StoreAndIndex, list_error};

/// Compares all versions and repairs the index, retrying until that has succeeded or `stop` is cancelled.
///
/// Does nothing while the index is too old to be read: [`upgrade`](crate::upgrade) compares the new one.
///
/// Comparing some hundred thousand products takes about a second. An empty store with a non-empty index is an error in
/// the log and changes nothing, since the wrong store is the likely cause.
pub async fn catch_up(sides: StoreAndIndex, stop: CancellationToken) {
    let is_retried = |error: &PortError| {
        tracing::warn!(error = error.chain(), "cannot compare the index with the store; retrying");
        true
    };
    let compared = stop.run_until_cancelled(retry(MAX_BACKOFF, &stop, || compare(&sides), is_retried));
    if let Some(Some(Ok(counts))) = compared.await {
        log_outcome(&counts);
    }
}

async fn compare(sides: &StoreAndIndex) -> Result<DriftCounts, PortError> {
    if sides.index.generations().await?.live.is_none() {
        return Ok(DriftCounts::default());
    }
    if sides.store.versions(None, 1).await.map_err(list_error)?.versions.is_empty() {
        let documents = sides.index.generations().await?.live.map_or(0, |live| live.documents);
        if documents > 0 {
            tracing::error!(
                index.documents = documents,
                "the store is empty but the index is not; the index is left unchanged: check that this is the right \
                 data folder, or run `noren verify --repair`"
            );
        }
        return Ok(DriftCounts::default());
    }
    let comparison = Comparison {
        generation: Generation::Live,
        depth: CompareDepth::Versions,
        repair: true,
        grace_period: Duration::ZERO,
        one_in: 1,
    };
    reconcile(sides, comparison, &mut NoProgress).await
}

fn log_outcome(counts: &DriftCounts) {
    let DriftCounts { compared, missing, stale, orphaned, newer, repaired, .. } = *counts;
    if counts.differences() == 0 {
        tracing::debug!(compared, "the index has every version of the store");
        return;
    }
    tracing::warn!(
        compared,
        missing,
        stale,
        orphaned,
        newer,
        repaired,
        "index was behind the store; repaired"
    );
}
