//! The connections that read, on tokio's blocking threads.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::ports::{PortError, PortErrorKind};
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::port_error;
use crate::schema::open_reader;

/// The maximum number of concurrent reads; further reads wait.
const MAX_READERS: usize = 4;
/// The longest time that a read waits for its turn, and then again for its result.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// A pool of connections, which are opened on first use.
pub(crate) struct Readers {
    file: PathBuf,
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file, permits: Arc::new(Semaphore::new(MAX_READERS)), idle: Arc::default() }
    }

    /// Runs `work` on one snapshot of the file, which contains everything committed before. `context` names the operation.
    ///
    /// # Errors
    /// [`PortErrorKind::Throttled`] if the read has to wait for others for more than 10 s, [`PortErrorKind::Unavailable`] if it
    /// then takes more than 10 s itself.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        context: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        let too_many =
            |_| PortError::bare(PortErrorKind::Throttled, format!("{context}: too many reads are waiting"));
        let permit = timeout(READ_TIMEOUT, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(too_many)?
            .map_err(|error| PortError::new(PortErrorKind::Internal, context, error))?;
        let (idle, file) = (Arc::clone(&self.idle), self.file.clone());
        let reading = tokio::task::spawn_blocking(move || {
            // The thread owns the permit, so a cancelled caller does not release it while the thread still reads.
            let _permit = permit;
            let pooled = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let conn = pooled.map_or_else(|| open_reader(&file), Ok)?;
            let result = conn.unchecked_transaction().and_then(|snapshot| work(&snapshot));
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
            result
        });
        match timeout(READ_TIMEOUT, reading).await {
            Ok(Ok(result)) => result.map_err(|error| port_error(context, error)),
            Ok(Err(panic)) => Err(PortError::new(PortErrorKind::Internal, context, panic)),
            Err(_) => {
                let text = format!("{context}: the disk took too long");
                Err(PortError::bare(PortErrorKind::Unavailable, text))
            }
        }
    }
}
