//! The events of `POST /admin/reindex`, one JSON object a line, and the state of the indexes.

use domain::ports::{GenerationState, Generations};
use serde::{Deserialize, Serialize};

use super::Failed;
use super::verify::Drift;

/// An event of a rebuild of the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum ReindexEvent {
    /// An unfinished index is continued.
    Resumed,
    /// The progress of filling the new index.
    Filling {
        /// Records written or already there.
        done: u64,
        /// Estimated number of records; null if unknown.
        total: Option<u64>,
    },
    /// The progress of comparing the new index with the store.
    Verifying {
        /// Records compared.
        done: u64,
        /// Estimated number of records.
        total: u64,
    },
    /// The index rejected a product; it is left out.
    Refused(Drift),
    /// Searches use the new index.
    Switched {
        /// Products and tombstones in it.
        documents: u64,
    },
    /// The last event of a rebuild that ran to its end.
    Done {
        /// The indexes after the rebuild.
        indexes: Indexes,
    },
    /// The last event of a rebuild that failed.
    Failed(Failed),
}

impl From<Failed> for ReindexEvent {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

/// The indexes of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Indexes {
    /// The index that searches use; null if this program cannot use it.
    pub live: Option<IndexState>,
    /// The index that a rebuild fills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<IndexState>,
    /// The name of the index that was live before, for a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
}

/// The state of one index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct IndexState {
    /// Its name.
    pub name: String,
    /// Products and tombstones in it.
    pub documents: u64,
}

impl From<GenerationState> for IndexState {
    fn from(GenerationState { name, documents, .. }: GenerationState) -> Self {
        Self { name, documents }
    }
}

impl From<Generations> for Indexes {
    fn from(Generations { live, next, previous }: Generations) -> Self {
        Self { live: live.map(Into::into), next: next.map(Into::into), previous }
    }
}
