//! The folder of an index: a folder for each generation, and a pointer file that says which is which. The pointer is
//! replaced in one step, so that every searcher, in whatever process, changes over in one step, too.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::layout::folder::{FORMAT_FILE, Format, MAKING_LOCK, META_FILE, OpenError, sync_folder};

/// The file that says which generation is which.
pub(crate) const POINTER_FILE: &str = "generations.json";
/// Held by the one process that writes.
const WRITING_LOCK: &str = ".noren-writing.lock";
/// What the names of generations begin with; a number follows.
const NAME_PREFIX: &str = "g";

/// Which generation is which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pointer {
    /// The one that is searched.
    pub(crate) live: String,
    /// The one that is being built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// The one that was live before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<String>,
}

impl Pointer {
    /// One that names a live generation alone.
    pub(crate) fn to(number: u64) -> Self {
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
pub(crate) struct Root(PathBuf);

impl Root {
    /// The folder, which is made when it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let root = Self(path.to_owned());
        fs::create_dir_all(path).map_err(|source| root.io(source))?;
        Ok(root)
    }

    /// What the pointer says, which is made when there is none. Whoever goes on to write must have the right to, or it may
    /// be replaced before they do.
    pub(crate) fn pointer(&self) -> Result<Pointer, OpenError> {
        let io = |source| self.io(source);
        let making = lock_file(&self.0.join(MAKING_LOCK)).map_err(io)?;
        making.lock().map_err(io)?;
        if let Some(pointer) = self.read()? {
            return Ok(pointer);
        }
        if self.0.join(META_FILE).exists()
            || self.0.join(FORMAT_FILE).exists()
            || self.has_generations().map_err(io)?
        {
            return Err(self.without_pointer());
        }
        let pointer = Pointer::to(1);
        self.write(&pointer).map_err(io)?;
        Ok(pointer)
    }

    /// The same for one who rebuilds the index; none where what lies there has no pointer of use.
    pub(crate) fn pointer_to_rebuild(&self) -> Result<Option<Pointer>, OpenError> {
        match self.pointer() {
            Ok(pointer) => Ok(Some(pointer)),
            Err(error) if error.is_mended_by_rebuilding() => {
                tracing::info!(%error, "the index is rebuilt");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What the pointer file says; none where there is none.
    pub(crate) fn read(&self) -> Result<Option<Pointer>, OpenError> {
        match fs::read(self.0.join(POINTER_FILE)) {
            Ok(json) => serde_json::from_slice(&json).map(Some).map_err(|error| OpenError::Damaged {
                folder: self.0.clone(),
                reason: format!("{POINTER_FILE}: {error}"),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io(error)),
        }
    }

    /// Replaces the pointer, durably and in one step.
    pub(crate) fn write(&self, pointer: &Pointer) -> io::Result<()> {
        let unfinished = self.0.join(format!("{POINTER_FILE}.new"));
        fs::write(&unfinished, serde_json::to_vec(pointer)?)?;
        File::open(&unfinished)?.sync_all()?;
        fs::rename(&unfinished, self.0.join(POINTER_FILE))?;
        sync_folder(&self.0)
    }

    /// Takes the right to write for as long as the file is open.
    pub(crate) fn lock(&self) -> Result<File, OpenError> {
        let file = lock_file(&self.0.join(WRITING_LOCK)).map_err(|source| self.io(source))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(OpenError::Busy { folder: self.0.clone() }),
            Err(TryLockError::Error(source)) => Err(self.io(source)),
        }
    }

    /// Removes the generations that the pointer does not name, which a crash left or which are no longer needed, and an
    /// index of a version that had no generations. What is no part of an index stays, wherever it lies: somebody may have
    /// named the wrong folder.
    pub(crate) fn tidy(&self, pointer: &Pointer) -> io::Result<()> {
        let kept = pointer.names();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if entry.file_type()?.is_dir() {
                if number_of(&name).is_some() && !kept.contains(&&*name) {
                    remove_generation(&entry.path())?;
                }
            } else if is_of_an_index(&name) && name != MAKING_LOCK {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// A name that nothing in the folder has, and that the pointer does not name.
    pub(crate) fn new_name(&self, pointer: &Pointer) -> io::Result<String> {
        let mut highest = pointer.names().into_iter().filter_map(number_of).max().unwrap_or(0);
        for entry in fs::read_dir(&self.0)? {
            highest = highest.max(number_of(&entry?.file_name().to_string_lossy()).unwrap_or(0));
        }
        Ok(format!("{NAME_PREFIX}{}", highest.saturating_add(1)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of a generation.
    pub(crate) fn generation(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn io(&self, source: io::Error) -> OpenError {
        OpenError::Io { folder: self.0.clone(), source }
    }

    /// Whether a generation lies here, of which the pointer would have to tell whether it is the live one.
    fn has_generations(&self) -> io::Result<bool> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let is_named_so = number_of(&entry.file_name().to_string_lossy()).is_some();
            if is_named_so && entry.path().join(FORMAT_FILE).exists() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The error of an index that lies in the folder itself, as it did up to format 4, or that lost its pointer.
    fn without_pointer(&self) -> OpenError {
        let folder = self.0.clone();
        let format = fs::read(self.0.join(FORMAT_FILE)).ok();
        match format.and_then(|json| serde_json::from_slice::<Format>(&json).ok()) {
            Some(Format { format: found, .. }) => OpenError::Older { folder, found },
            None => OpenError::Damaged { folder, reason: format!("{POINTER_FILE} is missing") },
        }
    }
}

/// The number of a generation of this name.
fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix(NAME_PREFIX)?.parse().ok()
}

/// Removes a generation; its folder stays where something else lies in it.
fn remove_generation(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() && is_of_an_index(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    match fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            tracing::warn!(folder = %path.display(), "what is no part of an index is left where it is");
            Ok(())
        }
        removed => removed,
    }
}

/// Whether tantivy or [`crate::layout::folder::Folder`] makes files of this name: the files of a segment, which are named for it,
/// the lists of them, locks, and what a crash left of a file that was being replaced.
fn is_of_an_index(name: &str) -> bool {
    const SEGMENT_DIGITS: usize = 32;
    let is_of_a_segment = name.split_once('.').is_some_and(|(segment, _)| {
        segment.len() == SEGMENT_DIGITS && segment.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    let is_unfinished = name
        .strip_prefix(".tmp")
        .is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let is_list = [META_FILE, ".managed.json", ".tantivy-writer.lock", ".tantivy-meta.lock"].contains(&name);
    let is_ours = name == MAKING_LOCK || name.strip_suffix(".new").unwrap_or(name) == FORMAT_FILE;
    is_of_a_segment || is_unfinished || is_list || is_ours
}

fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}
