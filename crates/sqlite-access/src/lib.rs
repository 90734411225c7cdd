//! The access store as a SQLite file of its own, which all processes on a machine may share.
//!
//! Calls are rare: [`access::Keyring`] caches look-ups, and only keys with a limit of their own count requests here. One connection
//! that writes and one that reads are therefore enough. Readers never wait for writers. A transaction that writes takes SQLite's
//! write lock when it begins, so two processes never return the same count.

#![warn(missing_docs)]

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use access::{AccessStore, AccessStoreError, COUNTER_RETENTION_SECONDS, KeyId, KeyRecord};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};
use tokio::sync::Mutex;

/// The version of the tables, kept in the file.
const FORMAT: i64 = 1;
/// The time for which a call waits for another process that writes: less than the 2 s after which a count is given up.
const BUSY_TIMEOUT: Duration = Duration::from_millis(1500);

/// The reason for which the file cannot be opened. Each message names the file.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be created, read or written.
    #[error(
        "cannot use {}: {source}; give this user the right to write there, or choose another data folder",
        path.display()
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("{} is not a store of API keys; move it away, or choose another data folder", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// SQLite refuses the file.
    #[error("{}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: rusqlite::Error,
    },
    /// A newer version wrote the file.
    #[error("{} was written by a newer version of Noren (format {format}); use that version", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: i64,
    },
}

/// An access store in a file. Clones share its two connections.
#[derive(Clone)]
pub struct SqliteAccess {
    writer: Arc<Mutex<Connection>>,
    /// Reads only, so that a look-up does not wait for a lock that another process holds, nor for the calls that wait for it.
    reader: Arc<Mutex<Connection>>,
    file: OpenedFile,
}

impl SqliteAccess {
    /// Opens the file. Creates it and its folder if they are missing; only the user of this process may read a new file.
    ///
    /// # Errors
    /// If the file cannot be created or read, or was written by a newer version.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        create_private(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => OpenError::Foreign { path: path.to_owned() },
            _ => OpenError::Sqlite { path: path.to_owned(), source },
        };
        let connection = Connection::open(path).map_err(failed)?;
        let format = prepare(&connection).map_err(failed)?;
        if format > FORMAT {
            return Err(OpenError::Newer { path: path.to_owned(), format });
        }
        let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        reader.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        let file = OpenedFile::new(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        let (writer, reader) = (Arc::new(Mutex::new(connection)), Arc::new(Mutex::new(reader)));
        Ok(Self { writer, reader, file })
    }

    /// Runs `work`, which may write. `context` describes it in an error.
    async fn write<T: Send + 'static>(
        &self,
        context: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, CallError> + Send + 'static,
    ) -> Result<T, AccessStoreError> {
        run_on(&self.writer, self.file.clone(), context, work).await
    }

    /// Runs `work`, which only reads.
    async fn read<T: Send + 'static>(
        &self,
        context: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, CallError> + Send + 'static,
    ) -> Result<T, AccessStoreError> {
        run_on(&self.reader, self.file.clone(), context, work).await
    }

    /// Changes the record of a key in one transaction. Returns false if the key does not exist.
    async fn change(
        &self,
        context: &'static str,
        id: &KeyId,
        change: impl FnOnce(&mut KeyRecord) + Send + 'static,
    ) -> Result<bool, AccessStoreError> {
        let id = id.clone();
        self.write(context, move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let Some(mut record) = read(&transaction, &id)? else { return Ok(false) };
            change(&mut record);
            let json = serde_json::to_string(&record)?;
            transaction
                .execute("UPDATE keys SET record = ?2 WHERE id = ?1", params![id.to_string(), json])?;
            transaction.commit()?;
            Ok(true)
        })
        .await
    }
}

impl std::fmt::Debug for SqliteAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteAccess")
    }
}

#[async_trait]
impl AccessStore for SqliteAccess {
    async fn key(&self, id: &KeyId) -> Result<Option<KeyRecord>, AccessStoreError> {
        let id = id.clone();
        self.read("cannot read a key", move |connection| read(connection, &id)).await
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, AccessStoreError> {
        self.read("cannot list the keys", |connection| {
            let mut statement = connection.prepare_cached("SELECT record FROM keys ORDER BY id")?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            rows.map(|json| Ok(serde_json::from_str(&json?)?)).collect()
        })
        .await
    }

    async fn add(&self, record: &KeyRecord) -> Result<bool, AccessStoreError> {
        let record = record.clone();
        self.write("cannot add a key", move |connection| {
            let json = serde_json::to_string(&record)?;
            let insert = "INSERT INTO keys (id, record) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING";
            Ok(connection.execute(insert, params![record.id.to_string(), json])? == 1)
        })
        .await
    }

    async fn revoke(&self, id: &KeyId, now: Timestamp) -> Result<bool, AccessStoreError> {
        self.change("cannot revoke a key", id, move |record| record.revoke(now)).await
    }

    async fn expire(&self, id: &KeyId, at: Timestamp) -> Result<bool, AccessStoreError> {
        self.change("cannot let a key expire", id, move |record| record.expire(at)).await
    }

    async fn remove(&self, id: &KeyId) -> Result<bool, AccessStoreError> {
        let id = id.to_string();
        self.write("cannot remove a key", move |connection| {
            Ok(connection.execute("DELETE FROM keys WHERE id = ?1", params![id])? == 1)
        })
        .await
    }

    async fn note_use(&self, id: &KeyId, hour: Timestamp) -> Result<(), AccessStoreError> {
        self.change("cannot record the use of a key", id, move |record| record.note_use(hour)).await?;
        Ok(())
    }

    async fn count(&self, name: &str, window_end: Timestamp) -> Result<u64, AccessStoreError> {
        let (name, end) = (name.to_owned(), window_end.as_second());
        self.write("cannot count a request", move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let increment = "INSERT INTO counters (name, window_end, requests) VALUES (?1, ?2, 1)
                 ON CONFLICT (name, window_end) DO UPDATE SET requests = requests + 1 RETURNING requests";
            let count: i64 = transaction.query_row(increment, params![name, end], |row| row.get(0))?;
            if count == 1 {
                // A window may end long after others. By a clock that is ahead, none that still runs is removed.
                let now = Timestamp::now().as_second().min(end);
                transaction.execute(
                    "DELETE FROM counters WHERE window_end < ?1",
                    params![now - COUNTER_RETENTION_SECONDS],
                )?;
            }
            transaction.commit()?;
            Ok(u64::try_from(count).unwrap_or(u64::MAX))
        })
        .await
    }

    async fn ready(&self) -> Result<(), AccessStoreError> {
        self.read("cannot read the keys", |connection| {
            connection.query_row("SELECT 1 FROM keys LIMIT 1", [], |_| Ok(())).optional()?;
            Ok(())
        })
        .await
    }
}

/// Runs `work` on a thread that may block. `context` describes it in an error. A caller that gives up while it waits for the
/// connection leaves no work behind.
async fn run_on<T: Send + 'static>(
    connection: &Arc<Mutex<Connection>>,
    file: OpenedFile,
    context: &'static str,
    work: impl FnOnce(&mut Connection) -> Result<T, CallError> + Send + 'static,
) -> Result<T, AccessStoreError> {
    let mut connection = Arc::clone(connection).lock_owned().await;
    let done = tokio::task::spawn_blocking(move || {
        file.check()?;
        work(&mut connection)
    });
    match done.await {
        Ok(outcome) => outcome.map_err(|error| AccessStoreError::because(context, error)),
        Err(error) => Err(AccessStoreError::because(context, error)),
    }
}

/// The file that a connection has open. One that was removed or replaced stays open, and would keep keys that are revoked in the new
/// file.
#[derive(Clone)]
struct OpenedFile {
    path: Arc<Path>,
    id: Option<FileId>,
}

/// Device and number of a file.
type FileId = (u64, u64);

impl OpenedFile {
    fn new(path: &Path) -> std::io::Result<Self> {
        Ok(Self { path: path.into(), id: file_id(path)? })
    }

    /// Checks that the path still leads to the file.
    fn check(&self) -> Result<(), CallError> {
        match file_id(&self.path) {
            Ok(id) if id == self.id => Ok(()),
            _ => Err(CallError::Replaced { path: Arc::clone(&self.path) }),
        }
    }
}

#[cfg(unix)]
fn file_id(path: &Path) -> std::io::Result<Option<FileId>> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map(|metadata| Some((metadata.dev(), metadata.ino())))
}

/// Other systems keep a file that is open from being replaced.
#[cfg(not(unix))]
fn file_id(path: &Path) -> std::io::Result<Option<FileId>> {
    std::fs::metadata(path).map(|_| None)
}

/// The reason for which a call failed.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("{} was removed or replaced; restart the service", path.display())]
    Replaced { path: Arc<Path> },
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("a key in the file cannot be read")]
    Record(#[from] serde_json::Error),
}

fn read(connection: &Connection, id: &KeyId) -> Result<Option<KeyRecord>, CallError> {
    let mut statement = connection.prepare_cached("SELECT record FROM keys WHERE id = ?1")?;
    let json: Option<String> = statement.query_row(params![id.to_string()], |row| row.get(0)).optional()?;
    Ok(json.map(|json| serde_json::from_str(&json)).transpose()?)
}

/// Creates the tables if they are missing. Returns the format of the file.
fn prepare(connection: &Connection) -> rusqlite::Result<i64> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let format = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if format > FORMAT {
        return Ok(format);
    }
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS counters (
             name TEXT NOT NULL, window_end INTEGER NOT NULL, requests INTEGER NOT NULL,
             PRIMARY KEY (name, window_end)
         ) WITHOUT ROWID;
         PRAGMA user_version = {FORMAT};
         COMMIT;"
    ))?;
    Ok(FORMAT)
}

/// Creates a file that only the user of this process may read and write, and its folder. Does not change an existing file.
fn create_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use access::limits::{DEFAULT_FAILURES, FailOpen, LimitOptions, Limits};
    use access::{ApiKey, Identity, Principal, RateLimit, Scope, Scopes};
    use tokio::task::JoinSet;

    use super::*;

    /// Returns the limits of a process on this file.
    fn limits(path: &Path) -> Arc<Limits> {
        let store: Arc<dyn AccessStore> = Arc::new(SqliteAccess::open(path).unwrap());
        let (failures, fail_open) = (DEFAULT_FAILURES, FailOpen { reads: false, writes: false });
        Arc::new(Limits::new(LimitOptions { default: None, failures, store: Some(store), fail_open }))
    }

    #[tokio::test]
    async fn a_file_that_was_replaced_or_removed_is_not_used_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.db");
        let store = SqliteAccess::open(&path).unwrap();
        store.ready().await.unwrap();
        std::fs::rename(&path, folder.path().join("old.db")).unwrap();
        let error = store.ready().await.unwrap_err().chain();
        assert!(error.contains("access.db was removed or replaced"), "{error}");
        let other = SqliteAccess::open(&path).unwrap();
        store.keys().await.unwrap_err();
        other.ready().await.unwrap();
    }

    #[test]
    fn another_file_is_refused_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.db");
        std::fs::write(&path, [7; 4096]).unwrap();
        let error = SqliteAccess::open(&path).unwrap_err().to_string();
        assert!(error.contains("access.db is not a store of API keys; move it away"), "{error}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn two_processes_on_one_file_never_let_more_than_the_limit_pass() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.db");
        let processes = [limits(&path), limits(&path)];
        let id = ApiKey::generate().unwrap().id().clone();
        let mut principal = Principal::new(Identity::Key(id), Scopes::all());
        principal.rate_limit = Some(RateLimit { requests: 5, window_seconds: 60 });
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        let mut requests = JoinSet::new();
        for n in 0..100 {
            let (limits, principal) = (Arc::clone(&processes[n % 2]), principal.clone());
            requests.spawn(async move {
                let counted = limits.count(&principal, None, Scope::Search, now).await;
                counted.unwrap().expect("a limit applies").allowed
            });
        }
        let allowed = requests.join_all().await.into_iter().filter(|allowed| *allowed).count();
        assert_eq!(allowed, 5);
    }
    /// Another process holds the lock of the file, and many requests wait for it.
    #[tokio::test(flavor = "multi_thread")]
    async fn keys_are_read_while_another_process_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.db");
        let store = SqliteAccess::open(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut counting = JoinSet::new();
        for n in 0..20 {
            let store = store.clone();
            let end = "2026-11-28T12:00:00Z".parse().unwrap();
            let count = async move { store.count(&format!("key {n}"), end).await.map(drop) };
            counting.spawn(async move { tokio::time::timeout(Duration::from_secs(2), count).await });
        }
        let id = ApiKey::generate().unwrap().id().clone();
        let reads = async {
            assert_eq!(store.key(&id).await.unwrap(), None);
            assert_eq!(store.keys().await.unwrap(), []);
            store.ready().await.unwrap();
        };
        tokio::time::timeout(Duration::from_secs(1), reads).await.expect("reads do not wait");
        let counted = counting.join_all().await;
        assert!(counted.iter().all(|counted| !matches!(counted, Ok(Ok(())))), "none was counted");
        assert!(
            counted.iter().any(|counted| matches!(counted, Ok(Err(_)))),
            "the file is locked: {counted:?}"
        );
        other.execute_batch("ROLLBACK").unwrap();
        let end = "2026-11-28T12:00:00Z".parse().unwrap();
        assert_eq!(store.count("key 19", end).await.unwrap(), 1, "what was given up is not counted later");
    }
}
