//! Opening the file: the settings of every connection, and the layout with its migrations.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

/// The file of the store and the queue in a data folder.
pub(crate) const FILE_NAME: &str = "noren.db";

/// The steps from an empty file to the layout of this version. A step that was released is never changed.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/1.sql")];

/// "Nore": marks the file as one of ours, in the header that `file` and SQLite itself read.
const APPLICATION_ID: i32 = 0x4e6f_7265;

/// How long a connection waits for another process that is writing.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The log is brought into the file after this many pages of 4 KiB, 96 MiB. The indexes of ids and skus are written
/// in no order, so that most of their pages change again and again: with 32 MiB, imports were a third slower.
/// Tests take less, to fill a log within seconds.
const CHECKPOINT_PAGES: u32 = if cfg!(test) { 4_000 } else { 24_576 };

/// The size that the log is cut back to.
pub(crate) const LOG_LIMIT_BYTES: u64 = if cfg!(test) { 64 << 20 } else { 128 << 20 };

/// Why the file cannot be opened. Each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is not there and cannot be made.
    #[error(
        "cannot create the data folder {}: {source}; choose another one, or give this user the right to create it",
        dir.display()
    )]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// What the operating system says.
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
        /// What SQLite says.
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
        /// What SQLite says.
        reason: String,
    },
    /// There is no room for the file.
    #[error("cannot write {}: no room is left on the disk; make some, or choose another data folder", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a database of Noren; move it away, or choose another data folder", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is of a newer version of Noren.
    #[error(
        "{} was written by a newer version of Noren (layout {found}, this version knows {known}); run that version, \
         or choose another data folder",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The newest layout that this version knows.
        known: i64,
    },
    /// Another program keeps the file locked.
    #[error("{} is locked by another program; stop that program, then try again", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// Anything else, such as a damaged file.
    #[error("cannot open {}: {source}; if the file is damaged, restore it from a copy", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// No thread can be started.
    #[error("cannot start the thread that writes: {0}; allow this process more threads or memory")]
    Thread(io::Error),
}

impl OpenError {
    fn of(path: &Path, source: rusqlite::Error) -> Self {
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

/// The connection that writes, of a folder and a file that are made when they are not there.
pub(crate) fn open_writer(dir: &Path, busy_timeout: Duration) -> Result<Connection, OpenError> {
    std::fs::create_dir_all(dir).map_err(|source| OpenError::Folder { dir: dir.to_owned(), source })?;
    let path = dir.join(FILE_NAME);
    let mut conn = connect(&path, busy_timeout).map_err(|error| OpenError::of(&path, error))?;
    prepare_file(&mut conn, &path, busy_timeout)?;
    settle(&conn, WRITER_CACHE_KIB).map_err(|error| OpenError::of(&path, error))?;
    Ok(conn)
}

/// Copies the store in the folder `dir` into a file that is not there yet, as the store is at one moment, and whoever else
/// reads and writes it meanwhile. It blocks for as long as reading all of it takes; the log grows with what is written
/// until then.
///
/// # Errors
/// [`OpenError`], with a text of one line.
pub fn copy(dir: &Path, to: &Path) -> Result<(), OpenError> {
    let path = dir.join(FILE_NAME);
    if !path.is_file() {
        return Err(OpenError::Missing { path });
    }
    let conn = connect(&path, BUSY_TIMEOUT).map_err(|error| OpenError::of(&path, error))?;
    check_layout(&conn, &path)?;
    let not_copied = |reason| OpenError::NotCopied { path: path.clone(), to: to.to_owned(), reason };
    let name = to.to_str().ok_or_else(|| not_copied("the name of the copy is no text".to_owned()))?;
    conn.execute("VACUUM INTO ?1", [name]).map(drop).map_err(|error| not_copied(error.to_string()))
}

/// A connection that only reads, of a file that [`open_writer`] opened before.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let conn = connect(path, BUSY_TIMEOUT)?;
    settle(&conn, READER_CACHE_KIB)?;
    conn.execute_batch("PRAGMA query_only = ON")?;
    Ok(conn)
}

/// What the writing connection keeps in memory of the file.
const WRITER_CACHE_KIB: u32 = 32 << 10;
/// What each reading connection keeps in memory of the file.
const READER_CACHE_KIB: u32 = 8 << 10;

fn connect(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut conn = Connection::open_with_flags(path, flags)?;
    wait_for_others(&mut conn, busy_timeout)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Makes a connection wait for what others have locked, as long as `patience`.
pub(crate) fn wait_for_others(conn: &mut Connection, patience: Duration) -> rusqlite::Result<()> {
    // SQLite's own handler waits up to 100 ms between two tries, and would miss the short gaps that a busy writer
    // in another process leaves.
    let mut since = Instant::now();
    conn.busy_handler(Some(move |tries: i32| {
        if tries == 0 {
            since = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(1));
        since.elapsed() < patience
    }))
}

fn settle(conn: &Connection, cache_kib: u32) -> rusqlite::Result<()> {
    // fullfsync matters on macOS only, where a plain sync does not survive a power loss.
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

/// Checks whose file it is before anything in it is changed, then brings it to the layout of this version.
fn prepare_file(conn: &mut Connection, path: &Path, patience: Duration) -> Result<(), OpenError> {
    let failed = |error| OpenError::of(path, error);
    if conn.is_readonly("main").map_err(failed)? {
        return Err(OpenError::Unwritable { path: path.to_owned(), reason: "it is read-only".into() });
    }
    // In one transaction, so that all of it is of one moment, also while another process makes the file.
    let look = conn.transaction().map_err(failed)?;
    check_layout(&look, path)?;
    drop(look);
    keep_a_log(conn, patience).map_err(failed)?;
    let step = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Again, now that no other process can migrate it any more.
    let layout = check_layout(&step, path)?;
    if layout < MIGRATIONS.len() {
        for migration in &MIGRATIONS[layout..] {
            step.execute_batch(migration).map_err(failed)?;
        }
        step.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        step.pragma_update(None, "user_version", known_layout()).map_err(failed)?;
    }
    step.commit().map_err(failed)
}

fn known_layout() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The layout of the file, 0 for an empty one, when it is a file of ours that this version can bring up to date.
fn check_layout(conn: &Connection, path: &Path) -> Result<usize, OpenError> {
    let failed = |error| OpenError::of(path, error);
    let number = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed);
    let (application, layout) = (number("application_id")?, number("user_version")?);
    let tables = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    let is_empty = application == 0 && layout == 0 && tables.map_err(failed)? == 0;
    if application != i64::from(APPLICATION_ID) && !is_empty {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    match usize::try_from(layout) {
        Ok(known) if known <= MIGRATIONS.len() => Ok(known),
        _ => Err(OpenError::Newer { path: path.to_owned(), found: layout, known: known_layout() }),
    }
}

/// Turns on the write-ahead log. SQLite does not always wait when several processes do so at once, so we do.
fn keep_a_log(conn: &Connection, patience: Duration) -> rusqlite::Result<()> {
    let since = Instant::now();
    loop {
        match conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(crate::error::unreadable(format!(
                    "the disk allows no write-ahead log, only `{mode}`"
                )));
            }
            Err(error)
                if since.elapsed() < patience
                    && error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) =>
            {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(error) => return Err(error),
        }
    }
}
