//! What an error of SQLite means to a caller.

use domain::ports::{PortError, PortErrorKind};
use rusqlite::ErrorCode;

/// The kind that a caller goes by.
pub(crate) fn kind_of(error: &rusqlite::Error) -> PortErrorKind {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => PortErrorKind::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => PortErrorKind::Throttled,
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::SystemIoFailure
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory
            | ErrorCode::FileLockingProtocolFailed,
        ) => PortErrorKind::Unavailable,
        _ => PortErrorKind::Internal,
    }
}

/// The error of a port, with `context` saying what was being done.
pub(crate) fn port_error(context: &str, error: rusqlite::Error) -> PortError {
    PortError::new(kind_of(&error), context, error)
}

/// A value in the file that should not be there: a defect of Noren, or a damaged file.
pub(crate) fn unreadable(
    what: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, what.into())
}
