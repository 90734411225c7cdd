//! The reading side of an index.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{IndexStats, Indexed, PortError, PortErrorKind, SearchIndex};
use domain::search::{FacetRequest, FacetValue, SearchAnswer, SearchRequest};
use domain::{Language, ProductId, Version};

use crate::error::port_error;
use crate::layout::open_error::OpenError;
use crate::search::answer;
use crate::search::deadline::Deadline;
use crate::search::live_generation::LiveGeneration;
use crate::search::lookup;
use crate::search::pool::Pool;
use crate::search::snapshot::Snapshot;

/// Options of a [`TantivySearcher`].
#[derive(Debug, Clone, Copy)]
pub struct SearcherOptions {
    /// The number of threads that search.
    pub threads: usize,
    /// The most searches that may wait for a thread; further ones fail with
    /// [`Throttled`](domain::ports::PortErrorKind::Throttled).
    pub max_waiting: usize,
    /// The longest time that a search may take, including its wait; then it fails with
    /// [`Unavailable`](domain::ports::PortErrorKind::Unavailable).
    pub timeout: Duration,
    /// The language that queries are analysed for; the writer of the folder must use the same.
    pub language: Language,
}

impl Default for SearcherOptions {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let timeout = Duration::from_secs(5);
        Self { threads, max_waiting: 256, timeout, language: Language::default() }
    }
}

/// Searches an index folder. Each search uses the newest commit of the live generation.
pub struct TantivySearcher {
    live: Arc<LiveGeneration>,
    pool: Pool,
}

impl TantivySearcher {
    /// Opens the index in `folder` for searching; creates an empty one if there is none. The folder must be writable, because
    /// a lock file in it keeps a writer from removing segments that are being opened.
    ///
    /// # Errors
    /// [`OpenError::OtherLanguage`], [`OpenError::Newer`] or [`OpenError::Damaged`] if this program cannot use the index;
    /// [`OpenError::Io`] if the file system fails. An index that is too old to be read is no error: searches fail as
    /// [`Unavailable`](PortErrorKind::Unavailable) until a writer has rebuilt it.
    pub fn open(folder: &Path, options: SearcherOptions) -> Result<Self, OpenError> {
        let live = LiveGeneration::open(folder, options.language)?;
        let pool = Pool::start(options.threads, options.max_waiting, options.timeout)
            .map_err(|source| OpenError::io(folder, source))?;
        Ok(Self { live: Arc::new(live), pool })
    }

    /// Runs a job on the newest snapshot, on a thread of the pool.
    async fn on_newest<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Snapshot, Deadline) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let live = Arc::clone(&self.live);
        let work = move |deadline| {
            let newest = live
                .newest()
                .ok_or_else(not_rebuilt)?
                .map_err(|error| port_error("opening the newest commit of the index", error))?;
            job(&newest, deadline)
        };
        self.pool.run(work).await
    }
}

#[async_trait]
impl SearchIndex for TantivySearcher {
    async fn search_all(&self, requests: &[SearchRequest]) -> Result<Vec<SearchAnswer>, PortError> {
        let requests = requests.to_vec();
        let answers = move |snapshot: &Snapshot, deadline| {
            requests.iter().map(|request| answer::search(snapshot, request, deadline)).collect()
        };
        self.on_newest(answers).await
    }

    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Indexed>>, PortError> {
        let ids = ids.to_vec();
        let indexed =
            move |snapshot: &Snapshot, _| ids.iter().map(|id| lookup::indexed(snapshot, id)).collect();
        self.on_newest(indexed).await
    }

    async fn versions(&self, ids: &[ProductId]) -> Result<Vec<Option<Version>>, PortError> {
        let ids = ids.to_vec();
        let versions =
            move |snapshot: &Snapshot, _| ids.iter().map(|id| lookup::version(snapshot, id)).collect();
        self.on_newest(versions).await
    }

    async fn facet_values(&self, request: &FacetRequest) -> Result<Vec<FacetValue>, PortError> {
        let request = request.clone();
        self.on_newest(move |snapshot, deadline| answer::facet_values(snapshot, &request, deadline)).await
    }

    async fn snapshot(&self) -> Result<Option<String>, PortError> {
        // Usually costs two calls of `stat`. If no search has loaded the newest commit yet, a thread of the pool loads it.
        match self.live.snapshots().and_then(|snapshots| snapshots.newest_name()) {
            Some(name) => Ok(Some(name)),
            None => self.on_newest(|snapshot, _| Ok(Some(snapshot.name.clone()))).await,
        }
    }

    async fn stats(&self) -> Result<IndexStats, PortError> {
        let snapshots = self.live.snapshots().ok_or_else(not_rebuilt)?;
        self.on_newest(move |snapshot, _| {
            let bytes = folder_size(&snapshots.folder().path);
            Ok(IndexStats { products: snapshot.products(), bytes: bytes.ok() })
        })
        .await
    }

    fn back_end(&self) -> &'static str {
        "tantivy"
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.on_newest(|_, _| Ok(())).await
    }
}

/// Returns the error of searches while there is no index that can be read.
fn not_rebuilt() -> PortError {
    let context = "the index has the format of an older version and is not rebuilt yet; `noren serve` and `noren-sync` \
                   rebuild it";
    PortError::bare(PortErrorKind::Unavailable, context)
}

/// Returns the total size of the files in a folder without subfolders. Files that are removed meanwhile do not count.
fn folder_size(folder: &Path) -> std::io::Result<u64> {
    let sizes =
        std::fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.metadata().ok()).map(|file| file.len());
    Ok(sizes.sum())
}
