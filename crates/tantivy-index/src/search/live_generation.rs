//! The generation that searches use: the one that the pointer file currently names as live.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use domain::Language;

use crate::layout::files::{META_FILE, POINTER_FILE};
use crate::layout::folder::GenerationFolder;
use crate::layout::generations::IndexFolder;
use crate::layout::open_error::OpenError;
use crate::search::pinned_file::{FileId, PinnedFile};
use crate::search::snapshot::Snapshot;
use crate::search::snapshot_loader::SnapshotLoader;

/// The pause after a failure to open a new generation.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Provides the snapshots of the live generation, and switches generations when the pointer does.
pub(crate) struct LiveGeneration {
    folder: IndexFolder,
    pointer_path: PathBuf,
    language: Language,
    /// `None` while there is no generation that can be read, until a rebuild has created one.
    current: RwLock<Option<OpenGeneration>>,
    /// Locked while another generation is opened. Contains the time of the last failure to open one.
    last_failure: Mutex<Option<Instant>>,
}

#[derive(Clone)]
struct OpenGeneration {
    name: String,
    snapshots: Arc<SnapshotLoader>,
    /// The pointer file that named it.
    pointer: PinnedFile,
}

impl LiveGeneration {
    /// Opens the live generation of the index in `path`; creates an empty index if there is none. If it is too old to be
    /// read, succeeds with a warning; searches fail until it has been rebuilt.
    pub(crate) fn open(path: &Path, language: Language) -> Result<Self, OpenError> {
        let folder = IndexFolder::open(path)?;
        let pointer_path = path.join(POINTER_FILE);
        let opened = folder.pointer().and_then(|pointer| match folder.lacks_live(&pointer) {
            true => Ok(None),
            false => open_live(&folder, &pointer_path, language, None, false).map(Some),
        });
        let current = match opened {
            Err(error @ OpenError::Older { .. }) => {
                tracing::warn!(%error, "searches are unavailable until the index has been rebuilt");
                None
            }
            opened => opened?,
        };
        Ok(Self {
            folder,
            pointer_path,
            language,
            current: RwLock::new(current),
            last_failure: Mutex::default(),
        })
    }

    /// Returns the snapshots of the live generation. If it cannot be determined or opened, returns those of the generation
    /// that was live before, so that searches never fail because of a switch; `None` if there was none.
    pub(crate) fn snapshots(&self) -> Option<Arc<SnapshotLoader>> {
        let current = self.current();
        match self.newer_than(current.as_ref()) {
            Some(opened) => Some(opened.snapshots),
            None => self.current().map(|current| current.snapshots),
        }
    }

    /// Returns the newest snapshot of [`snapshots`](Self::snapshots). If the generation was replaced, and perhaps removed,
    /// while another search opens its successor, returns the snapshot that was loaded last; `None` if there is no generation.
    pub(crate) fn newest(&self) -> Option<tantivy::Result<Arc<Snapshot>>> {
        let snapshots = self.snapshots()?;
        Some(snapshots.newest().or_else(|error| match self.is_replaced(&snapshots) {
            true => Ok(snapshots.loaded()),
            false => Err(error),
        }))
    }

    /// Returns true if the pointer was replaced after it named this generation.
    fn is_replaced(&self, snapshots: &Arc<SnapshotLoader>) -> bool {
        let Ok(id) = FileId::at(&self.pointer_path) else { return false };
        let current = self.current();
        current.is_some_and(|current| !Arc::ptr_eq(&current.snapshots, snapshots) || current.pointer.id != id)
    }

    /// Opens the live generation if the pointer file is not the one that named `current`.
    fn newer_than(&self, current: Option<&OpenGeneration>) -> Option<OpenGeneration> {
        let id = FileId::at(&self.pointer_path).ok()?;
        if current.is_some_and(|current| current.pointer.id == id) {
            return None;
        }
        // One search opens the new generation; meanwhile the others use the current one.
        let mut last_failure = self.last_failure.try_lock().ok()?;
        let current = self.current();
        let is_too_early = last_failure.is_some_and(|failure| failure.elapsed() < RETRY_PAUSE);
        if is_too_early || current.as_ref().is_some_and(|current| current.pointer.id == id) {
            return None;
        }
        match open_live(&self.folder, &self.pointer_path, self.language, current.as_ref(), true) {
            Ok(opened) => {
                *last_failure = None;
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(opened.clone());
                Some(opened)
            }
            Err(error) => {
                match &current {
                    Some(_) => {
                        tracing::error!(%error, "the new index cannot be opened; searching the previous one")
                    }
                    None => tracing::debug!(%error, "the index cannot be opened yet"),
                }
                *last_failure = Some(Instant::now());
                None
            }
        }
    }

    fn current(&self) -> Option<OpenGeneration> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Opens the generation that the pointer names as live, or reuses `current` if it is that one. A switch never creates an
/// index that is missing.
fn open_live(
    folder: &IndexFolder,
    pointer_path: &Path,
    language: Language,
    current: Option<&OpenGeneration>,
    is_switch: bool,
) -> Result<OpenGeneration, OpenError> {
    // The file is opened before the pointer is read: if it is replaced in between, the next call sees another id.
    let pointer = PinnedFile::open(pointer_path).map_err(|source| OpenError::io(folder.path(), source))?;
    let missing = |name: &str| OpenError::damaged(folder.path(), format!("{name} is missing"));
    let name = folder.read_pointer()?.ok_or_else(|| missing(POINTER_FILE))?.live;
    let path = folder.generation(&name);
    let snapshots = match current {
        Some(current) if current.name == name => Arc::clone(&current.snapshots),
        // Opening it would create an empty index, for example while an index without a pointer is rebuilt.
        _ if is_switch && !path.join(META_FILE).exists() => return Err(missing(&name)),
        _ => {
            let folder = GenerationFolder::open(&path, language)?;
            if !folder.is_current {
                tracing::info!(
                    index = name,
                    "searching an index of an older format until it has been rebuilt"
                );
            }
            let opened = SnapshotLoader::open(folder);
            Arc::new(opened.map_err(|error| OpenError::from_tantivy(&path, error))?)
        }
    };
    Ok(OpenGeneration { name, snapshots, pointer })
}
