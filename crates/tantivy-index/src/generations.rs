//! The folder of an index: a folder for each generation, and a pointer file that says which is which. The pointer is
//! replaced in one step, so that every searcher, in whatever process, changes over in one step, too.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::folder::{FORMAT_FILE, Format, MAKING_LOCK, META_FILE, OpenError, sync_folder};

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
    /// Reads the pointer in `path`; makes folder and pointer first where there are none.
    pub(crate) fn open(path: &Path) -> Result<(Self, Pointer), OpenError> {
        let root = Self(path.to_owned());
        let _making = root.lock_for_making()?;
        if let Some(pointer) = root.read()? {
            return Ok((root, pointer));
        }
        if path.join(META_FILE).exists() || path.join(FORMAT_FILE).exists() {
            return Err(root.without_generations());
        }
        let pointer = Pointer { live: format!("{NAME_PREFIX}1"), next: None, previous: None };
        root.write(&pointer).map_err(|source| root.io(source))?;
        Ok((root, pointer))
    }

    /// The same for one who rebuilds the index: where no pointer can be read, the live generation is one that is not
    /// there.
    pub(crate) fn open_to_rebuild(path: &Path) -> Result<(Self, Pointer), OpenError> {
        match Self::open(path) {
            Err(error) if error.is_mended_by_rebuilding() => {
                let none = Pointer { live: format!("{NAME_PREFIX}0"), next: None, previous: None };
                Ok((Self(path.to_owned()), none))
            }
            opened => opened,
        }
    }

    /// Makes the folder and keeps other processes from making things in it for as long as the file is open.
    fn lock_for_making(&self) -> Result<File, OpenError> {
        let locked = || {
            fs::create_dir_all(&self.0)?;
            let making = lock_file(&self.0.join(MAKING_LOCK))?;
            making.lock()?;
            Ok(making)
        };
        locked().map_err(|source| self.io(source))
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

    /// Removes what no generation of the pointer is made of: what a crash left, and an index of a version that had no
    /// generations.
    pub(crate) fn tidy(&self, pointer: &Pointer) -> io::Result<()> {
        let kept = pointer.names();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if entry.file_type()?.is_dir() {
                if number_in(&name).is_some() && !kept.contains(&&*name) {
                    fs::remove_dir_all(entry.path())?;
                }
            } else if ![POINTER_FILE, MAKING_LOCK, WRITING_LOCK].contains(&&*name) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// A name that no generation has, nor anything that lies here: what a crash left, or what a lost pointer named.
    pub(crate) fn new_name(&self, pointer: &Pointer) -> io::Result<String> {
        let mut highest = pointer.names().into_iter().filter_map(number_in).max().unwrap_or(0);
        for entry in fs::read_dir(&self.0)? {
            highest = highest.max(number_in(&entry?.file_name().to_string_lossy()).unwrap_or(0));
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

    /// The error of an index that lies in the folder itself, as it did up to format 4.
    fn without_generations(&self) -> OpenError {
        let folder = self.0.clone();
        let format = fs::read(self.0.join(FORMAT_FILE)).ok();
        match format.and_then(|json| serde_json::from_slice::<Format>(&json).ok()) {
            Some(Format { format: found, .. }) => OpenError::Older { folder, found },
            None => OpenError::Damaged { folder, reason: format!("{POINTER_FILE} is missing") },
        }
    }
}

/// The number in the name of a generation; none in other names.
fn number_in(name: &str) -> Option<u64> {
    name.strip_prefix(NAME_PREFIX)?.parse().ok()
}

fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}
