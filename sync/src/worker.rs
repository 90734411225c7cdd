//! The worker: receives, applies, acknowledges, for as long as the process runs.

use std::sync::Arc;
use std::time::Duration;

use domain::Change;
use domain::ports::{Applied, ChangeQueue, Delivery, IndexWriter, PortError, QueueStats};
use runtime::{Backoff, Part, QueueDepth, QueueProbe};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::batch::Batch;

/// How long one receive waits for a message.
const RECEIVE_WAIT: Duration = Duration::from_secs(2);
/// How long a receive may go on after the stop: enough for one transaction of a queue on this machine.
const LAST_RECEIVE: Duration = Duration::from_millis(20);
/// The longest pause between two attempts while a part is away.
pub(crate) const MAX_BACKOFF: Duration = Duration::from_secs(5);

const MESSAGES: &str = "noren_sync_messages_total";
const BATCH_SECONDS: &str = "noren_sync_batch_seconds";
const LAG: &str = "noren_sync_lag_seconds";
const FRESHNESS: &str = "noren_sync_freshness_seconds";

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
        describe_metrics();
        Self { queue, index, options }
    }

    /// Works until `stop` is cancelled. The batch that is being applied then is finished; what was received behind it, or
    /// cannot be applied because the index is away, is released, so that it comes again at once and no nearer to the dead
    /// letters.
    pub async fn run(&self, stop: CancellationToken) {
        let mut next = Batch::default();
        while !stop.is_cancelled() {
            let begun = Instant::now();
            // While one batch is applied the next one is fetched, so that neither side waits for the other.
            let (received, ()) = tokio::join!(self.receive(begun, &stop), self.work(next, &stop));
            next = received;
        }
        self.release(next).await;
    }

    /// The next batch. It waits for the commit interval first, so that changes gather, unless many wait already. After
    /// `stop` it answers with what it has.
    async fn receive(&self, last_commit: Instant, stop: &CancellationToken) -> Batch {
        let mut backoff = Backoff::up_to(MAX_BACKOFF);
        loop {
            match self.receive_first(stop).await {
                Ok(deliveries) if deliveries.is_empty() => return Batch::default(),
                Ok(mut deliveries) => {
                    let rest = self.options.max_batch - deliveries.len();
                    let pause = self.options.commit_interval.saturating_sub(last_commit.elapsed());
                    if rest > 0
                        && !pause.is_zero()
                        && stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some()
                    {
                        // What fails now comes again with the next receive.
                        deliveries.extend(self.queue.receive(rest, Duration::ZERO).await.unwrap_or_default());
                    }
                    return Batch::new(deliveries);
                }
                Err(error) => {
                    tracing::warn!(error = error.chain(), "cannot receive from the queue; trying again");
                    if stop.run_until_cancelled(backoff.pause()).await.is_none() {
                        return Batch::default();
                    }
                }
            }
        }
    }

    /// Waits for messages, after `stop` no longer than for a receive that is about to end: it may have them in hand.
    async fn receive_first(&self, stop: &CancellationToken) -> Result<Vec<Delivery>, PortError> {
        let mut receive = self.queue.receive(self.options.max_batch, RECEIVE_WAIT);
        tokio::select! {
            // In this order, so that a run can be repeated exactly.
            biased;
            received = &mut receive => received,
            () = stop.cancelled() => {
                tokio::time::timeout(LAST_RECEIVE, receive).await.unwrap_or_else(|_| Ok(Vec::new()))
            }
        }
    }

    /// Returns messages that nobody has worked on.
    async fn release(&self, batch: Batch) {
        if batch.is_empty() {
            return;
        }
        let count = batch.len();
        match self.queue.release(&batch.release()).await {
            Ok(()) => tracing::info!(messages = count, "stopping; released what was received"),
            Err(error) => {
                tracing::warn!(
                    error = error.chain(),
                    "cannot release messages; they come again when their time is over"
                );
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
        let Some(applied) = applied else { return self.release(batch).await };
        let count = batch.len();
        record_freshness(&batch.changes, &applied);
        metrics::counter!(MESSAGES).increment(count as u64);
        metrics::histogram!(BATCH_SECONDS).record(begun.elapsed().as_secs_f64());
        let (acknowledged, given_back) = batch.settle(applied);
        // An acknowledgement that is lost only brings the message again, and the index knows it is stale.
        if let Err(error) = self.queue.acknowledge(&acknowledged).await {
            tracing::warn!(error = error.chain(), "cannot acknowledge messages; they will come again");
        }
        if !given_back.is_empty()
            && let Err(error) = self.queue.retry_later(&given_back).await
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
        let mut backoff = Backoff::up_to(MAX_BACKOFF);
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
                let QueueStats { waiting, in_flight, dead, oldest_age } = queue.stats().await.ok()?;
                Some(QueueDepth {
                    queue: queue.back_end(),
                    waiting,
                    in_flight,
                    dead,
                    oldest_age,
                    outbox: None,
                })
            }
        })
    }
}

fn describe_metrics() {
    metrics::describe_counter!(MESSAGES, "Messages whose changes the index took or refused");
    metrics::describe_histogram!(BATCH_SECONDS, metrics::Unit::Seconds, "From a batch in hand to its end");
    metrics::describe_gauge!(
        LAG,
        metrics::Unit::Seconds,
        "From a write to being found, of the oldest change in the last batch"
    );
    metrics::describe_histogram!(
        FRESHNESS,
        metrics::Unit::Seconds,
        "From a write to being found, of each change"
    );
}

/// How long changes were on their way that are found from now on. What the index had already says nothing about that.
fn record_freshness(changes: &[Change], applied: &[Applied]) {
    let now = domain::now();
    let found = changes.iter().zip(applied).filter(|(_, applied)| **applied == Applied::Done);
    let ages = found.map(|(change, _)| now.duration_since(change.at()).as_secs_f64().max(0.0));
    let freshness = metrics::histogram!(FRESHNESS);
    let oldest = ages.inspect(|age| freshness.record(*age)).reduce(f64::max);
    if let Some(oldest) = oldest {
        metrics::gauge!(LAG).set(oldest);
    }
}
