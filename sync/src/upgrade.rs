//! The rebuild of an index that an older version of Noren wrote.
//!
//! The old index is searched and written until the new one replaces it in one step. If a process ends in between, the next
//! one continues its rebuild. Of several processes, the one with the claim to the new index fills it.

use std::time::Duration;

use domain::ports::{CLAIM_EXPIRY, Generations, PortError, PortErrorKind};
use runtime::Retries;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::rebuild_state::NotedProgress;
use crate::reindex::reindex;
use crate::store_and_index::{StoreAndIndex, list_error};

/// The interval at which a claim is renewed.
const RENEWAL: Duration = CLAIM_EXPIRY.checked_div(4).expect("four is not zero");
/// The interval at which a process without the claim checks whether it is needed.
const WATCH: Duration = Duration::from_secs(2);
/// The longest pause after a failure.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// The pause after a rebuild for which there was no space. Each attempt fills the disk until it fails.
const FULL_PAUSE: Duration = Duration::from_secs(600);

/// The need to rebuild an index because it has the format of an older version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upgrade {
    /// The index has the current format.
    NotNeeded,
    /// The index has an older format, and searches use it until it has been rebuilt.
    Needed,
    /// The index is too old to be read. Searches are unavailable until it has been rebuilt.
    NeededToSearch,
}

impl Upgrade {
    /// Returns what the generations of an index need.
    pub fn of(generations: &Generations) -> Self {
        match &generations.live {
            Some(live) if live.is_current => Self::NotNeeded,
            Some(_) => Self::Needed,
            None => Self::NeededToSearch,
        }
    }
}

/// Rebuilds the index if it has the format of an older version, retrying until that has succeeded or `stop` is cancelled.
/// Does nothing if it has the current format.
///
/// An empty store with a non-empty index is an error in the log and changes nothing, since the wrong store is the likely
/// cause. If the disk is full, the unfinished index is removed, the old one stays, and the rebuild is retried later.
pub async fn upgrade(sides: StoreAndIndex, stop: CancellationToken) {
    let mut retries = Retries::new(MAX_PAUSE, &stop);
    loop {
        let Some(attempted) = stop.run_until_cancelled(attempt(&sides)).await else { return };
        let Err(error) = attempted else { break };
        let is_full = error.kind == PortErrorKind::Full;
        tracing::error!(error = error.chain(), "rebuilding the index failed; the old one stays in use");
        sides.rebuild().set_note(Some("rebuilding the index failed and is retried; see the log".to_owned()));
        let pause = async {
            match is_full {
                true => stop.run_until_cancelled(give_up_space(&sides)).await,
                false => retries.pause().await,
            }
        };
        if pause.await.is_none() {
            return;
        }
    }
    sides.rebuild().set_note(None);
}

/// Removes the unfinished index, and waits until space may have become free.
async fn give_up_space(sides: &StoreAndIndex) {
    let note = "the index cannot be rebuilt: its disk has no space for a second one; free some and restart";
    sides.rebuild().set_note(Some(note.to_owned()));
    tracing::error!(retry_in_s = FULL_PAUSE.as_secs(), "{note}");
    if let Err(error) = sides.index.discard_next().await {
        tracing::warn!(error = error.chain(), "the unfinished index cannot be removed");
    }
    sleep(FULL_PAUSE).await;
}

async fn needed(sides: &StoreAndIndex) -> Result<Upgrade, PortError> {
    Ok(Upgrade::of(&sides.index.generations().await?))
}

async fn attempt(sides: &StoreAndIndex) -> Result<(), PortError> {
    if needed(sides).await? == Upgrade::NotNeeded || !has_right_store(sides).await? {
        return Ok(());
    }
    loop {
        {
            let _guard = sides.rebuild().lock().await;
            // A rebuild of an operator, or of another process, may have ended in the meantime.
            if needed(sides).await? == Upgrade::NotNeeded {
                return Ok(());
            }
            sides.index.create_next().await?;
            if sides.index.claim_next().await? {
                // If another process has switched to its rebuilt index after the check above, the claimed index is superfluous.
                if needed(sides).await? == Upgrade::NotNeeded {
                    return sides.index.discard_next().await;
                }
                tracing::info!("the index has the format of an older version; rebuilding it from the store");
                tokio::select! {
                    rebuilt = rebuild(sides) => return rebuilt,
                    lost = until_claim_is_lost(sides) => lost?,
                }
            }
        }
        sides.rebuild().set_note(Some("the index is being rebuilt by another process".to_owned()));
        sleep(WATCH).await;
    }
}

async fn rebuild(sides: &StoreAndIndex) -> Result<(), PortError> {
    reindex(sides, &mut NotedProgress(sides.rebuild().clone())).await
}

/// Renews the claim to the next index until another process has it.
async fn until_claim_is_lost(sides: &StoreAndIndex) -> Result<(), PortError> {
    loop {
        sleep(RENEWAL).await;
        match sides.index.claim_next().await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!("another process has taken over the rebuild of the index");
                return Ok(());
            }
            // The rebuild itself notices if the index is gone. It ends at the switch, when there is no next index any more.
            Err(error) => tracing::debug!(error = error.chain(), "the claim to the index was not renewed"),
        }
    }
}

/// Returns false if the store is empty but the index is not, or cannot be known to be.
async fn has_right_store(sides: &StoreAndIndex) -> Result<bool, PortError> {
    if !sides.store.versions(None, 1).await.map_err(list_error)?.versions.is_empty() {
        return Ok(true);
    }
    let live = sides.index.generations().await?.live;
    if live.as_ref().is_some_and(|live| live.documents == 0) {
        return Ok(true);
    }
    tracing::error!(
        index.documents = live.map(|live| live.documents),
        "the index has the format of an older version, and the store is empty; the index is left unchanged: check that \
         this is the right store, or run `noren reindex`"
    );
    Ok(false)
}
