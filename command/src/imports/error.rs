//! Errors of import jobs, and their problem documents.

use std::io;
use std::time::Duration;

use api::problems::PRODUCT_STORE;
use domain::ports::PortError;
use http::StatusCode;
use runtime::Problem;

use super::uploads::MIN_PACE;
use crate::lines::IDLE_TIMEOUT;

/// The number of bytes in a megabyte of the configuration.
pub(super) const BYTES_PER_MB: u64 = 1024 * 1024;

/// The error of an operation on import jobs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// Another process has locked the folder.
    #[error("another process works on the import jobs of this data folder now; try again, or ask that one")]
    Elsewhere,
    /// There are too many unfinished jobs; contains their number.
    #[error(
        "there are {0} import jobs that are not finished, as many as there may be (NOREN_IMPORT_MAX_JOBS); try again \
         when one is"
    )]
    TooMany(usize),
    /// One principal has too many unfinished jobs; contains its share of the places.
    #[error(
        "{0} of your import jobs are not finished, as many as one client may have (a quarter of NOREN_IMPORT_MAX_JOBS); \
         try again when one is"
    )]
    TooManyOfOne(usize),
    /// Another upload needed the place of this one.
    #[error(
        "another import needed the place of this one, which was slow; nothing was imported, so send it again"
    )]
    Displaced,
    /// The upload stayed below the least pace.
    #[error("an upload needs {} KiB/s at least; nothing was imported, so send it again", MIN_PACE / 1024)]
    TooSlow,
    /// The file is larger than the limit, in bytes.
    #[error(
        "a file of an import has at most {} MB (NOREN_IMPORT_MAX_MB); nothing was imported, so send it in parts",
        .0 / BYTES_PER_MB
    )]
    TooLarge(u64),
    /// The disk has no room for the file beside the bytes that are kept free; contains their number.
    #[error(
        "the disk has no room for the file beside the {} MB that are kept free for the store; nothing of it was imported",
        .0 / BYTES_PER_MB
    )]
    NoRoom(u64),
    /// The connection broke before the end of the body.
    #[error("the body broke off; nothing of it was imported, so send it again")]
    BrokenOff,
    /// The client sent nothing for too long.
    #[error("nothing came for {} s; nothing was imported, so send it again", IDLE_TIMEOUT.as_secs())]
    Idle,
    /// The file cannot be imported; contains the reason.
    #[error("{0}; nothing was imported")]
    Unreadable(String),
    /// The job does not exist.
    #[error("there is no import job {0}; it was removed, or finished more than 7 days ago")]
    Unknown(String),
    /// The store cannot be scanned.
    #[error("the store cannot be read; nothing was changed")]
    Store(#[source] PortError),
    /// The store does not know a cursor that it returned.
    #[error("the store lost its place; nothing was changed, so try again")]
    CursorLost,
    /// The folder cannot be read or written.
    #[error("the folder of the import jobs failed")]
    Disk(#[from] io::Error),
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        let detail = error.to_string();
        match error {
            ImportError::Elsewhere => Self::unavailable(detail),
            ImportError::TooMany(_) | ImportError::TooManyOfOne(_) | ImportError::Displaced => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(Duration::from_secs(10))
            }
            ImportError::Unreadable(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail),
            ImportError::BrokenOff => Self::new(StatusCode::BAD_REQUEST, detail),
            ImportError::TooLarge(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail),
            ImportError::NoRoom(_) => Self::new(StatusCode::INSUFFICIENT_STORAGE, detail),
            ImportError::Idle | ImportError::TooSlow => Self::new(StatusCode::REQUEST_TIMEOUT, detail),
            ImportError::Store(error) => PRODUCT_STORE.problem(&error),
            ImportError::CursorLost => Self::unavailable(detail),
            ImportError::Unknown(_) => Self::new(StatusCode::NOT_FOUND, detail),
            ImportError::Disk(error) => disk_problem(&error),
        }
    }
}

fn disk_problem(error: &io::Error) -> Problem {
    use std::io::ErrorKind;
    tracing::error!(error = %error, "the folder of the import jobs failed");
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            let detail = "there is no room left for the import job; nothing of it was imported";
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail)
        }
        _ => Problem::unavailable("the folder of the import jobs cannot be used now; the log says why"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn a_full_disk_is_told_from_one_that_fails() {
        let status = |kind| Problem::from(ImportError::Disk(Error::new(kind, "secret"))).status().as_u16();
        assert_eq!(status(ErrorKind::StorageFull), 507);
        assert_eq!(status(ErrorKind::QuotaExceeded), 507);
        assert_eq!(status(ErrorKind::ReadOnlyFilesystem), 503);
        let problem = Problem::from(ImportError::Disk(Error::other("secret")));
        assert!(!problem.detail().contains("secret"));
    }
}
