//! Comparing the store and an index both ways, with bounded memory, while writes go on; and mending what differs.
//!
//! First the store is read page by page and each record held against the index, then what the index holds is held
//! against the store. Sync may be about to write what differs, so that is looked at again until it is equal, the index
//! holds what the store held when it was first looked at, or it has been different for longer than sync is given.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{
    CompareDepth, Generation, IndexEntry, IndexMaintenance, Repair, RepairOutcome, TOMBSTONE_RETENTION,
};
use domain::ports::{ListError, PortError, PortErrorKind, ProductStore, StoredVersion};
use domain::{ProductId, Record, Version};
use serde::Serialize;
use tokio::time::{Instant, sleep};

/// Records that are compared at a time; the store makes pages smaller where they are large.
const PAGE: usize = 500;
/// Records that are read by their ids at a time, each of up to 200 KB.
const READ_TOGETHER: usize = 100;
/// Records that are mended together.
const MENDED_TOGETHER: usize = 1_000;
/// About the bytes of JSON that are mended together.
const MENDED_BYTES: usize = 16 << 20;
/// How often a mend is tried that others come before.
const OVERTAKEN_TRIES: usize = 5;
/// Suspects that are kept to be looked at again; more are not waited for.
const MAX_SUSPECTS: usize = 10_000;
/// The pause between two looks at suspects.
const RECHECK_PAUSE: Duration = Duration::from_millis(250);

/// How to compare.
#[derive(Debug, Clone, Copy)]
pub struct Comparison {
    /// Which generation of the index.
    pub generation: Generation,
    /// How closely.
    pub look: CompareDepth,
    /// Whether to mend what differs.
    pub repair: bool,
    /// How long sync is given to write what differs before that counts.
    pub patience: Duration,
    /// Of how many ids one is looked at: 1 looks at all.
    pub one_in: u64,
}

/// What is wrong with a product in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DriftKind {
    /// The store has it and the index has not.
    Missing,
    /// The index has an earlier version than the store.
    Stale,
    /// The index has a product that the store has not, or has deleted.
    Ghost,
    /// The index has a later version than the store, as after a restore of the store.
    Ahead,
    /// The version is the same, and the document is not what is made of it.
    Differing,
}

/// A product that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// The product.
    #[schema(value_type = String)]
    pub id: ProductId,
    /// What is wrong.
    pub kind: DriftKind,
    /// The version in the store; none where it never had the id.
    #[schema(value_type = Option<u64>)]
    pub stored: Option<Version>,
    /// The version in the index; none where it has not the id.
    #[schema(value_type = Option<u64>)]
    pub indexed: Option<Version>,
    /// What was done about it.
    pub repair: RepairStatus,
}

/// What was done about a product that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RepairStatus {
    /// Nothing: that was not asked for.
    None,
    /// The index holds what it should.
    Done,
    /// The index cannot hold it.
    Refused(String),
    /// It was written by others again and again.
    Overtaken,
}

/// What is told while comparing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum Event {
    /// So many ids were looked at, of about so many.
    Progress {
        /// Looked at.
        done: u64,
        /// About how many there are.
        total: u64,
    },
    /// A product differs.
    Drift(Drift),
}

/// What came of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Products and tombstones of the store that were looked at.
    pub compared: u64,
    /// Products that the index lacks.
    pub missing: u64,
    /// Products of which the index has an earlier version.
    pub stale: u64,
    /// Products that only the index has.
    pub ghost: u64,
    /// Products of which the index has a later version.
    pub ahead: u64,
    /// Products whose document is not what is made of them.
    pub differing: u64,
    /// How many of these were mended.
    pub repaired: u64,
    /// How many of these the index cannot hold, however often it is tried.
    pub refused: u64,
}

impl Outcome {
    /// How many products differed.
    pub fn drifts(&self) -> u64 {
        self.missing + self.stale + self.ghost + self.ahead + self.differing
    }

    /// Whether the index equals the store now.
    pub fn is_converged(&self) -> bool {
        self.repaired == self.drifts()
    }

    fn count(&mut self, drift: &Drift) {
        let counter = match drift.kind {
            DriftKind::Missing => &mut self.missing,
            DriftKind::Stale => &mut self.stale,
            DriftKind::Ghost => &mut self.ghost,
            DriftKind::Ahead => &mut self.ahead,
            DriftKind::Differing => &mut self.differing,
        };
        *counter += 1;
        self.repaired += u64::from(drift.repair == RepairStatus::Done);
        self.refused += u64::from(matches!(drift.repair, RepairStatus::Refused(_)));
    }
}

/// A store and an index that should hold the same.
#[derive(Clone)]
pub struct Sides {
    /// The authority.
    pub store: Arc<dyn ProductStore>,
    /// What is derived from it.
    pub index: Arc<dyn IndexMaintenance>,
}

/// An id that differs.
#[derive(Clone)]
struct Suspect {
    id: ProductId,
    /// When that was seen first.
    since: Instant,
    /// The version that the store held then.
    stored: Option<Version>,
}

impl Suspect {
    /// Whether the index has meanwhile got what it lacked, so that only a write from after that is on its way: a product
    /// that is written all the time would never be seen equal.
    fn is_overtaken(&self, drift: &Drift) -> bool {
        self.stored.is_some() && drift.indexed >= self.stored && drift.indexed < drift.stored
    }
}

/// Hears what is told while something long is done. It may take its time: then what is done waits.
#[async_trait]
pub trait Listener<E: Send + 'static>: Send + Sync {
    /// Hears it.
    async fn tell(&mut self, event: E);
}

/// Hears nothing.
pub struct Nobody;

#[async_trait]
impl<E: Send + 'static> Listener<E> for Nobody {
    async fn tell(&mut self, _: E) {}
}

/// Passes on what is made of an event.
#[async_trait]
impl<E: Send + 'static, T: From<E> + Send + 'static> Listener<E> for tokio::sync::mpsc::Sender<T> {
    async fn tell(&mut self, event: E) {
        // Whoever listened may have gone away; that ends what is done elsewhere.
        let _ = self.send(event.into()).await;
    }
}

/// Compares, and tells of each product that differs and of how far it has come.
///
/// # Errors
/// When the store or the index cannot be read, or the index not be mended.
pub async fn reconcile(
    sides: &Sides,
    comparison: Comparison,
    listener: &mut dyn Listener<Event>,
) -> Result<Outcome, PortError> {
    let mut pass =
        Pass { sides, comparison, listener, suspects: Vec::new(), outcome: Outcome::default(), total: 0 };
    let before = sides.documents(comparison.generation).await?;
    pass.total = before / comparison.one_in.max(1);
    let found = pass.compare_the_store().await?;
    // Where the index holds no more than was found of the store, and did so all the time, there can be no ghosts.
    let is_all = found == before && found == sides.documents(comparison.generation).await?;
    if comparison.one_in > 1 || !is_all {
        pass.look_for_ghosts().await?;
    }
    while !pass.suspects.is_empty() {
        sleep(RECHECK_PAUSE).await;
        pass.recheck(comparison.patience).await?;
    }
    Ok(pass.outcome)
}

struct Pass<'a> {
    sides: &'a Sides,
    comparison: Comparison,
    listener: &'a mut dyn Listener<Event>,
    suspects: Vec<Suspect>,
    outcome: Outcome,
    total: u64,
}

impl Pass<'_> {
    /// Holds everything in the store against the index; answers of how many ids the index held anything.
    async fn compare_the_store(&mut self) -> Result<u64, PortError> {
        let (mut cursor, mut found) = (None::<String>, 0);
        loop {
            let (page, next) = self.page(cursor.as_deref()).await?;
            let sampled: Vec<Stored> =
                page.into_iter().filter(|stored| self.is_sampled(stored.id())).collect();
            self.outcome.compared += sampled.len() as u64;
            let held = self.sides.held(&self.comparison, &sampled).await?;
            found += held.iter().flatten().count() as u64;
            self.suspect(self.sides.differing(&self.comparison, &sampled, &held).await?).await?;
            let done = self.outcome.compared;
            self.listener.tell(Event::Progress { done, total: self.total.max(done) }).await;
            cursor = next;
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }

    /// A page of the store: whole records where documents are compared, versions where they are enough.
    async fn page(&self, cursor: Option<&str>) -> Result<(Vec<Stored>, Option<String>), PortError> {
        if self.comparison.look == CompareDepth::Versions {
            let page = self.sides.store.versions(cursor, 8 * PAGE).await.map_err(list_error)?;
            return Ok((page.versions.into_iter().map(Stored::Version).collect(), page.next));
        }
        if self.comparison.one_in > 1 {
            // Of a sample, only what is looked at is read whole.
            let one_in = usize::try_from(self.comparison.one_in).unwrap_or(usize::MAX);
            let limit = READ_TOGETHER.saturating_mul(one_in).min(8 * PAGE);
            let page = self.sides.store.versions(cursor, limit).await.map_err(list_error)?;
            let ids: Vec<ProductId> = page.versions.into_iter().map(|stored| stored.id).collect();
            let ids: Vec<ProductId> = ids.into_iter().filter(|id| self.is_sampled(id)).collect();
            let records = self.sides.store.get(&ids).await?.into_iter().flatten();
            return Ok((records.map(Stored::Record).collect(), page.next));
        }
        let page = self.sides.store.scan(cursor, PAGE).await.map_err(list_error)?;
        Ok((page.records.into_iter().map(Stored::Record).collect(), page.next))
    }

    /// Holds everything in the index against the store.
    async fn look_for_ghosts(&mut self) -> Result<(), PortError> {
        let mut after: Option<ProductId> = None;
        loop {
            let generation = self.comparison.generation;
            let page =
                self.sides.index.scan(generation, after.as_ref(), PAGE, CompareDepth::Versions).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|held| held.id.clone());
            let ids: Vec<ProductId> = page.into_iter().map(|held| held.id).collect();
            let ids: Vec<ProductId> = ids.into_iter().filter(|id| self.is_sampled(id)).collect();
            for ids in ids.chunks(READ_TOGETHER) {
                let stored = self.sides.store.get(ids).await?;
                let unknown = ids.iter().zip(stored).filter(|(_, stored)| stored.is_none());
                self.suspect(unknown.map(|(id, _)| (id.clone(), None)).collect()).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Takes along ids that differ, each with the version that the store holds.
    async fn suspect(&mut self, differing: Vec<(ProductId, Option<Version>)>) -> Result<(), PortError> {
        let since = Instant::now();
        self.suspects.extend(differing.into_iter().map(|(id, stored)| Suspect { id, since, stored }));
        let patience = self.comparison.patience;
        if patience.is_zero() || self.suspects.len() > MAX_SUSPECTS {
            self.recheck(Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Looks at the suspects again. Those that differ for longer than `patience` are told of, and mended.
    async fn recheck(&mut self, patience: Duration) -> Result<(), PortError> {
        let (mut waiting, mut due, mut bytes) = (Vec::new(), Vec::new(), 0);
        let suspects = std::mem::take(&mut self.suspects);
        for some in suspects.chunks(READ_TOGETHER) {
            let ids: Vec<ProductId> = some.iter().map(|suspect| suspect.id.clone()).collect();
            let drifts = self.sides.drifts(&self.comparison, &ids).await?;
            for (suspect, found) in some.iter().zip(drifts) {
                match found {
                    None => {}
                    Some((drift, _)) if suspect.is_overtaken(&drift) => {}
                    Some(found) if suspect.since.elapsed() >= patience => {
                        bytes += found.1.as_ref().map_or(0, json_bytes);
                        due.push(found);
                    }
                    Some(_) => waiting.push(suspect.clone()),
                }
            }
            if due.len() >= MENDED_TOGETHER || bytes >= MENDED_BYTES {
                self.settle(std::mem::take(&mut due)).await?;
                bytes = 0;
            }
        }
        self.settle(due).await?;
        self.suspects = waiting;
        Ok(())
    }

    /// Mends what differs, where that is asked for, and tells of it.
    async fn settle(&mut self, mut due: Vec<Found>) -> Result<(), PortError> {
        if self.comparison.repair && !due.is_empty() {
            self.sides.repair(&self.comparison, &mut due).await?;
        }
        for (drift, _) in due {
            self.outcome.count(&drift);
            self.listener.tell(Event::Drift(drift)).await;
        }
        Ok(())
    }

    fn is_sampled(&self, id: &ProductId) -> bool {
        let one_in = self.comparison.one_in;
        one_in <= 1 || domain::hash::fnv1a(id.as_str().as_bytes()).is_multiple_of(one_in)
    }
}

/// What the store holds under an id, as far as it was read.
enum Stored {
    Version(StoredVersion),
    Record(Record),
}

impl Stored {
    fn id(&self) -> &ProductId {
        match self {
            Self::Version(stored) => &stored.id,
            Self::Record(record) => record.id(),
        }
    }

    fn version(&self) -> StoredVersion {
        match self {
            Self::Version(stored) => stored.clone(),
            Self::Record(record) => StoredVersion::of(record),
        }
    }
}

/// A drift with what the store holds, to mend it by.
type Found = (Drift, Option<Record>);

impl Sides {
    async fn documents(&self, generation: Generation) -> Result<u64, PortError> {
        let generations = self.index.generations().await?;
        let state = match generation {
            Generation::Live => generations.live,
            Generation::Next => generations.next,
        };
        let missing = || PortError::bare(PortErrorKind::Unavailable, "there is no such index");
        state.map(|state| state.documents).ok_or_else(missing)
    }

    async fn held(
        &self,
        comparison: &Comparison,
        stored: &[Stored],
    ) -> Result<Vec<Option<IndexEntry>>, PortError> {
        let ids: Vec<ProductId> = stored.iter().map(|stored| stored.id().clone()).collect();
        self.index.entries(comparison.generation, &ids, comparison.look).await
    }

    /// Those that the index does not hold as it should, with their versions.
    async fn differing(
        &self,
        comparison: &Comparison,
        stored: &[Stored],
        held: &[Option<IndexEntry>],
    ) -> Result<Vec<(ProductId, Option<Version>)>, PortError> {
        if comparison.look == CompareDepth::Versions {
            let versions = stored.iter().map(Stored::version).zip(held);
            let differing = versions.filter(|(stored, held)| {
                !is_equal(&expected_version(stored), stored.deleted_at, held.as_ref())
            });
            return Ok(differing.map(|(stored, _)| (stored.id, Some(stored.version))).collect());
        }
        let records: Vec<Record> = stored
            .iter()
            .filter_map(|stored| match stored {
                Stored::Record(record) => Some(record.clone()),
                Stored::Version(_) => None,
            })
            .collect();
        let expected = self.expected_entries(records.clone()).await?;
        let differs =
            |((record, expected), held): ((Record, Result<IndexEntry, String>), &Option<IndexEntry>)| {
                let is_equal = expected.is_ok_and(|expected| {
                    is_equal(&expected, StoredVersion::of(&record).deleted_at, held.as_ref())
                });
                (!is_equal).then(|| (record.id().clone(), Some(record.version())))
            };
        Ok(records.into_iter().zip(expected).zip(held).filter_map(differs).collect())
    }

    /// What is wrong now with each of these, in the order given; none with one that is right.
    async fn drifts(
        &self,
        comparison: &Comparison,
        ids: &[ProductId],
    ) -> Result<Vec<Option<Found>>, PortError> {
        // The index first: what it holds is in the store by then.
        let held = self.index.entries(comparison.generation, ids, comparison.look).await?;
        let stored = self.store.get(ids).await?;
        let records: Vec<Record> = stored.iter().flatten().cloned().collect();
        let mut expected = self.expected_entries(records).await?.into_iter();
        let mut drifts = Vec::with_capacity(ids.len());
        for ((id, held), stored) in ids.iter().zip(held).zip(stored) {
            let expected = stored.as_ref().and_then(|_| expected.next());
            let kind = drift_kind(stored.as_ref(), expected, held.as_ref(), comparison.look);
            drifts.push(kind.map(|kind| {
                let (stored_version, indexed) =
                    (stored.as_ref().map(Record::version), held.map(|held| held.version));
                let drift = Drift {
                    id: id.clone(),
                    kind,
                    stored: stored_version,
                    indexed,
                    repair: RepairStatus::None,
                };
                (drift, stored)
            }));
        }
        Ok(drifts)
    }

    async fn repair(&self, comparison: &Comparison, found: &mut [Found]) -> Result<(), PortError> {
        let repairs: Vec<Repair> = found
            .iter()
            .map(|(drift, record)| Repair {
                id: drift.id.clone(),
                expected_version: drift.indexed,
                record: record.clone(),
            })
            .collect();
        for ((drift, _), repaired) in
            found.iter_mut().zip(self.index.repair(comparison.generation, &repairs).await?)
        {
            drift.repair = match repaired {
                RepairOutcome::Done => RepairStatus::Done,
                RepairOutcome::Overtaken => self.overtaken(comparison, &drift.id).await?,
                RepairOutcome::Refused(reason) => RepairStatus::Refused(reason),
            };
        }
        Ok(())
    }

    /// Another writer came between: mostly it wrote the same. Else it is tried again, as a product may be written again
    /// and again.
    async fn overtaken(&self, comparison: &Comparison, id: &ProductId) -> Result<RepairStatus, PortError> {
        for _ in 0..OVERTAKEN_TRIES {
            let again = self.drifts(comparison, std::slice::from_ref(id)).await?.pop().flatten();
            let Some((Drift { indexed: expected_version, .. }, record)) = again else {
                return Ok(RepairStatus::Done);
            };
            let repair = Repair { id: id.clone(), expected_version, record };
            match self.index.repair(comparison.generation, &[repair]).await?.pop() {
                Some(RepairOutcome::Done) => return Ok(RepairStatus::Done),
                Some(RepairOutcome::Refused(reason)) => return Ok(RepairStatus::Refused(reason)),
                Some(RepairOutcome::Overtaken) | None => {}
            }
        }
        Ok(RepairStatus::Overtaken)
    }

    /// Projects on a thread that may take its time.
    async fn expected_entries(
        &self,
        records: Vec<Record>,
    ) -> Result<Vec<Result<IndexEntry, String>>, PortError> {
        let index = Arc::clone(&self.index);
        let projecting = tokio::task::spawn_blocking(move || index.expected_entries(&records));
        projecting
            .await
            .map_err(|panic| PortError::new(PortErrorKind::Internal, "making documents of products", panic))
    }
}

/// How large a record is.
fn json_bytes(record: &Record) -> usize {
    match record {
        Record::Live(product) => serde_json::to_vec(&**product).map_or(0, |json| json.len()),
        Record::Deleted(_) => 0,
    }
}

/// Where only versions are compared, what a version lets expect.
fn expected_version(stored: &StoredVersion) -> IndexEntry {
    let is_live = stored.deleted_at.is_none();
    IndexEntry { id: stored.id.clone(), version: stored.version, is_live, fingerprint: None }
}

/// Whether the index holds what it should. An old tombstone need not be there.
fn is_equal(expected: &IndexEntry, deleted_at: Option<jiff::Timestamp>, held: Option<&IndexEntry>) -> bool {
    match held {
        None => deleted_at.is_some_and(is_needless),
        Some(held) => {
            held.version == expected.version
                && held.is_live == expected.is_live
                && (held.fingerprint.is_none()
                    || expected.fingerprint.is_none()
                    || held.fingerprint == expected.fingerprint)
        }
    }
}

/// Whether no message can bring back what was deleted then. A clock that goes wrong may have put that into the future.
pub(crate) fn is_needless(deleted_at: jiff::Timestamp) -> bool {
    Duration::try_from(domain::now().duration_since(deleted_at)).is_ok_and(|age| age > TOMBSTONE_RETENTION)
}

fn drift_kind(
    stored: Option<&Record>,
    expected: Option<Result<IndexEntry, String>>,
    held: Option<&IndexEntry>,
    look: CompareDepth,
) -> Option<DriftKind> {
    let Some(record) = stored else { return held.map(|_| DriftKind::Ghost) };
    let of_version = StoredVersion::of(record);
    let expected = match (look, expected) {
        (CompareDepth::Documents, Some(Ok(expected))) => expected,
        _ => expected_version(&of_version),
    };
    if is_equal(&expected, of_version.deleted_at, held) {
        return None;
    }
    Some(match held {
        None => DriftKind::Missing,
        Some(held) if held.version > expected.version => DriftKind::Ahead,
        Some(held) if held.is_live && !expected.is_live => DriftKind::Ghost,
        Some(held) if held.version < expected.version => DriftKind::Stale,
        Some(_) => DriftKind::Differing,
    })
}

pub(crate) fn list_error(error: ListError) -> PortError {
    match error {
        ListError::Failed(error) => error,
        // The cursor was that of the page before.
        unknown => PortError::new(PortErrorKind::Internal, "reading all of the store", unknown),
    }
}
