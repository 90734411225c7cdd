//! The reading side.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{IndexStats, Indexed, PortError, SearchIndex};
use domain::search::{FacetRequest, FacetValue, SearchAnswer, SearchRequest};
use domain::{Language, ProductId, Version};

use crate::layout::folder::OpenError;
use crate::search::live_generation::Live;
use crate::search::pool::Pool;
use crate::search::search;
use crate::search::snapshot::Snapshot;
use crate::write::worker::port_error;

/// How a [`TantivySearcher`] works.
#[derive(Debug, Clone, Copy)]
pub struct SearcherOptions {
    /// Threads that search.
    pub threads: usize,
    /// Searches that may wait for a thread; one more is answered with
    /// [`Throttled`](domain::ports::PortErrorKind::Throttled).
    pub waiting: usize,
    /// How long a search may take, with the waiting; then it is answered with
    /// [`Unavailable`](domain::ports::PortErrorKind::Unavailable).
    pub patience: Duration,
    /// What queries are analysed as; the same as that of whoever writes the folder.
    pub language: Language,
}

impl Default for SearcherOptions {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let patience = Duration::from_secs(5);
        Self { threads, waiting: 256, patience, language: Language::default() }
    }
}

/// Searches an index folder, and looks before each search whether there is something new.
pub struct TantivySearcher {
    live: Arc<Live>,
    pool: Pool,
}

impl TantivySearcher {
    /// Opens the index in `folder` for searching, and makes an empty one when there is none. The folder must be
    /// writable, because a lock file in it keeps a writer from removing what is being opened.
    ///
    /// # Errors
    /// [`OpenError::OtherLanguage`] for a folder that was made for another language, [`OpenError::Newer`],
    /// [`OpenError::Older`] and [`OpenError::Damaged`] for one that this program cannot use, [`OpenError::Io`] when the file system fails.
    pub fn open(folder: &Path, options: SearcherOptions) -> Result<Self, OpenError> {
        let live = Live::open(folder, options.language)?;
        let pool = Pool::start(options.threads, options.waiting, options.patience)
            .map_err(|source| OpenError::Io { folder: folder.to_owned(), source })?;
        Ok(Self { live: Arc::new(live), pool })
    }

    async fn on_newest<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Snapshot, std::time::Instant) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let live = Arc::clone(&self.live);
        let work = move |deadline| {
            let newest = live
                .snapshots()
                .newest()
                .map_err(|error| port_error("opening the newest state of the index", error))?;
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
            requests.iter().map(|request| search::search(snapshot, request, deadline)).collect()
        };
        self.on_newest(answers).await
    }

    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Indexed>>, PortError> {
        let ids = ids.to_vec();
        let indexed =
            move |snapshot: &Snapshot, _| ids.iter().map(|id| search::indexed(snapshot, id)).collect();
        self.on_newest(indexed).await
    }

    async fn versions(&self, ids: &[ProductId]) -> Result<Vec<Option<Version>>, PortError> {
        let ids = ids.to_vec();
        let versions =
            move |snapshot: &Snapshot, _| ids.iter().map(|id| search::version(snapshot, id)).collect();
        self.on_newest(versions).await
    }

    async fn facet_values(&self, request: &FacetRequest) -> Result<Vec<FacetValue>, PortError> {
        let request = request.clone();
        self.on_newest(move |snapshot, deadline| search::facet_values(snapshot, &request, deadline)).await
    }

    async fn snapshot(&self) -> Result<Option<String>, PortError> {
        // One look at the file system; only a state that no search has loaded yet needs a thread of the pool.
        match self.live.snapshots().name_of_newest() {
            Some(name) => Ok(Some(name)),
            None => self.on_newest(|snapshot, _| Ok(Some(snapshot.name.clone()))).await,
        }
    }

    async fn stats(&self) -> Result<IndexStats, PortError> {
        let snapshots = self.live.snapshots();
        self.on_newest(move |snapshot, _| {
            let bytes = bytes_in(&snapshots.folder().path);
            Ok(IndexStats { products: snapshot.products(), bytes: bytes.ok() })
        })
        .await
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.on_newest(|_, _| Ok(())).await
    }
}

/// The size of all files of a folder that has no folders in it. Files that go away meanwhile do not count.
fn bytes_in(folder: &Path) -> std::io::Result<u64> {
    let sizes =
        std::fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.metadata().ok()).map(|file| file.len());
    Ok(sizes.sum())
}
