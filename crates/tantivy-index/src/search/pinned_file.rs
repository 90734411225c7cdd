//! Detects that a file was replaced.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// Identifies a file on this machine by device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Returns the id of the file that is at this path now.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::of(&metadata))
    }

    fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// A file that is kept open. While it is, its inode is not reused, so a file that replaces it has another id.
#[derive(Clone)]
pub(crate) struct PinnedFile {
    pub(crate) id: FileId,
    file: Arc<File>,
}

impl PinnedFile {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self { id: FileId::of(&file.metadata()?), file: Arc::new(file) })
    }

    /// Returns the open file, which may have been replaced at its path.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}
