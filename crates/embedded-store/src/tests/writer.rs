//! The writer: groups, errors, and the size of the log.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::ports::{PortErrorKind, ProductStore, WriteError};
use rusqlite::Connection;

use super::{Fixture, create};
use crate::schema::{FILE_NAME, LOG_LIMIT_BYTES};
use crate::transaction::WriteTransaction;
use crate::{EmbeddedStore, Options};

/// Runs `jobs` while another connection holds the write lock, and releases it once `waiting` jobs wait.
async fn with_jobs_waiting<T>(fixture: &Fixture, waiting: usize, jobs: impl Future<Output = T>) -> T {
    let other = fixture.other_connection();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let release = async {
        let since = Instant::now();
        while fixture.store.0.writer.waiting() < waiting {
            assert!(since.elapsed() < Duration::from_secs(4), "the jobs do not arrive");
            tokio::task::yield_now().await;
        }
        other.execute_batch("COMMIT").unwrap();
    };
    let (results, ()) = tokio::join!(jobs, release);
    results
}

async fn write_all(store: &EmbeddedStore, ids: impl Iterator<Item = String>) -> Vec<Result<(), WriteError>> {
    let writes: Vec<_> = ids
        .map(|id| {
            let store = store.clone();
            tokio::spawn(async move { store.write(vec![create(&id, 10)]).await.remove(0).map(drop) })
        })
        .collect();
    let mut results = Vec::new();
    for write in writes {
        results.push(write.await.unwrap());
    }
    results
}

#[tokio::test]
async fn writes_that_wait_are_committed_together() {
    let fixture = Fixture::new();
    // The data version of a connection changes with each commit of another one.
    let other = fixture.other_connection();
    let commits = || other.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0)).unwrap();
    let seen = std::cell::RefCell::new(HashSet::from([commits()]));
    let watch = async {
        while fixture.count("SELECT count(*) FROM products") < 64 {
            seen.borrow_mut().insert(commits());
            tokio::task::yield_now().await;
        }
    };
    let jobs = write_all(&fixture.store, (0..64).map(|i| format!("p{i}")));
    let (results, ()) = tokio::join!(with_jobs_waiting(&fixture, 64, jobs), watch);
    assert!(results.iter().all(Result::is_ok));
    // The first job may have been committed alone.
    assert!(seen.borrow().len() <= 3, "{} commits", seen.borrow().len());
}

#[tokio::test]
async fn one_bad_job_does_not_fail_the_others_of_its_group() {
    let fixture = Fixture::new();
    let bad = fixture.store.0.writer.run("doing the impossible", 0, |transaction: &WriteTransaction<'_>| {
        transaction.conn.execute(
            "INSERT INTO products (key, id, version, action) VALUES (1000, 'bad', 1, 'CREATE')",
            [],
        )?;
        transaction.conn.execute("INSERT INTO nowhere VALUES (1)", [])
    });
    let jobs = async { tokio::join!(bad, write_all(&fixture.store, (0..20).map(|i| format!("p{i}")))) };
    let (bad, good) = with_jobs_waiting(&fixture, 21, jobs).await;
    assert_eq!(bad.unwrap_err().kind, PortErrorKind::Internal);
    assert!(good.iter().all(Result::is_ok), "{good:?}");
    assert_eq!(fixture.count("SELECT count(*) FROM products"), 20);
    assert_eq!(fixture.count("SELECT count(*) FROM messages"), 20);
}

#[tokio::test]
async fn a_full_disk_is_an_error_of_its_own_and_loses_nothing() {
    let fixture = Fixture::new();
    fixture.create("a").await;
    let limit_pages = |pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        fixture.store.0.writer.run("limiting the file", 0, move |transaction: &WriteTransaction<'_>| {
            transaction.conn.query_row(&sql, [], |row| row.get::<_, i64>(0))
        })
    };
    limit_pages(1).await.unwrap();
    let results = fixture.store.write(vec![create("b", 100_000), create("c", 100_000)]).await;
    assert_eq!(results.len(), 2);
    for result in results {
        assert!(matches!(result, Err(WriteError::Failed(error)) if error.kind == PortErrorKind::Full));
    }
    assert_eq!(fixture.store.list(None, 10).await.unwrap().products.len(), 1);
    limit_pages(1_000_000).await.unwrap();
    fixture.create("b").await;
    assert_eq!(fixture.receive(10).await.len(), 2);
}

#[tokio::test]
async fn a_lock_that_is_held_for_long_is_a_transient_error() {
    let data = tempfile::tempdir().unwrap();
    let busy_timeout = Duration::from_millis(100);
    let store = EmbeddedStore::open_with_busy_timeout(data.path(), Options::default(), busy_timeout).unwrap();
    let other = Connection::open(data.path().join(FILE_NAME)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let results = write_all(&store, (0..5).map(|i| format!("p{i}"))).await;
    for result in results {
        assert!(matches!(result, Err(WriteError::Failed(error)) if error.kind == PortErrorKind::Throttled));
    }
    // Reads continue meanwhile.
    assert!(store.list(None, 10).await.unwrap().products.is_empty());
    other.execute_batch("COMMIT").unwrap();
    assert!(write_all(&store, ["p0".to_owned()].into_iter()).await[0].is_ok());
}

#[tokio::test]
async fn a_writer_that_died_is_an_error_and_no_hang() {
    let fixture = Fixture::new();
    let dying = fixture.store.0.writer.run("dying", 0, |_: &WriteTransaction<'_>| -> rusqlite::Result<()> {
        panic!("this test kills its writer")
    });
    assert_eq!(dying.await.unwrap_err().kind, PortErrorKind::Unavailable);
    assert_eq!(ProductStore::ready(&fixture.store).await.unwrap_err().kind, PortErrorKind::Unavailable);
    let result = fixture.store.write(vec![create("a", 10)]).await.remove(0);
    assert!(matches!(result, Err(WriteError::Failed(error)) if error.kind == PortErrorKind::Unavailable));
}

#[test]
fn the_log_stays_bounded_under_steady_reading() {
    let fixture = Fixture::new();
    let done = std::sync::atomic::AtomicBool::new(false);
    let log = fixture.data.path().join("noren.db-wal");
    // One of the two always reads, and neither for long: SQLite alone would let the log grow for as long as they do.
    let (mut one, mut two) = (fixture.other_connection(), fixture.other_connection());
    let largest = std::thread::scope(|scope| {
        scope.spawn(|| {
            one.execute_batch("BEGIN; SELECT count(*) FROM messages").unwrap();
            while !done.load(Ordering::SeqCst) {
                two.execute_batch("BEGIN; SELECT count(*) FROM messages").unwrap();
                one.execute_batch("COMMIT").unwrap();
                std::mem::swap(&mut one, &mut two);
            }
        });
        let writing = async {
            let mut largest = 0;
            for round in 0..60 {
                let writes = (0..25).map(|i| create(&format!("p{round}-{i}"), 100_000)).collect();
                fixture.store.write(writes).await.into_iter().for_each(|written| drop(written.unwrap()));
                largest = largest.max(std::fs::metadata(&log).unwrap().len());
            }
            largest
        };
        let largest =
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(writing);
        done.store(true, Ordering::SeqCst);
        largest
    });
    assert!(largest < LOG_LIMIT_BYTES * 5 / 4, "the log grew to {largest} bytes");
}

#[tokio::test]
async fn a_program_that_reads_for_long_does_not_stop_writes() {
    let fixture = Fixture::new();
    let write_some = async |round: usize| {
        let writes = (0..25).map(|i| create(&format!("p{round}-{i}"), 100_000)).collect();
        fixture.store.write(writes).await.into_iter().for_each(|written| drop(written.unwrap()));
        std::fs::metadata(fixture.data.path().join("noren.db-wal")).unwrap().len()
    };
    let other = fixture.other_connection();
    other.execute_batch("BEGIN; SELECT count(*) FROM products").unwrap();
    let since = Instant::now();
    let mut log_bytes = 0;
    for round in 0..30 {
        log_bytes = write_some(round).await;
    }
    assert!(log_bytes > LOG_LIMIT_BYTES, "the reader does not retain the log: {log_bytes} bytes");
    assert!(since.elapsed() < Duration::from_secs(30), "it took {:?}", since.elapsed());
    other.execute_batch("COMMIT").unwrap();
    for round in 30..34 {
        log_bytes = write_some(round).await;
    }
    assert!(log_bytes <= LOG_LIMIT_BYTES, "the log still has {log_bytes} bytes");
}
