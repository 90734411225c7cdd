//! Errors of opening an index.

use std::io;
use std::path::{Path, PathBuf};

use domain::Language;
use tantivy::TantivyError;
use tantivy::directory::error::LockError;

use crate::layout::format::Format;

/// The reason why an index cannot be opened. Each message is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process is writing the index.
    #[error(
        "another noren process is writing the index in {}; stop it, use another data folder, or let a command reach its service with --url",
        .folder.display()
    )]
    Busy {
        /// The folder of the index.
        folder: PathBuf,
    },
    /// A newer version of this program wrote the index.
    #[error(
        "the index in {} has format {found}, which is newer than the {known} of this noren; update noren, or rebuild the index from the store with `noren reindex --data-dir DIR`",
        .folder.display()
    )]
    Newer {
        /// The folder of the index.
        folder: PathBuf,
        /// The format of the index.
        found: String,
        /// The format of this program.
        known: String,
    },
    /// An older version of this program wrote the index, in a format that this one cannot read. A rebuild replaces it.
    #[error(
        "the index in {} has format {found} and this noren needs {known}; `noren serve` and `noren-sync` rebuild it from the store, or do it with `noren reindex --data-dir DIR`",
        .folder.display()
    )]
    Older {
        /// The folder of the index.
        folder: PathBuf,
        /// The format of the index.
        found: String,
        /// The format of this program.
        known: String,
    },
    /// The index was built for another language.
    #[error(
        "the index in {} was made for NOREN_LANGUAGE={found}, not {wanted}; set NOREN_LANGUAGE={found}, or rebuild it from the store with `noren reindex --data-dir DIR`",
        .folder.display()
    )]
    OtherLanguage {
        /// The folder of the index.
        folder: PathBuf,
        /// The language of the index.
        found: Language,
        /// The configured language.
        wanted: Language,
    },
    /// The index is damaged, or the folder holds something else.
    #[error("the index in {} cannot be read ({reason}); rebuild it from the store with `noren reindex --data-dir DIR`", .folder.display())]
    Damaged {
        /// The folder of the index.
        folder: PathBuf,
        /// The damage.
        reason: String,
    },
    /// The file system returned an error.
    #[error("cannot use {} as the folder of the index: {}: {source}", .folder.display(), advice(source.kind()))]
    Io {
        /// The folder of the index.
        folder: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
}

/// Returns what to do about an error of the file system.
fn advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a file is in its place; choose another data folder"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "give this user the right to write there, or choose another data folder"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full; free some space, or choose another data folder"
        }
        _ => "check the disk, or choose another data folder",
    }
}

impl OpenError {
    pub(crate) fn io(folder: &Path, source: io::Error) -> Self {
        Self::Io { folder: folder.to_owned(), source }
    }

    pub(crate) fn newer(folder: &Path, found: &Format) -> Self {
        let known = Format::CURRENT.to_string();
        Self::Newer { folder: folder.to_owned(), found: found.to_string(), known }
    }

    pub(crate) fn older(folder: &Path, found: &Format) -> Self {
        let known = Format::CURRENT.to_string();
        Self::Older { folder: folder.to_owned(), found: found.to_string(), known }
    }

    pub(crate) fn damaged(folder: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { folder: folder.to_owned(), reason: reason.into() }
    }

    /// Classifies an error of tantivy.
    pub(crate) fn from_tantivy(folder: &Path, error: TantivyError) -> Self {
        match error {
            TantivyError::LockFailure(LockError::LockBusy, _) => Self::Busy { folder: folder.to_owned() },
            TantivyError::IoError(source) => {
                Self::io(folder, io::Error::new(source.kind(), source.to_string()))
            }
            other => Self::damaged(folder, on_one_line(&other)),
        }
    }

    /// Returns true if building a new index in place of this one resolves the error.
    pub(crate) fn is_fixed_by_rebuild(&self) -> bool {
        match self {
            Self::Newer { .. } | Self::Older { .. } | Self::OtherLanguage { .. } | Self::Damaged { .. } => {
                true
            }
            Self::Busy { .. } | Self::Io { .. } => false,
        }
    }
}

fn on_one_line(error: &TantivyError) -> String {
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
