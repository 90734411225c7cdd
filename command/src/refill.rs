//! The refill of a queue that was lost and created again: every record of the store is enqueued once more.
//!
//! A queue on a server that keeps it in memory loses the changes that were enqueued and not yet applied. They are in the
//! store, and no longer in the outbox. Enqueuing all records brings them to the index; it ignores versions that it has.
//! Reads and writes continue meanwhile: a write enqueues its change itself.

use std::time::Duration;

use domain::ports::{Envelope, ListError, PortError, PortErrorKind, REFILL_LEASE, RecordPage, RefillId};
use domain::{Change, Record};
use runtime::Retries;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Catalogue;

/// The interval at which the queue is asked whether it needs a refill.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Records that are read and enqueued at a time.
const PAGE: usize = 200;
/// The longest pause before a failed read or send is retried; shorter than the lease, so that the claim can be renewed.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// The age at which a claim is renewed.
const RENEWAL: Duration = Duration::from_secs(10);
const _: () = assert!(RENEWAL.as_secs() + MAX_PAUSE.as_secs() < REFILL_LEASE.as_secs());

const RECORDS: &str = "noren_queue_refilled_records_total";
const COMPLETED: &str = "noren_queue_refills_total";

/// Refills the queue whenever it was lost, until the process ends.
pub(crate) async fn refill_forever(catalogue: &Catalogue) {
    describe();
    let (claimant, never) = (Uuid::now_v7().simple().to_string(), CancellationToken::new());
    let mut last_error = None;
    loop {
        match catalogue.queue().claim_refill(&claimant).await {
            Ok(None) => last_error = None,
            Ok(Some(id)) => {
                last_error = None;
                Refill::new(catalogue, &claimant, id, &never).run().await;
            }
            Err(error) => {
                let line = error.chain();
                if last_error.as_ref() != Some(&line) {
                    tracing::warn!(error = line, "cannot find out whether the queue lost changes; retrying");
                    last_error = Some(line);
                }
            }
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

fn describe() {
    metrics::describe_counter!(RECORDS, "Records that were enqueued once more because the queue was lost");
    metrics::describe_counter!(COMPLETED, "Completed refills of a queue that was lost");
    metrics::counter!(RECORDS).absolute(0);
    metrics::counter!(COMPLETED).absolute(0);
}

/// The claim expired, or the queue was lost again.
struct Lost;

/// One refill.
struct Refill<'a> {
    catalogue: &'a Catalogue,
    claimant: &'a str,
    id: RefillId,
    never: &'a CancellationToken,
    claimed_at: Instant,
    products: u64,
    tombstones: u64,
}

impl<'a> Refill<'a> {
    fn new(catalogue: &'a Catalogue, claimant: &'a str, id: RefillId, never: &'a CancellationToken) -> Self {
        Self { catalogue, claimant, id, never, claimed_at: Instant::now(), products: 0, tombstones: 0 }
    }

    /// Enqueues every record and logs the outcome. If the claim is lost, the next one starts over.
    async fn run(mut self) {
        tracing::info!("the queue is new; enqueuing every record of the store once more");
        let begun = Instant::now();
        let outcome = self.enqueue_all().await;
        let (products, tombstones) = (self.products, self.tombstones);
        let seconds = begun.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => {
                metrics::counter!(COMPLETED).increment(1);
                tracing::info!(products, tombstones, seconds, "enqueued every record of the store once more");
            }
            Err(Lost) => tracing::warn!(
                products,
                tombstones,
                seconds,
                "another process took over enqueuing every record, or the queue was lost again"
            ),
        }
    }

    async fn enqueue_all(&mut self) -> Result<(), Lost> {
        let mut cursor = None;
        loop {
            let RecordPage { records, next } = self.read(cursor).await?;
            for record in &records {
                match record {
                    Record::Live(_) => self.products += 1,
                    Record::Deleted(_) => self.tombstones += 1,
                }
            }
            self.send(records).await?;
            cursor = next;
            if cursor.is_none() {
                return self.complete().await;
            }
        }
    }

    /// Reads a page, retrying until the store responds.
    async fn read(&mut self, cursor: Option<String>) -> Result<RecordPage, Lost> {
        let mut failures = Failures::new(self.never);
        loop {
            self.renew_if_old().await?;
            let error = match self.catalogue.store().scan(cursor.as_deref(), PAGE).await {
                Ok(page) => return Ok(page),
                Err(ListError::Failed(error)) => error,
                // A defect, because the store returned the cursor itself.
                Err(error) => {
                    PortError::new(PortErrorKind::Internal, "reading the store page by page", error)
                }
            };
            failures.pause(&error).await;
        }
    }

    /// Enqueues records, retrying those that the queue did not accept.
    async fn send(&mut self, records: Vec<Record>) -> Result<(), Lost> {
        let mut failures = Failures::new(self.never);
        let envelope = |record| Envelope { change: Change::to(record), traceparent: None };
        let mut left: Vec<Envelope> = records.into_iter().map(envelope).collect();
        while !left.is_empty() {
            self.renew_if_old().await?;
            let results = self.catalogue.queue().send(left.clone()).await;
            let mut unsent = Vec::new();
            let mut last_error = None;
            for (envelope, result) in left.into_iter().zip(results) {
                match result {
                    Ok(()) => metrics::counter!(RECORDS).increment(1),
                    Err(error) => {
                        last_error = Some(error);
                        unsent.push(envelope);
                    }
                }
            }
            left = unsent;
            if let Some(error) = last_error {
                failures.pause(&error).await;
            }
        }
        Ok(())
    }

    /// Records the completion if the queue is still the one that was filled.
    async fn complete(&mut self) -> Result<(), Lost> {
        let mut failures = Failures::new(self.never);
        loop {
            self.renew().await?;
            match self.catalogue.queue().complete_refill(&self.id).await {
                Ok(()) => return Ok(()),
                Err(error) => failures.pause(&error).await,
            }
        }
    }

    async fn renew_if_old(&mut self) -> Result<(), Lost> {
        match self.claimed_at.elapsed() < RENEWAL {
            true => Ok(()),
            false => self.renew().await,
        }
    }

    /// Renews the claim, retrying until the queue responds.
    async fn renew(&mut self) -> Result<(), Lost> {
        let mut failures = Failures::new(self.never);
        loop {
            match self.catalogue.queue().claim_refill(self.claimant).await {
                Ok(Some(id)) if id == self.id => {
                    self.claimed_at = Instant::now();
                    return Ok(());
                }
                Ok(_) => return Err(Lost),
                Err(error) => failures.pause(&error).await,
            }
        }
    }
}

/// Failures of one operation: logs the first and pauses longer after each.
struct Failures<'a> {
    pauses: Retries<'a>,
    is_logged: bool,
}

impl<'a> Failures<'a> {
    fn new(never: &'a CancellationToken) -> Self {
        Self { pauses: Retries::new(MAX_PAUSE, never), is_logged: false }
    }

    async fn pause(&mut self, error: &PortError) {
        if !self.is_logged {
            tracing::warn!(error = error.chain(), "cannot enqueue every record once more yet; retrying");
            self.is_logged = true;
        }
        // The token is never cancelled.
        let _ = self.pauses.pause().await;
    }
}
