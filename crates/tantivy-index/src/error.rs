//! Conversion of tantivy's errors to errors of the ports.

use std::io;

use domain::ports::{PortError, PortErrorKind};
use tantivy::TantivyError;
use tantivy::directory::error::OpenWriteError;

/// Converts an error of tantivy. Most are transient errors of files or threads: retrying, with a new writer, may succeed.
pub(crate) fn port_error(context: &str, error: TantivyError) -> PortError {
    let kind = match &error {
        TantivyError::IoError(cause) if cause.kind() == io::ErrorKind::StorageFull => PortErrorKind::Full,
        TantivyError::OpenWriteError(OpenWriteError::IoError { io_error: cause, .. })
            if cause.kind() == io::ErrorKind::StorageFull =>
        {
            PortErrorKind::Full
        }
        // tantivy passes on the errors of its threads as text only.
        TantivyError::ErrorInThread(text) if text.contains("StorageFull") => PortErrorKind::Full,
        TantivyError::DataCorruption(_) | TantivyError::SchemaError(_) | TantivyError::InternalError(_) => {
            PortErrorKind::Internal
        }
        _ => PortErrorKind::Unavailable,
    };
    PortError::new(kind, context, error)
}

/// Converts an error of tantivy that occurred during a search.
pub(crate) fn search_error(error: TantivyError) -> PortError {
    port_error("searching the index", error)
}
