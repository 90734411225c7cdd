//! The generation that searches look at: the one that the pointer file names now.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use domain::Language;

use crate::layout::folder::{Folder, META_FILE, OpenError};
use crate::layout::generations::{POINTER_FILE, Root};
use crate::search::snapshot::{Snapshots, number_of};

/// How long after a failure the new generation is tried again.
const REOPENING_PAUSE: Duration = Duration::from_secs(1);

/// Gives out the snapshots of the live generation, and changes over when the pointer does.
pub(crate) struct Live {
    root: Root,
    pointer_path: PathBuf,
    language: Language,
    current: RwLock<Opened>,
    /// Held while another generation is opened; when that failed last.
    opening: Mutex<Option<Instant>>,
}

#[derive(Clone)]
struct Opened {
    name: String,
    snapshots: Arc<Snapshots>,
    /// The pointer that named it.
    #[expect(dead_code, reason = "a file that is open keeps its number, so that no later one gets it")]
    pointer: Arc<File>,
    pointer_number: (u64, u64),
}

impl Live {
    pub(crate) fn open(path: &Path, language: Language) -> Result<Self, OpenError> {
        let root = Root::open(path)?;
        root.pointer()?;
        let pointer_path = path.join(POINTER_FILE);
        let current = open(&root, &pointer_path, language, None)?;
        Ok(Self { root, pointer_path, language, current: RwLock::new(current), opening: Mutex::default() })
    }

    /// The snapshots of the generation that is live now. Where that one cannot be opened, or nobody can tell, those of
    /// the one before.
    pub(crate) fn snapshots(&self) -> Arc<Snapshots> {
        let Ok(number) = fs::metadata(&self.pointer_path).map(|file| number_of(&file)) else {
            return self.current().snapshots;
        };
        let current = self.current();
        if current.pointer_number == number {
            return current.snapshots;
        }
        // One opens it; meanwhile the others search what they have.
        let Ok(mut failed) = self.opening.try_lock() else { return current.snapshots };
        let current = self.current();
        let is_too_early = failed.is_some_and(|failed| failed.elapsed() < REOPENING_PAUSE);
        if current.pointer_number == number || is_too_early {
            return current.snapshots;
        }
        match open(&self.root, &self.pointer_path, self.language, Some(&current)) {
            Ok(opened) => {
                *failed = None;
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = opened.clone();
                opened.snapshots
            }
            Err(error) => {
                tracing::error!(%error, "the new index cannot be opened; the one before is searched");
                *failed = Some(Instant::now());
                current.snapshots
            }
        }
    }

    fn current(&self) -> Opened {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Opens what the pointer names, unless it is what was opened before.
fn open(
    root: &Root,
    pointer_path: &Path,
    language: Language,
    before: Option<&Opened>,
) -> Result<Opened, OpenError> {
    let io = |source| OpenError::Io { folder: root.path().to_owned(), source };
    // Opened before it is read: if it is replaced in between, the next look finds another number.
    let file = File::open(pointer_path).map_err(io)?;
    let pointer_number = number_of(&file.metadata().map_err(io)?);
    let missing = || OpenError::Damaged {
        folder: root.path().to_owned(),
        reason: format!("{POINTER_FILE} is missing"),
    };
    let name = root.read()?.ok_or_else(missing)?.live;
    let snapshots = match before {
        Some(before) if before.name == name => Arc::clone(&before.snapshots),
        // An empty one would be made in its place, as while an index without a pointer is rebuilt.
        Some(_) if !root.generation(&name).join(META_FILE).exists() => {
            return Err(OpenError::Damaged {
                folder: root.path().to_owned(),
                reason: format!("{name} is missing"),
            });
        }
        _ => {
            let folder = Folder::open(&root.generation(&name), language)?;
            Arc::new(Snapshots::open(folder.clone()).map_err(|error| folder.open_error(error))?)
        }
    };
    Ok(Opened { name, snapshots, pointer: Arc::new(file), pointer_number })
}
