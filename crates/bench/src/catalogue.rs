//! The interface to the catalogue under measurement.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use domain::ports::SearchIndex;

/// Cause of a failed operation of the catalogue.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A catalogue that runs in this process, with its store, index and sync consumer.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// Returns the router of all services. `answer_cache_mb` is the size of the answer cache in megabytes; 0 disables it.
    fn router(&self, answer_cache_mb: u32) -> Router;

    /// Returns the index that searches read.
    fn index(&self) -> Arc<dyn SearchIndex>;

    /// Imports files until everything is searchable, and returns a line that sums it up. Rejected products go to files
    /// in `rejects_folder`.
    ///
    /// # Errors
    /// If a file cannot be read or the catalogue cannot be written.
    async fn import(&self, files: &[PathBuf], rejects_folder: &Path) -> Result<String, Cause>;

    /// Waits until searches find every earlier write.
    ///
    /// # Errors
    /// If that takes longer than `timeout`.
    async fn wait_until_indexed(&self, timeout: Duration) -> Result<(), Cause>;

    /// Merges the segments of the index, as it does by itself when nothing is written for a while.
    ///
    /// # Errors
    /// If the index cannot be written.
    async fn optimize(&self) -> Result<(), Cause>;
}
