//! Opening a file: creating, migrating, and refusing what is not Noren's.

use std::path::Path;
use std::time::{Duration, Instant};

use domain::ProductId;
use domain::ports::{ChangeQueue, ProductStore};
use rusqlite::Connection;

use super::{Fixture, create, delete, idempotency_record};
use crate::schema::{FILE_NAME, open_writer};
use crate::{EmbeddedStore, OpenError, Options, Outbox};

fn open_error(dir: &Path) -> OpenError {
    let error = open_writer(dir, Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    error
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let Fixture { store, clock, data } = Fixture::new();
    store.write(vec![create("a", 10), create("b", 10)]).await.into_iter().for_each(|w| drop(w.unwrap()));
    store.write(vec![delete("b", 2)]).await.into_iter().for_each(|w| drop(w.unwrap()));
    store.record_idempotent(idempotency_record("key")).await.unwrap();
    let received = store.receive(1, Duration::ZERO).await.unwrap();
    let page = store.list(None, 1).await.unwrap();
    let ids = [ProductId::parse("a").unwrap(), ProductId::parse("b").unwrap()];
    let before = store.get(&ids).await.unwrap();
    drop(store);

    let store = EmbeddedStore::open(data.path(), clock.options(Outbox::Enqueue)).unwrap();
    assert_eq!(store.get(&ids).await.unwrap(), before);
    assert_eq!(store.find_idempotent("key").await.unwrap(), Some(idempotency_record("key")));
    assert_eq!(store.list(None, 1).await.unwrap().products, page.products);
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.waiting, stats.in_flight), (2, 1));
    store.acknowledge(&[received[0].receipt.clone()]).await.unwrap();
    assert_eq!(store.stats().await.unwrap().in_flight, 0);
}

#[test]
fn several_may_open_a_new_folder_at_once() {
    let data = tempfile::tempdir().unwrap();
    let dir = data.path().join("deep").join("er");
    std::thread::scope(|scope| {
        let opening: Vec<_> =
            (0..8).map(|_| scope.spawn(|| EmbeddedStore::open(&dir, Options::default()))).collect();
        for opened in opening {
            opened.join().unwrap().unwrap();
        }
    });
    let conn = Connection::open(dir.join(FILE_NAME)).unwrap();
    let layout: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(layout, 1);
    let mode: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn the_connections_sync_each_commit_to_the_disk() {
    let data = tempfile::tempdir().unwrap();
    let writer = open_writer(data.path(), Duration::from_secs(1)).unwrap();
    let pragma = |name| writer.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(pragma("synchronous"), 2, "2 is FULL");
    assert_eq!(pragma("fullfsync"), 1);
    assert!(pragma("cache_size") < 0 && pragma("journal_size_limit") > 0);
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    drop(open_writer(data.path(), Duration::from_secs(1)).unwrap());
    let conn = Connection::open(data.path().join(FILE_NAME)).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    let error = open_error(data.path());
    assert!(matches!(error, OpenError::Newer { found: 99, known: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("newer version of Noren"), "{error}");
}

#[test]
fn a_file_of_another_program_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join(FILE_NAME);
    let conn = Connection::open(&file).unwrap();
    conn.execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)").unwrap();
    drop(conn);
    let before = std::fs::read(&file).unwrap();
    assert!(matches!(open_error(data.path()), OpenError::Foreign { .. }));
    assert_eq!(std::fs::read(&file).unwrap(), before);

    std::fs::write(&file, "not a database, but long enough to be mistaken for one. ".repeat(100)).unwrap();
    let before = std::fs::read(&file).unwrap();
    assert!(matches!(open_error(data.path()), OpenError::Foreign { .. }));
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_damaged_file_is_an_error_and_no_panic() {
    let data = tempfile::tempdir().unwrap();
    drop(open_writer(data.path(), Duration::from_secs(1)).unwrap());
    let file = data.path().join(FILE_NAME);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100..4096].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let error = open_error(data.path());
    assert!(matches!(error, OpenError::Failed { .. }), "{error:?}");
}

#[test]
fn a_folder_that_cannot_be_created_is_named() {
    let data = tempfile::tempdir().unwrap();
    let in_the_way = data.path().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    let error = open_error(&in_the_way);
    assert!(matches!(error, OpenError::Folder { .. }), "{error:?}");
    assert!(error.to_string().contains(in_the_way.to_str().unwrap()), "{error}");
    let inside = open_error(&in_the_way.join("sub"));
    assert!(matches!(inside, OpenError::Folder { .. }), "{inside:?}");
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join(FILE_NAME)).unwrap();
    let error = open_error(data.path());
    assert!(matches!(error, OpenError::Unwritable { .. }), "{error:?}");
}

#[test]
fn a_file_that_stays_locked_is_an_error_after_a_while() {
    let data = tempfile::tempdir().unwrap();
    let holder = open_writer(data.path(), Duration::from_secs(1)).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let since = Instant::now();
    assert!(matches!(open_error(data.path()), OpenError::Locked { .. }));
    assert!(since.elapsed() >= Duration::from_millis(50));
}
