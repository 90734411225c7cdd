//! Maps errors of SQLite to errors of a port.

use std::error::Error;

use domain::ports::{PortError, PortErrorKind};
use rusqlite::ErrorCode;
use rusqlite::types::Type;

/// Classifies an error of SQLite by what a caller can do about it.
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

/// Converts an error of SQLite; `context` names the operation.
pub(crate) fn port_error(context: &str, error: rusqlite::Error) -> PortError {
    PortError::new(kind_of(&error), context, error)
}

/// Returns the error for an invalid value in the file: a defect of Noren, or a damaged file.
pub(crate) fn unreadable(reason: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, reason.into())
}

/// Returns the result of each of `count` requests that failed together.
pub(crate) fn fail_all<T, E: From<PortError>>(error: &PortError, count: usize) -> Vec<Result<T, E>> {
    (0..count).map(|_| Err(error.clone().into())).collect()
}
