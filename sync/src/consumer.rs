//! The consumer: receives changes, applies them to the index, acknowledges them.

use std::sync::Arc;
use std::time::Duration;

use api::probes;
use domain::Change;
use domain::ports::{Applied, ChangeQueue, Delivery, IndexWriter, PortError};
use futures::{StreamExt as _, stream};
use observed_ports::ObservedWriter;
use runtime::{Part, QueueProbe, retry};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::batch::{Batch, Settlement};
use crate::metrics::{describe_consumer, record_batch, record_freshness};
use crate::processing::Processing;
use crate::rebuild_state::RebuildState;

/// The time that one receive waits for a message.
const RECEIVE_WAIT: Duration = Duration::from_secs(2);
/// The interval at which a receive that continues after the stop checks whether the queue is empty.
const EMPTY_CHECK: Duration = Duration::from_millis(100);
/// The number of batches that are processed concurrently.
const CONCURRENT_BATCHES: u32 = 2;
/// The longest pause between two attempts while a back end is unavailable.
pub(crate) const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Options of a consumer.
#[derive(Debug, Clone)]
pub struct ConsumerOptions {
    /// The most messages of one batch.
    pub max_batch: usize,
    /// The shortest time between two commits, unless a whole batch is waiting.
    pub commit_interval: Duration,
}

impl Default for ConsumerOptions {
    fn default() -> Self {
        Self { max_batch: 20_000, commit_interval: Duration::from_millis(200) }
    }
}

/// Applies the changes in the queue to the index.
#[derive(Clone)]
pub struct Consumer {
    queue: Arc<dyn ChangeQueue>,
    index: Arc<dyn IndexWriter>,
    options: ConsumerOptions,
}

impl Consumer {
    /// Creates a consumer between a queue and an index.
    pub fn new(queue: Arc<dyn ChangeQueue>, index: Arc<dyn IndexWriter>, options: ConsumerOptions) -> Self {
        describe_consumer();
        Self { queue, index: ObservedWriter::around(index), options }
    }

    /// Consumes until `stop` is cancelled.
    ///
    /// On cancellation, finishes the batches in progress, or [releases](ChangeQueue::release) their messages if the index is
    /// unavailable. Also releases messages that were received after them.
    pub async fn run(&self, stop: CancellationToken) {
        // A batch is received and prepared while the one before is committed, so that no part waits for another. The index ignores
        // a version that is older than its own, so the order of two batches does not matter.
        let (turns, stop) = (&Semaphore::new(CONCURRENT_BATCHES as usize), &stop);
        let batches = stream::unfold(Instant::now(), |last_begun| self.next_batch(last_begun, turns, stop));
        let process = |(batch, turn)| async move {
            self.process(batch, stop).await;
            drop(turn);
        };
        batches.for_each_concurrent(CONCURRENT_BATCHES as usize, process).await;
    }

    /// Waits for a turn and receives the next batch. Returns the batch, its turn, and the time at which it begins; `None` after `stop`.
    async fn next_batch<'a>(
        &self,
        last_begun: Instant,
        turns: &'a Semaphore,
        stop: &CancellationToken,
    ) -> Option<((Batch, SemaphorePermit<'a>), Instant)> {
        let mut turn = turns.acquire().await.ok()?;
        if stop.is_cancelled() {
            return None;
        }
        let mut batch = self.receive(last_begun, stop).await;
        if batch.is_suspect() {
            // It takes all turns: this process may end over this batch, or over another one that is in progress.
            let others = CONCURRENT_BATCHES - 1;
            match turns.try_acquire_many(others) {
                Ok(turns) => turn.merge(turns),
                Err(_) => {
                    self.release(batch).await;
                    turn.merge(turns.acquire_many(others).await.ok()?);
                    batch = self.receive(last_begun, stop).await;
                }
            }
        }
        Some(((batch, turn), Instant::now()))
    }

    /// Receives the next batch. If the first messages do not fill it, waits until the commit interval has passed since
    /// `last_begun`, so that changes accumulate, and receives the rest. After `stop` returns the messages received so far.
    async fn receive(&self, last_begun: Instant, stop: &CancellationToken) -> Batch {
        let is_retried = |error: &PortError| {
            tracing::warn!(error = error.chain(), "cannot receive from the queue; retrying");
            true
        };
        let received = retry(MAX_BACKOFF, stop, || self.receive_first(stop), is_retried).await;
        let Some(Ok(mut deliveries)) = received else { return Batch::default() };
        if deliveries.is_empty() {
            return Batch::default();
        }
        if deliveries.iter().any(Delivery::is_suspect) {
            return Batch::new(deliveries);
        }
        let rest = self.options.max_batch - deliveries.len();
        let pause = self.options.commit_interval.saturating_sub(last_begun.elapsed());
        if rest > 0 && !pause.is_zero() && stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some()
        {
            // An error here is ignored: the next receive gets the messages.
            let more = self.queue.receive(rest, Duration::ZERO).await.unwrap_or_default();
            match more.iter().any(Delivery::is_suspect) {
                true => self.release(Batch::new(more)).await,
                false => deliveries.extend(more),
            }
        }
        Batch::new(deliveries)
    }

    /// Waits for messages, for at most [`RECEIVE_WAIT`]. After `stop` it gives up only if the queue is empty: messages of a receive that
    /// is given up would stay hidden, as if the process had crashed over them.
    async fn receive_first(&self, stop: &CancellationToken) -> Result<Vec<Delivery>, PortError> {
        let is_useless = async {
            stop.cancelled().await;
            while !matches!(self.queue.is_empty().await, Ok(true)) {
                tokio::time::sleep(EMPTY_CHECK).await;
            }
        };
        let receive = self.queue.receive(self.options.max_batch, RECEIVE_WAIT);
        tokio::select! {
            // In this order, so that a simulation is deterministic.
            biased;
            received = receive => received,
            () = is_useless => Ok(Vec::new()),
        }
    }

    /// Releases unprocessed messages.
    async fn release(&self, batch: Batch) {
        let count = batch.len();
        match self.queue.release(&batch.release()).await {
            Ok(()) => tracing::info!(messages = count, "released messages that were not processed"),
            Err(error) => {
                tracing::warn!(
                    error = error.chain(),
                    "cannot release messages; they become visible after their visibility timeout"
                );
            }
        }
    }

    /// Applies a batch and settles its messages; after `stop`, releases them. Extends their visibility until then, so that waiting
    /// for an unavailable index does not count as a failed receive.
    async fn process(&self, batch: Batch, stop: &CancellationToken) {
        if batch.is_empty() {
            return;
        }
        if stop.is_cancelled() {
            return self.release(batch).await;
        }
        let receipts = batch.receipts().to_vec();
        let extend = async {
            loop {
                tokio::time::sleep(self.queue.visibility_timeout() / 3).await;
                if let Err(error) = self.queue.extend(&receipts).await {
                    tracing::warn!(
                        error = error.chain(),
                        "cannot extend the visibility of messages; they may be delivered twice"
                    );
                }
            }
        };
        let begun = Instant::now();
        let processing = Processing::of(&batch, self.queue.back_end());
        let applied = tokio::select! {
            // In this order, so that a simulation is deterministic.
            biased;
            applied = self.apply(&batch, stop).instrument(processing.span().clone()) => applied,
            () = extend => unreachable!("the extension of visibility has no end"),
        };
        let Some(applied) = applied else { return self.release(batch).await };
        record_freshness(&batch.changes, &applied);
        let messages = batch.len();
        record_batch(messages, begun.elapsed());
        let settlement = batch.settle(applied);
        processing.end(&settlement);
        self.settle(settlement).await;
        tracing::debug!(messages, took_ms = begun.elapsed().as_millis() as u64, "applied a batch");
    }

    /// Acknowledges messages and schedules the others for a retry. Failures are harmless: the messages are delivered again,
    /// and the index ignores versions that it has.
    async fn settle(&self, Settlement { acknowledged, retried }: Settlement) {
        if let Err(error) = self.queue.acknowledge(&acknowledged).await {
            tracing::warn!(
                error = error.chain(),
                "cannot acknowledge messages; they will be delivered again"
            );
        }
        if !retried.is_empty()
            && let Err(error) = self.queue.retry_later(&retried).await
        {
            tracing::warn!(
                error = error.chain(),
                "cannot schedule retries of messages; they will be delivered again"
            );
        }
    }

    /// Applies a batch, waiting while the index is unavailable. `None` if `stop` was cancelled first.
    ///
    /// If the index fails with a permanent error, applies each change alone, so that the change that causes the error does
    /// not block the others.
    async fn apply(&self, batch: &Batch, stop: &CancellationToken) -> Option<Vec<Applied>> {
        match self.apply_when_available(&batch.changes, stop).await? {
            Ok(applied) => return Some(applied),
            Err(error) => {
                tracing::error!(error = error.chain(), "the index failed; applying each change alone");
            }
        }
        let mut applied = Vec::with_capacity(batch.changes.len());
        for change in &batch.changes {
            let one = self.apply_when_available(std::slice::from_ref(change), stop).await?;
            applied.extend(one.unwrap_or_else(|error| vec![Applied::Refused(error.chain())]));
        }
        Some(applied)
    }

    /// Applies changes, retrying transient errors. `None` if `stop` was cancelled first.
    async fn apply_when_available(
        &self,
        changes: &[Change],
        stop: &CancellationToken,
    ) -> Option<Result<Vec<Applied>, PortError>> {
        let is_retried = |error: &PortError| {
            if error.is_transient() {
                tracing::warn!(error = error.chain(), "the index is unavailable; retrying");
            }
            error.is_transient()
        };
        retry(MAX_BACKOFF, stop, || self.index.apply(changes), is_retried).await
    }

    /// Returns true if the queue holds no message, neither waiting nor in flight.
    ///
    /// # Errors
    /// When the queue does not respond.
    pub async fn is_idle(&self) -> Result<bool, PortError> {
        self.queue.is_empty().await
    }

    /// Returns the parts that must be ready: the queue, and the index with the progress of its rebuild.
    pub fn parts(&self, rebuild: &RebuildState) -> Vec<Part> {
        let rebuild = rebuild.clone();
        vec![
            probes::part("queue", &self.queue, |queue| async move { queue.ready().await }),
            probes::part("index", &self.index, |index| async move { index.ready().await })
                .with_note(move || rebuild.note()),
        ]
    }

    /// Returns a probe of the depth of the queue.
    pub fn queue_probe(&self) -> QueueProbe {
        probes::queue_probe(self.queue.clone(), None)
    }
}
