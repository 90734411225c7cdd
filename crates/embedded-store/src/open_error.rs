//! The reasons why a file cannot be opened.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// The reason why the file cannot be opened. Each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder does not exist and cannot be created.
    #[error(
        "cannot create the data folder {}: {source}; choose another one, or give this user the right to create it",
        dir.display()
    )]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file cannot be created or written.
    #[error(
        "cannot write {}: {reason}; give this user the right to write there, or choose another data folder",
        path.display()
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        reason: String,
    },
    /// There is no file to copy.
    #[error("there is no {}; name the data folder of a catalogue", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be copied.
    #[error("cannot copy {} to {}: {reason}", path.display(), to.display())]
    NotCopied {
        /// The file.
        path: PathBuf,
        /// The copy.
        to: PathBuf,
        /// The error of SQLite.
        reason: String,
    },
    /// The disk is full.
    #[error("cannot write {}: the disk is full; free some space, or choose another data folder", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a database of Noren.
    #[error("{} is not a database of Noren; move it away, or choose another data folder", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of Noren wrote the file.
    #[error(
        "{} was written by a newer version of Noren (layout {found}, this version supports up to {known}); run that version, \
         or choose another data folder",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The layout of the file.
        found: i64,
        /// The newest layout that this version supports.
        known: i64,
    },
    /// Another program keeps the file locked.
    #[error("{} is locked by another program; stop that program, then retry", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// Any other failure, such as a damaged file.
    #[error("cannot open {}: {source}; if the file is damaged, restore it from a backup", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The writer's thread cannot be started.
    #[error("cannot start the writer's thread: {0}; allow this process more threads or memory")]
    Thread(io::Error),
}

impl OpenError {
    /// Classifies an error of SQLite.
    pub(crate) fn of(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::Unwritable { path, reason: source.to_string() }
            }
            Some(ErrorCode::NotADatabase) => Self::Foreign { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            _ => Self::Failed { path, source },
        }
    }
}
