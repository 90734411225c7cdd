//! The rebuild that runs in this process: at most one, and its progress.

use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use api::wire::reindex::ReindexEvent;
use async_trait::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::progress::Progress;

/// The rebuild that runs in this process. Clones share it.
#[derive(Clone, Default)]
pub struct RebuildState {
    /// Locked by the rebuild that runs.
    running: Arc<Mutex<()>>,
    /// The progress of a rebuild that this process began by itself.
    upgrade: Arc<StdMutex<Option<String>>>,
}

impl RebuildState {
    /// Returns the progress of the rebuild that replaces an index of an older format, as a note for operators; `None` if
    /// there is no such rebuild.
    pub fn note(&self) -> Option<String> {
        self.upgrade.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until no rebuild runs, and keeps others from starting until the guard is dropped.
    pub(crate) async fn lock(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.running).lock_owned().await
    }

    /// Does the same without waiting; `None` if a rebuild runs.
    pub(crate) fn try_lock(&self) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.running).try_lock_owned().ok()
    }

    /// Replaces the note.
    pub(crate) fn set_note(&self, note: Option<String>) {
        *self.upgrade.lock().unwrap_or_else(PoisonError::into_inner) = note;
    }
}

/// Records the progress of a rebuild that this process began by itself.
pub(crate) struct NotedProgress(pub(crate) RebuildState);

#[async_trait]
impl Progress<ReindexEvent> for NotedProgress {
    async fn report(&mut self, event: ReindexEvent) {
        match event {
            ReindexEvent::Resumed => tracing::info!("continuing the unfinished index"),
            ReindexEvent::Filling { done, total } => {
                let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
                self.0.set_note(Some(format!("the index is being rebuilt: {done}{of} products")));
                tracing::info!(done, total, "rebuilding the index");
            }
            ReindexEvent::Verifying { done, total } => {
                let note = format!("the index is being rebuilt: {done} of {total} products compared");
                self.0.set_note(Some(note));
            }
            ReindexEvent::Refused(drift) => {
                tracing::error!(product = %drift.id, "the new index rejects a product; it is left out");
            }
            ReindexEvent::Switched { documents } => {
                tracing::info!(documents, "searches use the new index now")
            }
            ReindexEvent::Done { .. } | ReindexEvent::Failed(_) => {}
        }
    }
}
