//! The consumer: its stop while the index is slow or unavailable, and messages over which processes may have ended.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::ports::{Applied, ChangeQueue, Envelope, IndexWriter, PortError, PortErrorKind};
use domain::{Change, ProductId, Tombstone, Version};
use embedded_store::{EmbeddedStore, Options};
use sync::{Consumer, ConsumerOptions};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{PATIENCE, later_clock, wait_until};

/// Longer than any test, so only released messages become visible again.
const VISIBILITY: Duration = Duration::from_secs(600);

/// An index that applies a batch when it gets a permit, or is unavailable.
struct Index {
    is_away: AtomicBool,
    calls: AtomicUsize,
    /// The number of changes in each batch that was applied.
    batches: Mutex<Vec<usize>>,
    turns: Semaphore,
}

impl Index {
    fn new(is_away: bool) -> Arc<Self> {
        Arc::new(Self {
            is_away: AtomicBool::new(is_away),
            calls: AtomicUsize::new(0),
            batches: Mutex::default(),
            turns: Semaphore::new(0),
        })
    }
}

#[async_trait]
impl IndexWriter for Index {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.is_away.load(Ordering::SeqCst) {
            return Err(PortError::bare(PortErrorKind::Unavailable, "the index is away"));
        }
        self.turns.acquire().await.unwrap().forget();
        self.batches.lock().unwrap().push(changes.len());
        Ok(vec![Applied::Done; changes.len()])
    }

    fn back_end(&self) -> &'static str {
        "test"
    }

    async fn ready(&self) -> Result<(), PortError> {
        Ok(())
    }
}

struct Fixture {
    queue: Arc<EmbeddedStore>,
    index: Arc<Index>,
    stop: CancellationToken,
    work: JoinHandle<()>,
    _data: tempfile::TempDir,
}

impl Fixture {
    fn start(is_away: bool) -> Self {
        let data = tempfile::tempdir().unwrap();
        let options = Options { visibility_timeout: VISIBILITY, ..Options::default() };
        let queue = Arc::new(EmbeddedStore::open(data.path(), options).unwrap());
        let index = Index::new(is_away);
        let options = ConsumerOptions { commit_interval: Duration::ZERO, ..ConsumerOptions::default() };
        let worker = Consumer::new(queue.clone(), index.clone(), options);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let work = tokio::spawn(async move { worker.run(stopped).await });
        Self { queue, index, stop, work, _data: data }
    }

    async fn send(&self, id: &str) {
        send(&self.queue, id).await;
    }

    /// Waits until the worker has ended and returns the ids in the queue, each of which must be on its first receive.
    async fn left_after_the_end(self) -> Vec<String> {
        let begun = Instant::now();
        self.work.await.unwrap();
        assert!(begun.elapsed() < PATIENCE, "it ended after {:?}", begun.elapsed());
        let left = self.queue.receive(10, PATIENCE).await.unwrap();
        assert!(left.iter().all(|delivery| delivery.receives == 1), "{left:?}");
        left.into_iter().map(|delivery| delivery.envelope.unwrap().change.id().to_string()).collect()
    }
}

async fn send(queue: &EmbeddedStore, id: &str) {
    let id = ProductId::parse(id).unwrap();
    let change = Change::Delete(Tombstone { id, version: Version(1), deleted_at: domain::now() });
    queue.send(vec![Envelope { change, traceparent: None }]).await.remove(0).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_abandoned_four_times_is_applied_alone() {
    let (clock, seconds_later) = later_clock();
    let options = Options { visibility_timeout: VISIBILITY, clock, ..Options::default() };
    let data = tempfile::tempdir().unwrap();
    let queue = Arc::new(EmbeddedStore::open(data.path(), options).unwrap());
    send(&queue, "suspect").await;
    for _ in 0..4 {
        seconds_later.fetch_add(601, Ordering::SeqCst);
        assert_eq!(queue.receive(10, Duration::ZERO).await.unwrap().len(), 1);
    }
    // These are visible before it, and a batch has room for all.
    for number in 0..5 {
        send(&queue, &format!("other-{number}")).await;
    }
    seconds_later.fetch_add(601, Ordering::SeqCst);

    let index = Index::new(false);
    index.turns.add_permits(10);
    let consumer = Consumer::new(queue.clone(), index.clone(), ConsumerOptions::default());
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let work = tokio::spawn(async move { consumer.run(stopped).await });
    wait_until("all are applied", async || queue.is_empty().await.unwrap()).await;
    stop.cancel();
    work.await.unwrap();
    assert_eq!(*index.batches.lock().unwrap(), [5, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_the_batches_in_hand_and_leaves_the_rest() {
    let fixture = Fixture::start(false);
    for (calls, id) in [(1, "first"), (2, "second")] {
        fixture.send(id).await;
        let calls_of_index = || fixture.index.calls.load(Ordering::SeqCst);
        wait_until("the batch is in hand", async || calls_of_index() == calls).await;
    }
    fixture.send("third").await;
    fixture.stop.cancel();
    fixture.index.turns.add_permits(2);
    assert_eq!(fixture.left_after_the_end().await, ["third"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_releases_what_an_absent_index_cannot_take() {
    let fixture = Fixture::start(true);
    fixture.send("only").await;
    wait_until("it was tried", async || fixture.index.calls.load(Ordering::SeqCst) >= 2).await;
    fixture.stop.cancel();
    assert_eq!(fixture.left_after_the_end().await, ["only"]);
}
