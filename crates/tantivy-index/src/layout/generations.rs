//! The folder of an index: one folder per generation, and a pointer file that names the live, next and previous ones. The
//! pointer file is replaced atomically, so no searcher in any process sees a half-made switch of generations.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::layout::files::{
    CREATION_LOCK, FORMAT_FILE, META_FILE, POINTER_FILE, WRITER_LOCK, is_index_file, open_lock_file,
    replace_file, sync_folder,
};
use crate::layout::format_file::FormatFile;
use crate::layout::open_error::OpenError;

/// The prefix of generation names; a number follows.
const NAME_PREFIX: &str = "g";

/// The content of the pointer file: the names of the generations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pointer {
    /// The generation that is searched.
    pub(crate) live: String,
    /// The generation that is being built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// The generation that was live before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<String>,
}

impl Pointer {
    /// Creates a pointer to a live generation only.
    pub(crate) fn to_live(number: u64) -> Self {
        Self { live: format!("{NAME_PREFIX}{number}"), next: None, previous: None }
    }

    fn names(&self) -> Vec<&str> {
        [Some(&self.live), self.next.as_ref(), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect()
    }
}

/// The folder of an index.
#[derive(Debug, Clone)]
pub(crate) struct IndexFolder(PathBuf);

impl IndexFolder {
    /// Opens the folder, creating it if it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        fs::create_dir_all(path).map_err(|source| OpenError::io(path, source))?;
        Ok(Self(path.to_owned()))
    }

    /// Returns the pointer; creates one in an empty folder. A caller that will write must hold the writer lock already, or
    /// another writer may replace the pointer in between.
    pub(crate) fn pointer(&self) -> Result<Pointer, OpenError> {
        let io = |source| self.io(source);
        let lock = open_lock_file(&self.0.join(CREATION_LOCK)).map_err(io)?;
        lock.lock().map_err(io)?;
        if let Some(pointer) = self.read_pointer()? {
            return Ok(pointer);
        }
        if self.0.join(META_FILE).exists()
            || self.0.join(FORMAT_FILE).exists()
            || self.has_generations().map_err(io)?
        {
            return Err(self.missing_pointer());
        }
        let pointer = Pointer::to_live(1);
        self.write_pointer(&pointer).map_err(io)?;
        Ok(pointer)
    }

    /// Returns true if the live generation was never created, because a rebuild without a usable index is not complete.
    pub(crate) fn lacks_live(&self, pointer: &Pointer) -> bool {
        pointer.next.is_some() && !self.generation(&pointer.live).join(META_FILE).exists()
    }

    /// Reads the pointer file; returns `None` if there is none.
    pub(crate) fn read_pointer(&self) -> Result<Option<Pointer>, OpenError> {
        match fs::read(self.0.join(POINTER_FILE)) {
            Ok(json) => serde_json::from_slice(&json)
                .map(Some)
                .map_err(|error| OpenError::damaged(&self.0, format!("{POINTER_FILE}: {error}"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io(error)),
        }
    }

    /// Replaces the pointer file durably and atomically.
    pub(crate) fn write_pointer(&self, pointer: &Pointer) -> io::Result<()> {
        replace_file(&self.0, POINTER_FILE, &serde_json::to_vec(pointer)?)?;
        sync_folder(&self.0)
    }

    /// Takes the writer lock, which is held until the returned file is closed.
    ///
    /// # Errors
    /// [`OpenError::Busy`] if another process holds it.
    pub(crate) fn lock(&self) -> Result<File, OpenError> {
        let file = open_lock_file(&self.0.join(WRITER_LOCK)).map_err(|source| self.io(source))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(OpenError::Busy { folder: self.0.clone() }),
            Err(TryLockError::Error(source)) => Err(self.io(source)),
        }
    }

    /// Removes generations that the pointer does not name (left by a crash or no longer needed), and the files of an index from
    /// before generations existed. Never removes other files, because the configured folder may be the wrong one.
    pub(crate) fn remove_unused(&self, pointer: &Pointer) -> io::Result<()> {
        let used = pointer.names();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if entry.file_type()?.is_dir() {
                if generation_number(&name).is_some() && !used.contains(&&*name) {
                    remove_generation(&entry.path())?;
                }
            } else if is_index_file(&name) && name != CREATION_LOCK {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Returns a name that no entry of the folder has and that the pointer does not name.
    pub(crate) fn new_name(&self, pointer: &Pointer) -> io::Result<String> {
        let mut highest = pointer.names().into_iter().filter_map(generation_number).max().unwrap_or(0);
        for entry in fs::read_dir(&self.0)? {
            highest = highest.max(generation_number(&entry?.file_name().to_string_lossy()).unwrap_or(0));
        }
        Ok(format!("{NAME_PREFIX}{}", highest.saturating_add(1)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the folder of a generation.
    pub(crate) fn generation(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn io(&self, source: io::Error) -> OpenError {
        OpenError::io(&self.0, source)
    }

    /// Returns true if the folder has a generation, so that only a pointer could tell which one is live.
    fn has_generations(&self) -> io::Result<bool> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let is_named_so = generation_number(&entry.file_name().to_string_lossy()).is_some();
            if is_named_so && entry.path().join(FORMAT_FILE).exists() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the error for a folder without a pointer: its index is in the folder itself, as up to format 4, or the pointer
    /// was lost.
    fn missing_pointer(&self) -> OpenError {
        let folder = self.0.clone();
        let format = fs::read(self.0.join(FORMAT_FILE)).ok();
        match format.and_then(|json| serde_json::from_slice::<FormatFile>(&json).ok()) {
            Some(format) => format.too_old(&folder),
            None => OpenError::Damaged { folder, reason: format!("{POINTER_FILE} is missing") },
        }
    }
}

/// Parses the number in a generation's name.
fn generation_number(name: &str) -> Option<u64> {
    name.strip_prefix(NAME_PREFIX)?.parse().ok()
}

/// Removes a generation. Its folder remains if other files are in it.
fn remove_generation(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() && is_index_file(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    match fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            tracing::warn!(folder = %path.display(), "kept a folder of an old index, because other files are in it");
            Ok(())
        }
        removed => removed,
    }
}
