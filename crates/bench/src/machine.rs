//! Memory of this process, and scratch folders.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::BenchError;

/// Memory of this process in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Peak of the resident memory, including pages of mapped files.
    pub(crate) peak: u64,
    /// Current anonymous memory.
    pub(crate) own: u64,
    /// Current pages of mapped files. The system reclaims them when memory runs short.
    pub(crate) files: u64,
}

impl Memory {
    /// Returns the current values, or `None` on a system without `/proc`.
    pub(crate) fn now() -> Option<Self> {
        Self::read(&std::fs::read_to_string("/proc/self/status").ok()?)
    }

    fn read(status: &str) -> Option<Self> {
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some(kibibytes * 1024)
        };
        Some(Self { peak: bytes("VmHWM")?, own: bytes("RssAnon")?, files: bytes("RssFile")? })
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes / 1_000_000;
        let Self { peak, own, files } = self;
        write!(
            f,
            "at most {} MB resident; now {} MB of its own and {} MB of mapped files",
            megabytes(*peak),
            megabytes(*own),
            megabytes(*files)
        )
    }
}

/// A new folder that is removed when this is dropped.
#[derive(Debug)]
pub struct ScratchFolder(PathBuf);

impl ScratchFolder {
    /// Creates a folder in `parent`, or in the system's temporary folder.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub fn new(parent: Option<&Path>) -> Result<Self, BenchError> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let path = parent.join(format!("noren-bench-{}", std::process::id()));
        // An existing folder belongs to another process.
        std::fs::create_dir(&path).map_err(BenchError::file("creating the folder", &path))?;
        Ok(Self(path))
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            runtime::err_line!("cannot remove {}: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_the_system_writes_it() {
        let status = "VmHWM:\t    3000 kB\nVmRSS:\t  2000 kB\nRssAnon:\t    1000 kB\nRssFile:\t     500 kB\n";
        let memory = Memory::read(status).unwrap();
        assert_eq!(memory, Memory { peak: 3_072_000, own: 1_024_000, files: 512_000 });
        assert_eq!(memory.to_string(), "at most 3 MB resident; now 1 MB of its own and 0 MB of mapped files");
        assert_eq!(Memory::read("VmHWM: 3000 kB"), None);
    }

    #[test]
    fn a_scratch_folder_is_new_and_goes_away() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = ScratchFolder::new(Some(parent.path())).unwrap();
        assert!(scratch.path().is_dir());
        assert!(ScratchFolder::new(Some(parent.path())).is_err());
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(!path.exists());
    }
}
