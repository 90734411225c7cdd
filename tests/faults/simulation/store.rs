//! A store in memory: what [`ProductStore`] promises and no more, under faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{
    Envelope, IdempotencyRecord, ListError, OutboxEntry, OutboxEntryId, OutboxStats, PortError,
    PortErrorKind, ProductPage, ProductStore, RecordPage, Write, WriteError, Written,
};
use domain::{Change, Product, ProductId, Record};
use tokio::time::Instant;

use super::queue::SimulatedQueue;
use super::world::{Fate, Mistake, Part, World};

/// How long a write that was answered too early is not durable yet.
const FLUSHED_AFTER: Duration = Duration::from_millis(500);

/// What a store does with the fact that a change must be synced.
pub(super) enum Outbox {
    /// It leaves a mark.
    Mark,
    /// It enqueues the change itself.
    Enqueue(Arc<SimulatedQueue>),
}

pub(super) struct SimulatedStore {
    world: Arc<World>,
    outbox: Outbox,
    disk: Arc<Mutex<Disk>>,
}

/// What outlives a crash.
#[derive(Default, Clone)]
pub(super) struct Disk {
    pub(super) records: BTreeMap<ProductId, Record>,
    keys: BTreeMap<String, IdempotencyRecord>,
    marks: BTreeMap<u64, Mark>,
    next_mark: u64,
    /// Every write that was made, in order.
    pub(super) history: Vec<Made>,
    /// What a crash brings back, where writes are answered too early.
    flushed: Option<(Instant, Box<Disk>)>,
}

#[derive(Clone)]
struct Mark {
    left_at: Instant,
    envelope: Envelope,
}

/// A write that was made.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) change: Change,
    /// The attempt that made it.
    pub(super) by: String,
}

impl SimulatedStore {
    pub(super) fn new(world: Arc<World>, outbox: Outbox, disk: Arc<Mutex<Disk>>) -> Self {
        Self { world, outbox, disk }
    }

    pub(super) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn marks(&self) -> usize {
        self.disk().marks.len()
    }

    /// What the crash of a process that writes does to it.
    pub(super) fn crash(&self) {
        let mut disk = self.disk();
        if let Some((at, before)) = disk.flushed.take()
            && at.elapsed() < FLUSHED_AFTER
        {
            *disk = *before;
        }
    }

    async fn write_one(&self, write: Write) -> Result<Written, WriteError> {
        const CONTEXT: &str = "writing a product";
        let fate = self.world.fate(Part::Store);
        if let Fate::Before(kind) = fate {
            return Err(PortError::bare(kind, CONTEXT).into());
        }
        let made = self.commit(&write);
        self.world.note(format_args!(
            "write {}@{} by {}: {}",
            write.change.id(),
            write.change.version(),
            write.traceparent.as_deref().unwrap_or_default(),
            made.as_ref().err().map_or("made".to_owned(), ToString::to_string)
        ));
        let mut mark = made?;
        self.finish_late(&write, &mut mark).await;
        match fate {
            Fate::After => Err(PortError::bare(PortErrorKind::Unavailable, CONTEXT).into()),
            _ => Ok(Written { outbox_entry: mark }),
        }
    }

    /// One atomic step.
    fn commit(&self, write: &Write) -> Result<Option<OutboxEntryId>, WriteError> {
        let mut disk = self.disk();
        let (change, id) = (&write.change, write.change.id());
        if let Some(answered) = &write.idempotency
            && disk.keys.contains_key(&answered.key)
        {
            return Err(WriteError::DuplicateKey);
        }
        let current = disk.records.get(id).map(Record::version);
        if current != write.replaces && !self.world.makes(Mistake::IgnoreCondition) {
            return Err(WriteError::Conflict { current });
        }
        if let Some(owner) = change.product().and_then(|product| disk.other_with_sku_of(product)) {
            return Err(WriteError::SkuTaken { owner });
        }
        if self.world.makes(Mistake::AnswerBeforeDurable) {
            disk.keep_flushed();
        }
        if change.product().is_none() && self.world.makes(Mistake::RestartVersions) {
            disk.records.remove(id);
        } else {
            disk.records.insert(id.clone(), change.record());
        }
        disk.history.push(Made { change: change.clone(), by: write.traceparent.clone().unwrap_or_default() });
        if let Some(answered) = &write.idempotency
            && !self.world.makes(Mistake::KeyApart)
        {
            disk.keys.insert(answered.key.clone(), answered.clone());
        }
        if self.world.makes(Mistake::MarkApart) {
            return Ok(None);
        }
        Ok(self.leave(&mut disk, write))
    }

    /// Sees that the change is synced.
    fn leave(&self, disk: &mut Disk, write: &Write) -> Option<OutboxEntryId> {
        match &self.outbox {
            Outbox::Enqueue(queue) => {
                queue.enqueue_stored(write.change.id());
                None
            }
            Outbox::Mark => {
                let number = disk.next_mark;
                disk.next_mark += 1;
                let envelope =
                    Envelope { change: write.change.clone(), traceparent: write.traceparent.clone() };
                disk.marks.insert(number, Mark { left_at: Instant::now(), envelope });
                Some(OutboxEntryId(number.to_string()))
            }
        }
    }

    /// What follows the atomic step, and should have been part of it.
    async fn finish_late(&self, write: &Write, mark: &mut Option<OutboxEntryId>) {
        if self.world.makes(Mistake::KeyApart)
            && let Some(answered) = &write.idempotency
        {
            self.world.step().await;
            self.disk().keys.insert(answered.key.clone(), answered.clone());
        }
        if self.world.makes(Mistake::MarkApart) {
            self.world.step().await;
            *mark = self.leave(&mut self.disk(), write);
        }
    }
}

impl Disk {
    fn other_with_sku_of(&self, product: &Product) -> Option<ProductId> {
        let sku = product.content.sku.as_ref()?;
        let live = self.records.values().filter_map(Record::live);
        let mut others = live.filter(|other| other.id != product.id);
        others.find(|other| other.content.sku.as_ref() == Some(sku)).map(|other| other.id.clone())
    }

    /// Keeps a copy of what is flushed by now.
    fn keep_flushed(&mut self) {
        if self.flushed.as_ref().is_none_or(|(at, _)| at.elapsed() >= FLUSHED_AFTER) {
            self.flushed = None;
            self.flushed = Some((Instant::now(), Box::new(self.clone())));
        }
    }
}

#[async_trait]
impl ProductStore for SimulatedStore {
    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Record>>, PortError> {
        let read = || {
            let disk = self.disk();
            ids.iter().map(|id| disk.records.get(id).cloned()).collect()
        };
        self.world.call(Part::Store, "reading products", read).await
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Written, WriteError>> {
        self.world.step().await;
        let mut results = Vec::with_capacity(writes.len());
        for write in writes {
            results.push(self.write_one(write).await);
        }
        self.world.step().await;
        results
    }

    async fn record_idempotent(&self, record: IdempotencyRecord) -> Result<(), WriteError> {
        let remember = || {
            let mut disk = self.disk();
            if disk.keys.contains_key(&record.key) {
                return Err(WriteError::DuplicateKey);
            }
            disk.keys.insert(record.key.clone(), record);
            Ok(())
        };
        self.world.call(Part::Store, "remembering an answer", remember).await?
    }

    async fn find_idempotent(&self, key: &str) -> Result<Option<IdempotencyRecord>, PortError> {
        self.world.call(Part::Store, "looking for an answer", || self.disk().keys.get(key).cloned()).await
    }

    async fn list(&self, cursor: Option<&str>, limit: usize) -> Result<ProductPage, ListError> {
        let after = cursor.map(ProductId::parse).transpose().map_err(|_| ListError::UnknownCursor)?;
        let disk = self.disk();
        let live = disk.records.values().filter_map(Record::live);
        let mut rest = live.filter(|product| after.as_ref().is_none_or(|after| product.id > *after));
        let products: Vec<Product> = rest.by_ref().take(limit).map(|product| (**product).clone()).collect();
        let last = products.last().map(|product| product.id.to_string());
        Ok(ProductPage { products, next: last.filter(|_| rest.next().is_some()) })
    }

    async fn scan(&self, cursor: Option<&str>, limit: usize) -> Result<RecordPage, ListError> {
        let after = cursor.map(ProductId::parse).transpose().map_err(|_| ListError::UnknownCursor)?;
        let disk = self.disk();
        let mut rest =
            disk.records.values().filter(|record| after.as_ref().is_none_or(|after| record.id() > after));
        let records: Vec<Record> = rest.by_ref().take(limit).cloned().collect();
        let last = records.last().map(|record| record.id().to_string());
        Ok(RecordPage { records, next: last.filter(|_| rest.next().is_some()) })
    }

    async fn pending(&self, age: Duration, limit: usize) -> Result<Vec<OutboxEntry>, PortError> {
        let look = || {
            let disk = self.disk();
            let old = disk.marks.iter().filter(|(_, mark)| mark.left_at.elapsed() > age);
            let unsent = old.take(limit).map(|(number, mark)| {
                let mut envelope = mark.envelope.clone();
                // A store may tell what it holds by now.
                if let Some(record) = disk.records.get(envelope.change.id())
                    && self.world.chance(0.5)
                {
                    envelope.change = Change::to(record.clone());
                }
                OutboxEntry { id: OutboxEntryId(number.to_string()), envelope }
            });
            unsent.collect::<Vec<_>>()
        };
        self.world.call(Part::Store, "reading the outbox", look).await
    }

    async fn remove_from_outbox(&self, entries: &[OutboxEntryId]) -> Result<(), PortError> {
        let numbers = entries.iter().filter_map(|mark| mark.0.parse::<u64>().ok());
        let clear = |number: u64| {
            let mut disk = self.disk();
            if let Some(cleared) = disk.marks.remove(&number)
                && self.world.makes(Mistake::ClearNewerMarks)
            {
                disk.marks.retain(|_, mark| mark.envelope.change.id() != cleared.envelope.change.id());
            }
        };
        // A batch that fails may have been carried out in part.
        let (first, rest): (Vec<u64>, Vec<u64>) = numbers.partition(|_| self.world.strikes(0.05));
        first.iter().for_each(|number| clear(*number));
        self.world.call(Part::Store, "clearing marks", || rest.into_iter().for_each(clear)).await
    }

    async fn outbox(&self) -> Result<OutboxStats, PortError> {
        let disk = self.disk();
        let oldest_age = disk.marks.values().map(|mark| mark.left_at.elapsed()).max();
        Ok(OutboxStats { entries: disk.marks.len() as u64, oldest_age })
    }

    fn back_end(&self) -> &'static str {
        "simulated"
    }

    async fn ready(&self) -> Result<(), PortError> {
        Ok(())
    }
}
