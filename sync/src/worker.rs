//! The worker: receives, applies, acknowledges, for as long as the process runs.

use std::sync::Arc;
use std::time::Duration;

use domain::Change;
use domain::ports::{Applied, ChangeQueue, IndexWriter, PortError};
use runtime::{Part, QueueDepth, QueueProbe};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::batch::Batch;

/// How long one receive waits for a message.
const RECEIVE_WAIT: Duration = Duration::from_secs(2);
/// The longest pause between two attempts while a part is away.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// How much is worked on at a time.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The most messages that are applied together.
    pub max_batch: usize,
    /// The shortest time from one commit to the next, unless a whole batch is waiting.
    pub commit_interval: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self { max_batch: 5000, commit_interval: Duration::from_millis(200) }
    }
}

/// Brings the index to the changes in the queue.
#[derive(Clone)]
pub struct Worker {
    queue: Arc<dyn ChangeQueue>,
    index: Arc<dyn IndexWriter>,
    options: WorkerOptions,
}

impl Worker {
    /// A worker between a queue and an index.
    pub fn new(queue: Arc<dyn ChangeQueue>, index: Arc<dyn IndexWriter>, options: WorkerOptions) -> Self {
        Self { queue, index, options }
    }

    /// Works until `stop` is cancelled. The batch that is being applied then is finished; what was received behind it, or
    /// cannot be applied because the index is away, comes again after its visibility time-out.
    pub async fn run(&self, stop: CancellationToken) {
        let mut next = Batch::default();
        while !stop.is_cancelled() {
            let begun = Instant::now();
            // While one batch is applied the next one is fetched, so that neither side waits for the other.
            let receive = stop.run_until_cancelled(self.receive(begun));
            let (received, ()) = tokio::join!(receive, self.work(next, &stop));
            next = received.unwrap_or_default();
        }
    }

    /// The next batch. It waits for the commit interval first, so that changes gather, unless many wait already.
    async fn receive(&self, last_commit: Instant) -> Batch {
        let mut backoff = Backoff::default();
        loop {
            match self.queue.receive(self.options.max_batch, RECEIVE_WAIT).await {
                Ok(deliveries) if deliveries.is_empty() => return Batch::default(),
                Ok(mut deliveries) => {
                    let rest = self.options.max_batch - deliveries.len();
                    let pause = self.options.commit_interval.saturating_sub(last_commit.elapsed());
                    if rest > 0 && !pause.is_zero() {
                        tokio::time::sleep(pause).await;
                        // What fails now comes again with the next receive.
                        deliveries.extend(self.queue.receive(rest, Duration::ZERO).await.unwrap_or_default());
                    }
                    return Batch::new(deliveries);
                }
                Err(error) => {
                    tracing::warn!(error = error.chain(), "cannot receive from the queue; trying again");
                    backoff.pause().await;
                }
            }
        }
    }

    /// Applies a batch and tells the queue, however long that takes: while the index is away the messages are kept
    /// hidden, so that waiting does not count as failing.
    async fn work(&self, batch: Batch, stop: &CancellationToken) {
        if batch.is_empty() {
            return;
        }
        let receipts = batch.receipts().to_vec();
        let hold = async {
            loop {
                tokio::time::sleep(self.queue.visibility_timeout() / 3).await;
                if let Err(error) = self.queue.extend(&receipts).await {
                    tracing::warn!(error = error.chain(), "cannot keep messages hidden; they may come twice");
                }
            }
        };
        let begun = Instant::now();
        let applied = tokio::select! {
            // In this order, so that a run can be repeated exactly.
            biased;
            applied = self.apply(&batch, stop) => applied,
            () = hold => unreachable!("holding messages never ends by itself"),
        };
        let Some(applied) = applied else { return };
        let count = batch.len();
        metrics::counter!("noren_sync_messages_total").increment(count as u64);
        metrics::histogram!("noren_sync_batch_seconds").record(begun.elapsed().as_secs_f64());
        let (acknowledged, given_back) = batch.settle(applied);
        // An acknowledgement that is lost only brings the message again, and the index knows it is stale.
        if let Err(error) = self.queue.acknowledge(&acknowledged).await {
            tracing::warn!(error = error.chain(), "cannot acknowledge messages; they will come again");
        }
        if !given_back.is_empty()
            && let Err(error) = self.queue.give_back(&given_back).await
        {
            tracing::warn!(error = error.chain(), "cannot give messages back; they will come again");
        }
        tracing::debug!(messages = count, took_ms = begun.elapsed().as_millis() as u64, "applied a batch");
    }

    /// Applies until the index takes it; none when `stop` came first. One change that makes the index fail must not stop
    /// the others for ever: after a failure that trying again does not mend, each change is applied alone and the guilty
    /// one refused.
    async fn apply(&self, batch: &Batch, stop: &CancellationToken) -> Option<Vec<Applied>> {
        match self.try_apply(&batch.changes, stop).await? {
            Ok(applied) => return Some(applied),
            Err(error) => {
                tracing::error!(error = error.chain(), "the index failed; applying each change alone")
            }
        }
        let mut applied = Vec::with_capacity(batch.changes.len());
        for change in &batch.changes {
            let one = self.try_apply(std::slice::from_ref(change), stop).await?;
            let refused = |reason| vec![Applied::Refused(reason)];
            applied.extend(one.unwrap_or_else(|error| refused(error.chain())));
        }
        Some(applied)
    }

    /// Applies until the index answers, or fails in a way that trying again does not mend; none when `stop` came first.
    async fn try_apply(
        &self,
        changes: &[Change],
        stop: &CancellationToken,
    ) -> Option<Result<Vec<Applied>, PortError>> {
        let mut backoff = Backoff::default();
        loop {
            match self.index.apply(changes).await {
                Err(error) if error.is_transient() => {
                    tracing::warn!(error = error.chain(), "the index is away; trying again");
                    stop.run_until_cancelled(backoff.pause()).await?;
                }
                answered => return Some(answered),
            }
        }
    }

    /// Whether nothing waits and nothing is under way.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn is_idle(&self) -> Result<bool, PortError> {
        let stats = self.queue.stats().await?;
        Ok(stats.waiting == 0 && stats.in_flight == 0)
    }

    /// The parts that the worker cannot do without.
    pub fn parts(&self) -> Vec<Part> {
        let (queue, index) = (self.queue.clone(), self.index.clone());
        vec![
            Part::new("queue", move || {
                let queue = queue.clone();
                async move { queue.ready().await.map_err(|error| error.chain()) }
            }),
            Part::new("index", move || {
                let index = index.clone();
                async move { index.ready().await.map_err(|error| error.chain()) }
            }),
        ]
    }

    /// How much waits to be indexed.
    pub fn queue_probe(&self) -> QueueProbe {
        let queue = self.queue.clone();
        QueueProbe::new(move || {
            let queue = queue.clone();
            async move {
                let stats = queue.stats().await.ok()?;
                let oldest_age = stats.oldest_age.unwrap_or_default();
                Some(QueueDepth {
                    waiting: stats.waiting,
                    in_flight: stats.in_flight,
                    dead: stats.dead,
                    oldest_age,
                })
            }
        })
    }
}

/// Pauses that double, each cut by chance, so that many workers do not come back in step.
#[derive(Default)]
pub(crate) struct Backoff(u32);

impl Backoff {
    pub(crate) async fn pause(&mut self) {
        let longest = Duration::from_millis(100 << self.0.min(6)).min(MAX_BACKOFF);
        self.0 += 1;
        tokio::time::sleep(longest.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
    }
}
