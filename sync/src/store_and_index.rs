//! A store with the index that is derived from it.

use std::sync::Arc;
use std::time::Duration;

use domain::Record;
use domain::ports::{
    Generation, IndexEntry, IndexMaintenance, ListError, PortError, PortErrorKind, ProductStore,
    TOMBSTONE_RETENTION,
};

use crate::rebuild_state::RebuildState;

/// A store with the index that is derived from it.
#[derive(Clone)]
pub struct StoreAndIndex {
    /// The store, which is the authority.
    pub store: Arc<dyn ProductStore>,
    /// The index.
    pub index: Arc<dyn IndexMaintenance>,
    rebuild: RebuildState,
}

impl StoreAndIndex {
    /// Creates the pair. Its clones run at most one rebuild at a time.
    pub fn new(store: Arc<dyn ProductStore>, index: Arc<dyn IndexMaintenance>) -> Self {
        Self { store, index, rebuild: RebuildState::default() }
    }

    /// Creates the pair with the state of a rebuild, which the health checks show.
    pub(crate) fn with_rebuild(
        store: Arc<dyn ProductStore>,
        index: Arc<dyn IndexMaintenance>,
        rebuild: RebuildState,
    ) -> Self {
        Self { store, index, rebuild }
    }

    /// Returns the state of the rebuild.
    pub fn rebuild(&self) -> &RebuildState {
        &self.rebuild
    }

    /// Returns the number of documents in a generation, including tombstones.
    pub(crate) async fn documents(&self, generation: Generation) -> Result<u64, PortError> {
        let generations = self.index.generations().await?;
        let state = match generation {
            Generation::Live => generations.live,
            Generation::Next => generations.next,
        };
        let missing = || PortError::bare(PortErrorKind::Unavailable, "there is no such index");
        state.map(|state| state.documents).ok_or_else(missing)
    }

    /// Returns the entries that the index should have for the records, computed on a blocking thread.
    pub(crate) async fn expected_entries(
        &self,
        records: Vec<Record>,
    ) -> Result<Vec<Result<IndexEntry, String>>, PortError> {
        let index = Arc::clone(&self.index);
        let projecting = tokio::task::spawn_blocking(move || index.expected_entries(&records));
        projecting
            .await
            .map_err(|panic| PortError::new(PortErrorKind::Internal, "projecting products", panic))
    }
}

/// Converts an error of reading a page of the store. An unknown cursor is a defect, because the store returned it itself.
pub(crate) fn list_error(error: ListError) -> PortError {
    match error {
        ListError::Failed(error) => error,
        ListError::UnknownCursor => {
            PortError::new(PortErrorKind::Internal, "reading the store page by page", error)
        }
    }
}

/// Returns true if a tombstone need not be in the index: no message can bring back a product that was deleted more than
/// [`TOMBSTONE_RETENTION`] ago. A time in the future, which a wrong clock may have written, is recent.
pub(crate) fn is_expired_tombstone(deleted_at: jiff::Timestamp) -> bool {
    Duration::try_from(domain::now().duration_since(deleted_at)).is_ok_and(|age| age > TOMBSTONE_RETENTION)
}
