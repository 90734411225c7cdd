//! Connections that read, on tokio's blocking threads.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::ports::{PortError, PortErrorKind};
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::port_error;
use crate::schema::open_reader;

/// Reads that run at once; more wait.
const MAX_READERS: usize = 4;
/// How long a read waits for its turn, and then for its answer.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// A pool of connections, opened when they are first needed.
pub(crate) struct Readers {
    file: PathBuf,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file, turns: Arc::new(Semaphore::new(MAX_READERS)), idle: Arc::default() }
    }

    /// Runs `work` on one state of the file, which holds everything committed before.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        context: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        let late =
            |_| PortError::bare(PortErrorKind::Throttled, format!("{context}: too many reads are waiting"));
        let turn = timeout(READ_TIMEOUT, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(late)?
            .map_err(|error| PortError::new(PortErrorKind::Internal, context, error))?;
        let (idle, file) = (Arc::clone(&self.idle), self.file.clone());
        let reading = tokio::task::spawn_blocking(move || {
            // The turn belongs to the thread: a caller that goes away does not free it too early.
            let _turn = turn;
            let pooled = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let conn = pooled.map_or_else(|| open_reader(&file), Ok)?;
            let result = conn.unchecked_transaction().and_then(|state| work(&state));
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
