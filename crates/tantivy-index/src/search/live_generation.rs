//! The generation that searches use: the one that the pointer file names now.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use domain::Language;

use crate::layout::files::{META_FILE, POINTER_FILE};
use crate::layout::folder::GenerationFolder;
use crate::layout::generations::IndexFolder;
use crate::layout::open_error::OpenError;
use crate::search::pinned_file::{FileId, PinnedFile};
use crate::search::snapshot_loader::SnapshotLoader;

/// The pause after a failure to open a new generation.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Provides the snapshots of the live generation, and switches generations when the pointer does.
pub(crate) struct LiveGeneration {
    folder: IndexFolder,
    pointer_path: PathBuf,
    language: Language,
    current: RwLock<OpenGeneration>,
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
    /// Opens the live generation of the index in `path`; creates an empty index if there is none.
    pub(crate) fn open(path: &Path, language: Language) -> Result<Self, OpenError> {
        let folder = IndexFolder::open(path)?;
        folder.pointer()?;
        let pointer_path = path.join(POINTER_FILE);
        let current = open_live(&folder, &pointer_path, language, None)?;
        Ok(Self {
            folder,
            pointer_path,
            language,
            current: RwLock::new(current),
            last_failure: Mutex::default(),
        })
    }

    /// Returns the snapshots of the live generation. If it cannot be determined or opened, returns those of the generation
    /// that was live before, so that searches never fail because of a switch.
    pub(crate) fn snapshots(&self) -> Arc<SnapshotLoader> {
        let current = self.current();
        let Ok(id) = FileId::at(&self.pointer_path) else { return current.snapshots };
        if current.pointer.id == id {
            return current.snapshots;
        }
        // One search opens the new generation; meanwhile the others use the current one.
        let Ok(mut last_failure) = self.last_failure.try_lock() else { return current.snapshots };
        let current = self.current();
        let is_too_early = last_failure.is_some_and(|failure| failure.elapsed() < RETRY_PAUSE);
        if current.pointer.id == id || is_too_early {
            return current.snapshots;
        }
        match open_live(&self.folder, &self.pointer_path, self.language, Some(&current)) {
            Ok(opened) => {
                *last_failure = None;
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = opened.clone();
                opened.snapshots
            }
            Err(error) => {
                tracing::error!(%error, "the new index cannot be opened; searching the previous one");
                *last_failure = Some(Instant::now());
                current.snapshots
            }
        }
    }

    fn current(&self) -> OpenGeneration {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Opens the generation that the pointer names as live, or reuses `current` if it is that one.
fn open_live(
    folder: &IndexFolder,
    pointer_path: &Path,
    language: Language,
    current: Option<&OpenGeneration>,
) -> Result<OpenGeneration, OpenError> {
    // The file is opened before the pointer is read: if it is replaced in between, the next call sees another id.
    let pointer = PinnedFile::open(pointer_path).map_err(|source| OpenError::io(folder.path(), source))?;
    let missing = |name: &str| OpenError::damaged(folder.path(), format!("{name} is missing"));
    let name = folder.read_pointer()?.ok_or_else(|| missing(POINTER_FILE))?.live;
    let path = folder.generation(&name);
    let snapshots = match current {
        Some(current) if current.name == name => Arc::clone(&current.snapshots),
        // Opening it would create an empty index, for example while an index without a pointer is rebuilt.
        Some(_) if !path.join(META_FILE).exists() => return Err(missing(&name)),
        _ => {
            let folder = GenerationFolder::open(&path, language)?;
            let opened = SnapshotLoader::open(folder);
            Arc::new(opened.map_err(|error| OpenError::from_tantivy(&path, error))?)
        }
    };
    Ok(OpenGeneration { name, snapshots, pointer })
}
