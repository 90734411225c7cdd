//! Loads a snapshot when a commit, of this or of another process, has replaced tantivy's list of segments.

use std::io::BufReader;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Deserialize;
use tantivy::{IndexReader, ReloadPolicy, TantivyError};

use crate::layout::files::META_FILE;
use crate::layout::folder::GenerationFolder;
use crate::search::pinned_file::{FileId, PinnedFile};
use crate::search::segment_cache::SegmentCache;
use crate::search::snapshot::Snapshot;

/// The number of decompressed blocks of stored products that a snapshot keeps per segment; a block has 4 KB.
const CACHED_BLOCKS: usize = 32;
/// The maximum number of attempts to load a commit without another commit in between. The last attempt is used in any case.
const MAX_ATTEMPTS: usize = 5;

/// Provides the newest snapshot of a generation.
pub(crate) struct SnapshotLoader {
    folder: GenerationFolder,
    reader: IndexReader,
    current: RwLock<LoadedSnapshot>,
    /// Locked while a snapshot is loaded.
    cache: Mutex<SegmentCache>,
}

#[derive(Clone)]
struct LoadedSnapshot {
    snapshot: Arc<Snapshot>,
    /// The list of segments that the snapshot was loaded from.
    meta: PinnedFile,
}

impl SnapshotLoader {
    pub(crate) fn open(folder: GenerationFolder) -> tantivy::Result<Self> {
        let reader = folder
            .index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(CACHED_BLOCKS)
            .try_into()?;
        let mut cache = SegmentCache::default();
        let current = load(&folder, &reader, &mut cache)?;
        Ok(Self { folder, reader, current: RwLock::new(current), cache: Mutex::new(cache) })
    }

    /// Returns the snapshot of the last commit, loading it if necessary.
    pub(crate) fn newest(&self) -> tantivy::Result<Arc<Snapshot>> {
        if let Some(snapshot) = self.current_if(FileId::at(&self.meta_path())?) {
            return Ok(snapshot);
        }
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        // Another search may have loaded it in the meantime.
        if let Some(snapshot) = self.current_if(FileId::at(&self.meta_path())?) {
            return Ok(snapshot);
        }
        let loaded = load(&self.folder, &self.reader, &mut cache)?;
        let snapshot = Arc::clone(&loaded.snapshot);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(snapshot)
    }

    /// Returns the snapshot that was loaded last. Its files stay open, so it can be searched even if they were removed.
    pub(crate) fn loaded(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).snapshot)
    }

    /// Returns the name of the snapshot of the last commit; `None` if it is not loaded yet.
    pub(crate) fn newest_name(&self) -> Option<String> {
        let id = FileId::at(&self.meta_path()).ok()?;
        self.current_if(id).map(|snapshot| snapshot.name.clone())
    }

    /// Returns the current snapshot if it was loaded from this list of segments.
    fn current_if(&self, id: FileId) -> Option<Arc<Snapshot>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        (current.meta.id == id).then(|| Arc::clone(&current.snapshot))
    }

    fn meta_path(&self) -> PathBuf {
        self.folder.path.join(META_FILE)
    }

    pub(crate) fn folder(&self) -> &GenerationFolder {
        &self.folder
    }
}

fn load(
    folder: &GenerationFolder,
    reader: &IndexReader,
    cache: &mut SegmentCache,
) -> tantivy::Result<LoadedSnapshot> {
    #[derive(Deserialize)]
    struct Meta {
        opstamp: u64,
    }
    let path = folder.path.join(META_FILE);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let meta = PinnedFile::open(&path)?;
        let Meta { opstamp } = serde_json::from_reader(BufReader::new(meta.file()))
            .map_err(|error| TantivyError::InternalError(format!("{META_FILE}: {error}")))?;
        reader.reload()?;
        // If the list of segments was replaced meanwhile, the reader may have loaded a newer commit than `opstamp` names.
        if FileId::at(&path)? != meta.id && attempts < MAX_ATTEMPTS {
            continue;
        }
        let name = format!("{}-{opstamp:x}", folder.instance_id);
        let snapshot = Arc::new(Snapshot::open(reader.searcher(), folder, name, cache)?);
        return Ok(LoadedSnapshot { snapshot, meta });
    }
}
