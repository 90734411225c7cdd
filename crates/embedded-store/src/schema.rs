//! Opens the file: the settings of every connection, and the layout with its migrations.

use std::path::Path;
use std::time::{Duration, Instant};

use backon::{BlockingRetryable as _, ConstantBuilder};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::error::unreadable;
use crate::open_error::OpenError;

/// The file of the store and the queue in a data folder.
pub(crate) const FILE_NAME: &str = "noren.db";

/// The migrations from an empty file to the layout of this version.
///
/// A change of the layout is a new migration at the end, which keeps all data. A file of an older version is migrated in one
/// transaction when it is opened; one of a newer version is left alone. The statements of a released migration never change.
pub(crate) const MIGRATIONS: [&str; 1] = [include_str!("migrations/1.sql")];

/// "Nore": identifies a database of Noren, in the file header that `file` and SQLite read.
const APPLICATION_ID: i32 = 0x4e6f_7265;

/// The time for which a connection waits for another process that is writing.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The size of the write-ahead log, in pages of 4 KiB, at which it is checkpointed: 96 MiB. The indexes of ids and skus are
/// written in random order, so that most of their pages change repeatedly: with 32 MiB, imports took a third longer. Tests
/// use less, to fill a log within seconds.
const CHECKPOINT_PAGES: u32 = if cfg!(test) { 4_000 } else { 24_576 };

/// The size in bytes above which the write-ahead log is truncated.
pub(crate) const LOG_LIMIT_BYTES: u64 = if cfg!(test) { 64 << 20 } else { 128 << 20 };

/// Opens the connection that writes. Creates the folder and the file if they do not exist.
pub(crate) fn open_writer(dir: &Path, busy_timeout: Duration) -> Result<Connection, OpenError> {
    std::fs::create_dir_all(dir).map_err(|source| OpenError::Folder { dir: dir.to_owned(), source })?;
    let path = dir.join(FILE_NAME);
    let mut conn = connect(&path, busy_timeout).map_err(|error| OpenError::of(&path, error))?;
    prepare_file(&mut conn, &path, busy_timeout, &MIGRATIONS)?;
    apply_settings(&conn, WRITER_CACHE_KIB).map_err(|error| OpenError::of(&path, error))?;
    Ok(conn)
}

/// Returns true if the folder `dir` has a store, of any version.
pub fn exists(dir: &Path) -> bool {
    dir.join(FILE_NAME).is_file()
}

/// Copies the store in the folder `dir` to a new file `to`. The copy is one snapshot, even while other processes write.
///
/// Blocks for as long as reading the whole store takes; the write-ahead log grows with everything written until then.
///
/// # Errors
/// [`OpenError`], with a text of one line that says what to do; also if `to` exists.
pub fn copy(dir: &Path, to: &Path) -> Result<(), OpenError> {
    let path = dir.join(FILE_NAME);
    if !path.is_file() {
        return Err(OpenError::Missing { path });
    }
    let conn = connect(&path, BUSY_TIMEOUT).map_err(|error| OpenError::of(&path, error))?;
    check_layout(&conn, &path, MIGRATIONS.len())?;
    let not_copied = |reason| OpenError::NotCopied { path: path.clone(), to: to.to_owned(), reason };
    let name = to.to_str().ok_or_else(|| not_copied("the name of the copy is not valid UTF-8".to_owned()))?;
    conn.execute("VACUUM INTO ?1", [name]).map(drop).map_err(|error| not_copied(error.to_string()))
}

/// Opens a connection that only reads a file that [`open_writer`] opened before.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let conn = connect(path, BUSY_TIMEOUT)?;
    apply_settings(&conn, READER_CACHE_KIB)?;
    conn.execute_batch("PRAGMA query_only = ON")?;
    Ok(conn)
}

/// The page cache of the connection that writes.
const WRITER_CACHE_KIB: u32 = 32 << 10;
/// The page cache of each connection that reads.
const READER_CACHE_KIB: u32 = 8 << 10;

fn connect(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut conn = Connection::open_with_flags(path, flags)?;
    set_busy_timeout(&mut conn, busy_timeout)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Sets how long a connection waits for a lock of another one.
pub(crate) fn set_busy_timeout(conn: &mut Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    // SQLite's own handler waits up to 100 ms between two attempts and would miss the short gaps that a busy writer in
    // another process leaves.
    let mut since = Instant::now();
    conn.busy_handler(Some(move |attempts: i32| {
        if attempts == 0 {
            since = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(1));
        since.elapsed() < busy_timeout
    }))
}

/// Applies the settings of every connection.
fn apply_settings(conn: &Connection, cache_kib: u32) -> rusqlite::Result<()> {
    // fullfsync matters on macOS only, where a plain fsync does not survive a power loss.
    conn.execute_batch(&format!(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA cache_size = -{cache_kib};
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
         PRAGMA journal_size_limit = {LOG_LIMIT_BYTES};"
    ))
}

/// Checks that the file is one of Noren's before changing anything, then applies the migrations that it lacks.
pub(crate) fn prepare_file(
    conn: &mut Connection,
    path: &Path,
    busy_timeout: Duration,
    migrations: &[&str],
) -> Result<(), OpenError> {
    let failed = |error| OpenError::of(path, error);
    if conn.is_readonly("main").map_err(failed)? {
        return Err(OpenError::Unwritable { path: path.to_owned(), reason: "it is read-only".into() });
    }
    // In one transaction, so that the checks see one snapshot even while another process creates the file.
    let snapshot = conn.transaction().map_err(failed)?;
    check_layout(&snapshot, path, migrations.len())?;
    drop(snapshot);
    enable_wal(conn, busy_timeout).map_err(failed)?;
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Checked again, now that no other process can migrate the file.
    let layout = check_layout(&transaction, path, migrations.len())?;
    if layout < migrations.len() {
        for migration in &migrations[layout..] {
            transaction.execute_batch(migration).map_err(failed)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", layout_number(migrations.len())).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

fn layout_number(migrations: usize) -> i64 {
    i64::try_from(migrations).unwrap_or(i64::MAX)
}

/// Returns the layout of the file, 0 for an empty one.
///
/// # Errors
/// Fails if the file is not a database of Noren, or has a layout that is newer than `known`.
fn check_layout(conn: &Connection, path: &Path, known: usize) -> Result<usize, OpenError> {
    let failed = |error| OpenError::of(path, error);
    let number = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed);
    let (application, layout) = (number("application_id")?, number("user_version")?);
    let tables = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    let is_empty = application == 0 && layout == 0 && tables.map_err(failed)? == 0;
    if application != i64::from(APPLICATION_ID) && !is_empty {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    match usize::try_from(layout) {
        Ok(layout) if layout <= known => Ok(layout),
        _ => Err(OpenError::Newer { path: path.to_owned(), found: layout, known: layout_number(known) }),
    }
}

/// Turns on the write-ahead log. SQLite does not always wait if several processes do so at once, so this retries until
/// `busy_timeout`.
fn enable_wal(conn: &Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    let since = Instant::now();
    let enable = || conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0));
    let is_busy = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
    let pauses = ConstantBuilder::new().with_delay(Duration::from_millis(2)).without_max_times();
    let mode = enable.retry(pauses).when(|error| is_busy(error) && since.elapsed() < busy_timeout).call()?;
    match mode.as_str() {
        "wal" => Ok(()),
        _ => Err(unreadable(format!("the disk allows no write-ahead log, only `{mode}`"))),
    }
}
