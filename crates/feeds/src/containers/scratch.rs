//! Temporary files with a limit to their size.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Size limit in bytes of all temporary files of one feed.
const MAX_BYTES: u64 = 16 * 1024 * 1024 * 1024;
/// Bytes after which the room on the disk is checked again.
const BYTES_BETWEEN_CHECKS: u64 = 8 * 1024 * 1024;

type CheckRoom = dyn Fn(u64) -> io::Result<()> + Send + Sync;

/// The folder and the size limit of temporary files. The files have no names, so the system deletes them once they are closed, even if the
/// process is killed.
#[derive(Clone)]
pub struct Scratch {
    folder: Option<PathBuf>,
    max_bytes: u64,
    check_room: Option<Arc<CheckRoom>>,
    written: Arc<AtomicU64>,
}

impl Default for Scratch {
    /// Allows 16 GiB in the system folder of temporary files.
    fn default() -> Self {
        Self { folder: None, max_bytes: MAX_BYTES, check_room: None, written: Arc::default() }
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Scratch {
    /// Allows `max_bytes` in a folder. `check_room` is called before the first write and every few megabytes, with the number of bytes
    /// that may be written until the next call; its error ends the write.
    pub fn in_folder(
        folder: PathBuf,
        max_bytes: u64,
        check_room: impl Fn(u64) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let check_room: Option<Arc<CheckRoom>> = Some(Arc::new(check_room));
        Self { folder: Some(folder), max_bytes, check_room, written: Arc::default() }
    }

    /// Returns the limits for another feed, of which nothing is used yet.
    pub(crate) fn for_next_feed(&self) -> Self {
        Self { written: Arc::default(), ..self.clone() }
    }

    /// Creates a file without a name.
    pub(crate) fn file(&self) -> io::Result<ScratchFile> {
        let file = match &self.folder {
            Some(folder) => tempfile::tempfile_in(folder)?,
            None => tempfile::tempfile()?,
        };
        Ok(ScratchFile { file, scratch: self.clone() })
    }

    /// Copies an input to a file.
    pub(crate) fn copy(&self, input: &mut dyn Read) -> io::Result<File> {
        let mut file = self.file()?;
        io::copy(input, &mut file)?;
        Ok(file.into_file())
    }

    fn count(&self, bytes: usize) -> io::Result<()> {
        let before = self.written.fetch_add(bytes as u64, Ordering::Relaxed);
        let after = before + bytes as u64;
        if after > self.max_bytes {
            let message = format!(
                "it needs more than {} MB of temporary files; unpack it, or split it into several files",
                self.max_bytes >> 20
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        let is_due = before == 0 || before / BYTES_BETWEEN_CHECKS != after / BYTES_BETWEEN_CHECKS;
        match &self.check_room {
            Some(check_room) if is_due => check_room(BYTES_BETWEEN_CHECKS),
            _ => Ok(()),
        }
    }
}

/// A temporary file that is being written.
pub(crate) struct ScratchFile {
    file: File,
    scratch: Scratch,
}

impl ScratchFile {
    pub(crate) fn into_file(self) -> File {
        self.file
    }
}

impl Write for ScratchFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.scratch.count(bytes.len())?;
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
