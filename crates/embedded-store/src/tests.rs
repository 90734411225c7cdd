//! What is special to this adapter: the file and its migrations, the writer's groups, time, and crashes.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use domain::input::read_product;
use domain::ports::{
    ChangeQueue, DeadLetters as _, IdempotencyRecord, MAX_RECEIVES, PortErrorKind, ProductStore, Write,
    WriteError, WriteOutcome, WriteResponse,
};
use domain::{Action, Change, Currency, Product, ProductId, Tombstone, Version};
use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;

const VISIBILITY: Duration = Duration::from_secs(10);

/// A clock that stands still until it is moved.
#[derive(Clone)]
struct HandClock(Arc<AtomicI64>);

impl HandClock {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_700_000_000_000)))
    }

    fn advance(&self, by: Duration) {
        self.0.fetch_add(to_millis(by), Ordering::SeqCst);
    }

    fn options(&self, outbox: Outbox) -> Options {
        let clock = self.clone();
        let tell = move || Timestamp::from_millisecond(clock.0.load(Ordering::SeqCst)).unwrap();
        Options { outbox, visibility_timeout: VISIBILITY, clock: Arc::new(tell) }
    }
}

struct Fixture {
    store: EmbeddedStore,
    clock: HandClock,
    data: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self::with(Outbox::Enqueue)
    }

    fn with(outbox: Outbox) -> Self {
        let (data, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
        let store = EmbeddedStore::open(data.path(), clock.options(outbox)).unwrap();
        Self { store, clock, data }
    }

    /// A connection past the store, as another program has it.
    fn beside(&self) -> Connection {
        Connection::open(self.data.path().join(schema::FILE_NAME)).unwrap()
    }

    fn count(&self, sql: &str) -> i64 {
        self.beside().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    async fn create(&self, id: &str) {
        for written in self.store.write(vec![create(id, 10)]).await {
            written.unwrap();
        }
    }

    async fn receive(&self, max: usize) -> Vec<domain::ports::Delivery> {
        self.store.receive(max, Duration::ZERO).await.unwrap()
    }

    async fn dead_letters(&self, limit: usize) -> Vec<domain::ports::DeadLetter> {
        self.store.newest(limit).await.unwrap().letters
    }
}

fn product(id: &str, version: u64, description_bytes: usize) -> Arc<Product> {
    let mut content = read_product(br#"{"name":"a lamp"}"#, Currency::USD).unwrap().content;
    content.description = Some("x".repeat(description_bytes));
    let now = domain::now();
    let id = ProductId::parse(id).unwrap();
    Arc::new(Product { id, version: Version(version), created_at: now, updated_at: now, content })
}

fn write(change: Change) -> Write {
    let replaces = change.version().0.checked_sub(1).filter(|version| *version > 0).map(Version);
    Write { change, replaces, idempotency: None, traceparent: None }
}

fn create(id: &str, description_bytes: usize) -> Write {
    write(Change::Create(product(id, 1, description_bytes)))
}

fn delete(id: &str, version: u64) -> Write {
    let id = ProductId::parse(id).unwrap();
    write(Change::Delete(Tombstone { id, version: Version(version), deleted_at: domain::now() }))
}

fn answered(key: &str) -> IdempotencyRecord {
    let id = ProductId::parse("a").unwrap();
    let answer = WriteResponse { outcome: WriteOutcome::Unchanged, id, version: Version(1) };
    IdempotencyRecord { key: key.to_owned(), fingerprint: [1; 32], response: answer }
}

// ----------------------------------------------------------------------------------------------- opening

fn open_error(dir: &Path) -> OpenError {
    let error = schema::open_writer(dir, Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    error
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let Fixture { store, clock, data } = Fixture::new();
    store.write(vec![create("a", 10), create("b", 10)]).await.into_iter().for_each(|w| drop(w.unwrap()));
    store.write(vec![delete("b", 2)]).await.into_iter().for_each(|w| drop(w.unwrap()));
    store.record_idempotent(answered("key")).await.unwrap();
    let held = store.receive(1, Duration::ZERO).await.unwrap();
    let page = store.list(None, 1).await.unwrap();
    let ids = [ProductId::parse("a").unwrap(), ProductId::parse("b").unwrap()];
    let before = store.get(&ids).await.unwrap();
    drop(store);

    let store = EmbeddedStore::open(data.path(), clock.options(Outbox::Enqueue)).unwrap();
    assert_eq!(store.get(&ids).await.unwrap(), before);
    assert_eq!(store.find_idempotent("key").await.unwrap(), Some(answered("key")));
    assert_eq!(store.list(None, 1).await.unwrap().products, page.products);
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.waiting, stats.in_flight), (2, 1));
    store.acknowledge(&[held[0].receipt.clone()]).await.unwrap();
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
    let conn = Connection::open(dir.join(schema::FILE_NAME)).unwrap();
    let layout: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(layout, 1);
    let mode: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn the_connections_sync_each_commit_to_the_disk() {
    let data = tempfile::tempdir().unwrap();
    let writer = schema::open_writer(data.path(), Duration::from_secs(1)).unwrap();
    let pragma = |name| writer.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(pragma("synchronous"), 2, "2 is FULL");
    assert_eq!(pragma("fullfsync"), 1);
    assert!(pragma("cache_size") < 0 && pragma("journal_size_limit") > 0);
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    drop(schema::open_writer(data.path(), Duration::from_secs(1)).unwrap());
    let conn = Connection::open(data.path().join(schema::FILE_NAME)).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    let error = open_error(data.path());
    assert!(matches!(error, OpenError::Newer { found: 99, known: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("newer version of Noren"), "{error}");
}

#[test]
fn a_file_of_another_program_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join(schema::FILE_NAME);
    let conn = Connection::open(&file).unwrap();
    conn.execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)").unwrap();
    drop(conn);
    let before = std::fs::read(&file).unwrap();
    assert!(matches!(open_error(data.path()), OpenError::Foreign { .. }));
    assert_eq!(std::fs::read(&file).unwrap(), before);

    std::fs::write(&file, "no database at all, but long enough to be taken for one. ".repeat(100)).unwrap();
    let before = std::fs::read(&file).unwrap();
    assert!(matches!(open_error(data.path()), OpenError::Foreign { .. }));
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_damaged_file_is_an_error_and_no_panic() {
    let data = tempfile::tempdir().unwrap();
    drop(schema::open_writer(data.path(), Duration::from_secs(1)).unwrap());
    let file = data.path().join(schema::FILE_NAME);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100..4096].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let error = open_error(data.path());
    assert!(matches!(error, OpenError::Failed { .. }), "{error:?}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
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
    std::fs::create_dir(data.path().join(schema::FILE_NAME)).unwrap();
    let error = open_error(data.path());
    assert!(matches!(error, OpenError::Unwritable { .. }), "{error:?}");
}

#[test]
fn a_file_that_stays_locked_is_an_error_after_a_while() {
    let data = tempfile::tempdir().unwrap();
    let holder = schema::open_writer(data.path(), Duration::from_secs(1)).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let since = Instant::now();
    assert!(matches!(open_error(data.path()), OpenError::Locked { .. }));
    assert!(since.elapsed() >= Duration::from_millis(50));
}

// ----------------------------------------------------------------------------------------------- copies

#[tokio::test]
async fn a_copy_is_of_one_moment_while_others_write() {
    let fixture = Fixture::new();
    for n in 0..200 {
        fixture.create(&format!("before-{n}")).await;
    }
    let store = fixture.store.clone();
    let writing = tokio::spawn(async move {
        for n in 0_u64.. {
            store.write(vec![create(&format!("during-{n}"), 10)]).await.remove(0).unwrap();
        }
    });
    let copies = TempDir::new().unwrap();
    let (from, to) = (fixture.data.path().to_owned(), copies.path().join(schema::FILE_NAME));
    let copying = tokio::task::spawn_blocking(move || copy(&from, &to).map(|()| copy(&from, &to)));
    let again = copying.await.unwrap().unwrap().unwrap_err().to_string();
    writing.abort();
    assert!(again.ends_with("output file already exists"), "{again}");
    let copied = EmbeddedStore::open(copies.path(), fixture.clock.options(Outbox::Enqueue)).unwrap();
    let products = copied.list(None, 100_000).await.unwrap().products;
    let before = products.iter().filter(|product| product.id.as_str().starts_with("before-"));
    assert_eq!(before.count(), 200);
    // What was written meanwhile is there with its change, or not at all.
    assert_eq!(copied.stats().await.unwrap().waiting, products.len() as u64);
}

#[test]
fn only_a_store_is_copied() {
    let folder = TempDir::new().unwrap();
    let to = folder.path().join("copy");
    assert!(matches!(copy(folder.path(), &to), Err(OpenError::Missing { .. })));
    let other = Connection::open(folder.path().join(schema::FILE_NAME)).unwrap();
    other.execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(copy(folder.path(), &to), Err(OpenError::Foreign { .. })));
    assert!(!to.exists());
}

// ------------------------------------------------------------------------------------------- the writer

/// Holds the write lock as another process does, until `waiting` jobs of the store wait for it.
async fn with_jobs_waiting<T>(fixture: &Fixture, waiting: usize, jobs: impl Future<Output = T>) -> T {
    let other = fixture.beside();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let release = async {
        let since = Instant::now();
        while fixture.store.0.writer.waiting() < waiting {
            assert!(since.elapsed() < Duration::from_secs(4), "the jobs do not come");
            tokio::task::yield_now().await;
        }
        other.execute_batch("COMMIT").unwrap();
    };
    let (answers, ()) = tokio::join!(jobs, release);
    answers
}

async fn write_all(store: &EmbeddedStore, ids: impl Iterator<Item = String>) -> Vec<Result<(), WriteError>> {
    let writes: Vec<_> = ids
        .map(|id| {
            let store = store.clone();
            tokio::spawn(async move { store.write(vec![create(&id, 10)]).await.remove(0).map(drop) })
        })
        .collect();
    let mut answers = Vec::new();
    for write in writes {
        answers.push(write.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn writes_that_wait_are_committed_together() {
    let fixture = Fixture::new();
    // A connection that only looks sees a number that goes up with each commit of others.
    let other = fixture.beside();
    let commits = || other.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0)).unwrap();
    let seen = std::cell::RefCell::new(HashSet::from([commits()]));
    let watch = async {
        while fixture.count("SELECT count(*) FROM products") < 64 {
            seen.borrow_mut().insert(commits());
            tokio::task::yield_now().await;
        }
    };
    let jobs = write_all(&fixture.store, (0..64).map(|i| format!("p{i}")));
    let (answers, ()) = tokio::join!(with_jobs_waiting(&fixture, 64, jobs), watch);
    assert!(answers.iter().all(Result::is_ok));
    // The first may have been on its own.
    assert!(seen.borrow().len() <= 3, "{} commits", seen.borrow().len());
}

#[tokio::test]
async fn one_bad_job_does_not_fail_the_others_of_its_group() {
    let fixture = Fixture::new();
    let bad = fixture.store.0.writer.run("doing the impossible", 0, |step: &writer::Step<'_>| {
        step.conn.execute(
            "INSERT INTO products (key, id, version, action) VALUES (1000, 'bad', 1, 'CREATE')",
            [],
        )?;
        step.conn.execute("INSERT INTO nowhere VALUES (1)", [])
    });
    let jobs = async { tokio::join!(bad, write_all(&fixture.store, (0..20).map(|i| format!("p{i}")))) };
    let (bad, good) = with_jobs_waiting(&fixture, 21, jobs).await;
    assert_eq!(bad.unwrap_err().kind, PortErrorKind::Internal);
    assert!(good.iter().all(Result::is_ok), "{good:?}");
    assert_eq!(fixture.count("SELECT count(*) FROM products"), 20);
    assert_eq!(fixture.count("SELECT count(*) FROM messages"), 20);
}

#[tokio::test]
async fn a_full_disk_is_told_apart_and_takes_nothing_away() {
    let fixture = Fixture::new();
    fixture.create("a").await;
    let limit_pages = |pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        fixture.store.0.writer.run("limiting the file", 0, move |step: &writer::Step<'_>| {
            step.conn.query_row(&sql, [], |row| row.get::<_, i64>(0))
        })
    };
    limit_pages(1).await.unwrap();
    let answers = fixture.store.write(vec![create("b", 100_000), create("c", 100_000)]).await;
    assert_eq!(answers.len(), 2);
    for answer in answers {
        assert!(matches!(answer, Err(WriteError::Failed(error)) if error.kind == PortErrorKind::Full));
    }
    assert_eq!(fixture.store.list(None, 10).await.unwrap().products.len(), 1);
    limit_pages(1_000_000).await.unwrap();
    fixture.create("b").await;
    assert_eq!(fixture.receive(10).await.len(), 2);
}

#[tokio::test]
async fn a_lock_that_stays_is_an_error_that_passes() {
    let data = tempfile::tempdir().unwrap();
    let patience = Duration::from_millis(100);
    let store = EmbeddedStore::open_with_patience(data.path(), Options::default(), patience).unwrap();
    let other = Connection::open(data.path().join(schema::FILE_NAME)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answers = write_all(&store, (0..5).map(|i| format!("p{i}"))).await;
    for answer in answers {
        assert!(matches!(answer, Err(WriteError::Failed(error)) if error.kind == PortErrorKind::Throttled));
    }
    // Reading goes on meanwhile.
    assert!(store.list(None, 10).await.unwrap().products.is_empty());
    other.execute_batch("COMMIT").unwrap();
    assert!(write_all(&store, ["p0".to_owned()].into_iter()).await[0].is_ok());
}

#[tokio::test]
async fn a_writer_that_died_is_an_error_and_no_hang() {
    let fixture = Fixture::new();
    let dying = fixture.store.0.writer.run("dying", 0, |_: &writer::Step<'_>| -> rusqlite::Result<()> {
        panic!("this test kills its writer")
    });
    assert_eq!(dying.await.unwrap_err().kind, PortErrorKind::Unavailable);
    assert_eq!(ProductStore::ready(&fixture.store).await.unwrap_err().kind, PortErrorKind::Unavailable);
    let answer = fixture.store.write(vec![create("a", 10)]).await.remove(0);
    assert!(matches!(answer, Err(WriteError::Failed(error)) if error.kind == PortErrorKind::Unavailable));
}

#[test]
fn the_log_stays_bounded_under_steady_reading() {
    let fixture = Fixture::new();
    let done = std::sync::atomic::AtomicBool::new(false);
    let log = fixture.data.path().join("noren.db-wal");
    // One of the two always reads, and none for long: SQLite alone would let the log grow as long as they do.
    let (mut one, mut two) = (fixture.beside(), fixture.beside());
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
    assert!(largest < schema::LOG_LIMIT_BYTES * 5 / 4, "the log grew to {largest} bytes");
}

#[tokio::test]
async fn a_program_that_reads_for_long_does_not_stop_writes() {
    let fixture = Fixture::new();
    let write_some = async |round: usize| {
        let writes = (0..25).map(|i| create(&format!("p{round}-{i}"), 100_000)).collect();
        fixture.store.write(writes).await.into_iter().for_each(|written| drop(written.unwrap()));
        std::fs::metadata(fixture.data.path().join("noren.db-wal")).unwrap().len()
    };
    let beside = fixture.beside();
    beside.execute_batch("BEGIN; SELECT count(*) FROM products").unwrap();
    let since = Instant::now();
    let mut log_bytes = 0;
    for round in 0..30 {
        log_bytes = write_some(round).await;
    }
    assert!(log_bytes > schema::LOG_LIMIT_BYTES, "the reader does not keep the log: {log_bytes} bytes");
    assert!(since.elapsed() < Duration::from_secs(30), "it took {:?}", since.elapsed());
    beside.execute_batch("COMMIT").unwrap();
    for round in 30..34 {
        log_bytes = write_some(round).await;
    }
    assert!(log_bytes <= schema::LOG_LIMIT_BYTES, "the log still has {log_bytes} bytes");
}

// ------------------------------------------------------------------------------------------------- time

#[tokio::test]
async fn answers_are_kept_for_24_hours_and_then_removed() {
    let fixture = Fixture::new();
    let day = Duration::from_secs(24 * 60 * 60);
    for i in 0..1000 {
        fixture.store.record_idempotent(answered(&format!("old {i}"))).await.unwrap();
    }
    fixture.clock.advance(day - Duration::from_millis(1));
    fixture.store.record_idempotent(answered("young 1")).await.unwrap();
    assert_eq!(fixture.store.find_idempotent("old 0").await.unwrap(), Some(answered("old 0")));
    assert_eq!(fixture.count("SELECT count(*) FROM answers"), 1001);
    // Each step removes a bounded number, and is done after its answer: the next answer waits for it.
    ProductStore::ready(&fixture.store).await.unwrap();
    fixture.clock.advance(Duration::from_millis(2));
    let mut left = 1000;
    for i in 2.. {
        fixture.store.record_idempotent(answered(&format!("young {i}"))).await.unwrap();
        ProductStore::ready(&fixture.store).await.unwrap();
        let now_left = fixture.count("SELECT count(*) FROM answers WHERE key LIKE 'old%'");
        assert!(left - now_left <= 300, "{} removed at once", left - now_left);
        left = now_left;
        if left == 0 {
            break;
        }
        assert!(i < 20, "{left} expired answers are left");
    }
    assert_eq!(fixture.store.find_idempotent("young 1").await.unwrap(), Some(answered("young 1")));
    fixture.store.record_idempotent(answered("old 0")).await.unwrap();
}

#[tokio::test]
async fn marks_are_found_by_their_age() {
    let fixture = Fixture::with(Outbox::Mark);
    for id in ["a", "b", "c"] {
        fixture.create(id).await;
        fixture.clock.advance(Duration::from_secs(10));
    }
    let older_than = async |seconds| {
        let unsent = fixture.store.pending(Duration::from_secs(seconds), 10).await.unwrap();
        unsent.iter().map(|unsent| unsent.envelope.change.id().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(older_than(0).await, ["a", "b", "c"]);
    assert_eq!(older_than(15).await, ["a", "b"]);
    assert_eq!(older_than(25).await, ["a"]);
    assert!(older_than(31).await.is_empty());
    assert_eq!(fixture.count("SELECT count(*) FROM messages"), 0);
}

#[tokio::test]
async fn a_message_whose_receivers_crash_becomes_a_dead_letter() {
    let fixture = Fixture::new();
    fixture.create("poison").await;
    fixture.clock.advance(Duration::from_millis(1));
    for receives in 1..=MAX_RECEIVES {
        let deliveries = fixture.receive(10).await;
        assert_eq!(deliveries.len(), 1);
        assert_eq!(deliveries[0].receives, receives);
        fixture.clock.advance(VISIBILITY - Duration::from_millis(1));
        assert!(fixture.receive(10).await.is_empty(), "it is held");
        fixture.clock.advance(Duration::from_millis(1));
    }
    fixture.create("good").await;
    // The poison is in front, and the receive asks for one only.
    let deliveries = fixture.receive(1).await;
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].envelope.as_ref().unwrap().change.id().as_str(), "good");
    let dead = fixture.dead_letters(10).await;
    assert_eq!(dead.len(), 1);
    assert_eq!(
        (dead[0].id.as_ref().unwrap().as_str(), dead[0].version, dead[0].receives),
        ("poison", Some(Version(1)), MAX_RECEIVES)
    );
    assert!(dead[0].reason.as_ref().unwrap().contains("crashed"), "{dead:?}");
    assert_eq!(dead[0].dead_lettered_at.unwrap().as_millisecond(), fixture.store.now());
    assert_eq!(fixture.store.stats().await.unwrap().dead, 1);
}

#[tokio::test]
async fn a_release_takes_the_receive_back() {
    let fixture = Fixture::new();
    fixture.create("a").await;
    let deliveries = fixture.receive(1).await;
    fixture.store.release(&[deliveries[0].release_request()]).await.unwrap();
    assert_eq!(fixture.receive(1).await[0].receives, 1);
    // The first receipt is out of date.
    fixture.store.release(&[deliveries[0].release_request()]).await.unwrap();
    assert_eq!(fixture.store.stats().await.unwrap().in_flight, 1);
}

#[tokio::test]
async fn a_dead_letter_keeps_its_reason() {
    let fixture = Fixture::new();
    fixture.create("a").await;
    let reason = format!("the index refused it: {}", "名".repeat(5_000));
    for _ in 0..MAX_RECEIVES {
        let given = fixture.receive(1).await[0].retry_request(&*reason, Duration::from_secs(3));
        fixture.store.retry_later(&[given]).await.unwrap();
        assert!(fixture.receive(1).await.is_empty());
        fixture.clock.advance(Duration::from_secs(3));
    }
    let dead = fixture.dead_letters(10).await;
    let kept = dead[0].reason.as_ref().unwrap();
    assert!(kept.starts_with("the index refused it: 名") && kept.len() < 7_000);
    assert!(fixture.dead_letters(0).await.is_empty());
}

#[tokio::test]
async fn the_oldest_message_tells_how_far_behind_the_receivers_are() {
    let fixture = Fixture::new();
    fixture.create("a").await;
    fixture.clock.advance(Duration::from_secs(7));
    fixture.create("b").await;
    fixture.clock.advance(Duration::from_secs(2));
    assert_eq!(fixture.store.stats().await.unwrap().oldest_age, Some(Duration::from_secs(9)));
    let first = fixture.receive(1).await;
    assert_eq!(fixture.store.stats().await.unwrap().oldest_age, Some(Duration::from_secs(9)));
    fixture.store.acknowledge(&[first[0].receipt.clone()]).await.unwrap();
    assert_eq!(fixture.store.stats().await.unwrap().oldest_age, Some(Duration::from_secs(2)));
}

// --------------------------------------------------------------------------------------------- messages

#[tokio::test]
async fn a_message_tells_what_the_store_holds_when_it_is_received() {
    let fixture = Fixture::new();
    let changes = async || -> Vec<(String, Action, u64)> {
        let deliveries = fixture.receive(10).await;
        let receipts: Vec<_> = deliveries.iter().map(|delivery| delivery.receipt.clone()).collect();
        fixture.store.acknowledge(&receipts).await.unwrap();
        let change = |delivery: domain::ports::Delivery| delivery.envelope.unwrap().change;
        let told = |change: Change| (change.id().to_string(), change.action(), change.version().0);
        deliveries.into_iter().map(change).map(told).collect()
    };
    let make = async |change| drop(fixture.store.write(vec![write(change)]).await.remove(0).unwrap());
    make(Change::Create(product("a", 1, 10))).await;
    assert_eq!(changes().await, [("a".to_owned(), Action::Create, 1)]);
    make(Change::Update(product("a", 2, 10))).await;
    make(Change::Update(product("a", 3, 10))).await;
    assert_eq!(changes().await, vec![("a".to_owned(), Action::Update, 3); 2]);
    fixture.store.write(vec![delete("a", 4)]).await.remove(0).unwrap();
    assert_eq!(changes().await, [("a".to_owned(), Action::Delete, 4)]);
    make(Change::Create(product("a", 5, 10))).await;
    assert_eq!(changes().await, [("a".to_owned(), Action::Create, 5)]);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_delivered_with_the_reason() {
    let fixture = Fixture::new();
    let sql = "INSERT INTO messages (visible_at, sent_at, id, version, body) VALUES (0, 0, ?1, 1, ?2)";
    let beside = fixture.beside();
    beside.execute(sql, rusqlite::params!["text", "no json"]).unwrap();
    beside.execute(sql, rusqlite::params!["bytes", [0xff_u8, 0xfe]]).unwrap();
    beside.execute(sql, rusqlite::params!["nothing", rusqlite::types::Null]).unwrap();
    fixture.create("good").await;
    fixture.create("damaged").await;
    beside.execute("UPDATE products SET json = '{' WHERE id = 'damaged'", []).unwrap();

    let deliveries = fixture.receive(10).await;
    let outcomes: Vec<_> = deliveries.iter().map(|delivery| delivery.envelope.is_ok()).collect();
    assert_eq!(outcomes, [false, false, false, true, false]);
    assert!(deliveries[2].envelope.as_ref().unwrap_err().contains("nothing"));
    for _ in 1..MAX_RECEIVES {
        fixture.clock.advance(VISIBILITY);
        assert_eq!(fixture.receive(10).await.len(), 5);
    }
    fixture.clock.advance(VISIBILITY);
    assert!(fixture.receive(10).await.is_empty());
    let dead: Vec<_> =
        fixture.dead_letters(10).await.into_iter().map(|d| d.id.unwrap().to_string()).collect();
    assert_eq!(dead, ["damaged", "good", "nothing", "bytes", "text"]);
}

#[tokio::test]
async fn a_receive_of_large_products_ends_early() {
    let fixture = Fixture::new();
    let writes = (0..120).map(|i| create(&format!("p{i}"), 190_000)).collect();
    fixture.store.write(writes).await.into_iter().for_each(|written| drop(written.unwrap()));
    let (first, second) = (fixture.receive(1000).await, fixture.receive(1000).await);
    assert!(first.len() < 120 && !second.is_empty(), "{} and {}", first.len(), second.len());
    assert_eq!(first.len() + second.len(), 120);
    let page = fixture.store.list(None, 120).await.unwrap();
    assert!(page.products.len() < 120);
    let rest = fixture.store.list(page.next.as_deref(), 120).await.unwrap();
    assert_eq!((page.products.len() + rest.products.len(), rest.next), (120, None));
}

#[tokio::test]
async fn a_receive_finds_its_messages_by_an_index() {
    let fixture = Fixture::new();
    let plan = |sql: &str| -> String {
        let conn = fixture.beside();
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    for sql in [queue::VISIBLE, marks::UNSENT, products::PAGE, products::SCAN, products::VERSIONS] {
        let plan = plan(&sql.replace("?1", "1").replace("?2", "2"));
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}
