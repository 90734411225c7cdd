//! A store in memory that does what [`ProductStore`] guarantees and no more, under faults.

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

/// The time until a write that was acknowledged too early is durable.
const FLUSHED_AFTER: Duration = Duration::from_millis(500);

/// The path of a change from the store to the queue.
pub(super) enum Outbox {
    /// It adds an outbox entry.
    Entries,
    /// It enqueues the change itself.
    Enqueue(Arc<SimulatedQueue>),
}

pub(super) struct SimulatedStore {
    world: Arc<World>,
    outbox: Outbox,
    disk: Arc<Mutex<Disk>>,
}

/// The state that survives a crash.
#[derive(Default, Clone)]
pub(super) struct Disk {
    pub(super) records: BTreeMap<ProductId, Record>,
    keys: BTreeMap<String, IdempotencyRecord>,
    outbox: BTreeMap<u64, OutboxItem>,
    next_entry: u64,
    /// Every write that was applied, in order.
    pub(super) history: Vec<Made>,
    /// The state after a crash, if writes are acknowledged too early.
    flushed: Option<(Instant, Box<Disk>)>,
}

#[derive(Clone)]
struct OutboxItem {
    added_at: Instant,
    envelope: Envelope,
}

/// A write that was applied.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) change: Change,
    /// The attempt that it came from.
    pub(super) by: String,
}

impl SimulatedStore {
    pub(super) fn new(world: Arc<World>, outbox: Outbox, disk: Arc<Mutex<Disk>>) -> Self {
        Self { world, outbox, disk }
    }

    pub(super) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn outbox_entries(&self) -> usize {
        self.disk().outbox.len()
    }

    /// Applies the crash of a writing process.
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
        let mut entry = made?;
        self.finish_late(&write, &mut entry).await;
        match fate {
            Fate::After => Err(PortError::bare(PortErrorKind::Unavailable, CONTEXT).into()),
            _ => Ok(Written { outbox_entry: entry }),
        }
    }

    /// Applies a write in one atomic step.
    fn commit(&self, write: &Write) -> Result<Option<OutboxEntryId>, WriteError> {
        let mut disk = self.disk();
        let (change, id) = (&write.change, write.change.id());
        if let Some(record) = &write.idempotency
            && disk.keys.contains_key(&record.key)
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
        if self.world.makes(Mistake::AcknowledgeBeforeDurable) {
            disk.keep_flushed();
        }
        if change.product().is_none() && self.world.makes(Mistake::RestartVersions) {
            disk.records.remove(id);
        } else {
            disk.records.insert(id.clone(), change.record());
        }
        disk.history.push(Made { change: change.clone(), by: write.traceparent.clone().unwrap_or_default() });
        if let Some(record) = &write.idempotency
            && !self.world.makes(Mistake::SeparateIdempotencyRecord)
        {
            disk.keys.insert(record.key.clone(), record.clone());
        }
        if self.world.makes(Mistake::SeparateOutboxEntry) {
            return Ok(None);
        }
        Ok(self.leave(&mut disk, write))
    }

    /// Enqueues the change or adds an outbox entry.
    fn leave(&self, disk: &mut Disk, write: &Write) -> Option<OutboxEntryId> {
        match &self.outbox {
            Outbox::Enqueue(queue) => {
                queue.enqueue_stored(write.change.id());
                None
            }
            Outbox::Entries => {
                let number = disk.next_entry;
                disk.next_entry += 1;
                let envelope =
                    Envelope { change: write.change.clone(), traceparent: write.traceparent.clone() };
                disk.outbox.insert(number, OutboxItem { added_at: Instant::now(), envelope });
                Some(OutboxEntryId(number.to_string()))
            }
        }
    }

    /// Does a part of the write after its atomic step, if that mistake is planted.
    async fn finish_late(&self, write: &Write, entry: &mut Option<OutboxEntryId>) {
        if self.world.makes(Mistake::SeparateIdempotencyRecord)
            && let Some(record) = &write.idempotency
        {
            self.world.step().await;
            self.disk().keys.insert(record.key.clone(), record.clone());
        }
        if self.world.makes(Mistake::SeparateOutboxEntry) {
            self.world.step().await;
            *entry = self.leave(&mut self.disk(), write);
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

    /// Keeps a copy of the flushed state.
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
        let store = || {
            let mut disk = self.disk();
            if disk.keys.contains_key(&record.key) {
                return Err(WriteError::DuplicateKey);
            }
            disk.keys.insert(record.key.clone(), record);
            Ok(())
        };
        self.world.call(Part::Store, "storing an idempotency record", store).await?
    }

    async fn find_idempotent(&self, key: &str) -> Result<Option<IdempotencyRecord>, PortError> {
        self.world
            .call(Part::Store, "reading an idempotency record", || self.disk().keys.get(key).cloned())
            .await
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
            let old = disk.outbox.iter().filter(|(_, entry)| entry.added_at.elapsed() > age);
            let pending = old.take(limit).map(|(number, entry)| {
                let mut envelope = entry.envelope.clone();
                // A store may return a later change.
                if let Some(record) = disk.records.get(envelope.change.id())
                    && self.world.chance(0.5)
                {
                    envelope.change = Change::to(record.clone());
                }
                OutboxEntry { id: OutboxEntryId(number.to_string()), envelope }
            });
            pending.collect::<Vec<_>>()
        };
        self.world.call(Part::Store, "reading the outbox", look).await
    }

    async fn remove_from_outbox(&self, entries: &[OutboxEntryId]) -> Result<(), PortError> {
        let numbers = entries.iter().filter_map(|entry| entry.0.parse::<u64>().ok());
        let remove = |number: u64| {
            let mut disk = self.disk();
            if let Some(removed) = disk.outbox.remove(&number)
                && self.world.makes(Mistake::RemoveNewerEntries)
            {
                disk.outbox.retain(|_, entry| entry.envelope.change.id() != removed.envelope.change.id());
            }
        };
        // A batch that fails may have been applied in part.
        let (first, rest): (Vec<u64>, Vec<u64>) = numbers.partition(|_| self.world.strikes(0.05));
        first.iter().for_each(|number| remove(*number));
        self.world.call(Part::Store, "removing outbox entries", || rest.into_iter().for_each(remove)).await
    }

    async fn outbox(&self) -> Result<OutboxStats, PortError> {
        let disk = self.disk();
        let oldest_age = disk.outbox.values().map(|entry| entry.added_at.elapsed()).max();
        Ok(OutboxStats { entries: disk.outbox.len() as u64, oldest_age })
    }

    fn back_end(&self) -> &'static str {
        "simulated"
    }

    async fn ready(&self) -> Result<(), PortError> {
        Ok(())
    }
}
