//! One pass of a comparison over the whole store and the whole index.

use std::time::Duration;

use api::wire::verify::{Drift, DriftCounts, VerifyEvent};
use domain::ports::{CompareDepth, PortError};
use domain::{ProductId, Record, Version};
use tokio::time::{Instant, sleep};

use super::compare::{Comparer, FoundDrift};
use super::comparison::Comparison;
use super::drift::Stored;
use crate::progress::Progress;
use crate::store_and_index::{StoreAndIndex, list_error};

/// Records that are compared at a time; the store makes pages of large records smaller.
const PAGE: usize = 500;
/// Versions that are compared at a time.
const VERSIONS_PAGE: usize = 8 * PAGE;
/// Records that are read by id at a time, each of up to 200 KB.
const IDS_PER_READ: usize = 100;
/// Records that are repaired at a time.
const REPAIR_BATCH: usize = 1_000;
/// Approximate bytes of JSON that are repaired at a time.
const REPAIR_BATCH_BYTES: usize = 16 << 20;
/// The most suspects in memory that wait for another check. Beyond that, all of them are checked again without a grace period.
const MAX_SUSPECTS: usize = 10_000;
/// Pause between two checks of suspects.
const RECHECK_PAUSE: Duration = Duration::from_millis(250);

/// Compares store and index, and reports progress and each product that differs.
///
/// # Errors
/// When the store or the index cannot be read, or the index cannot be written for a repair. Repairs that were
/// reported before are kept.
pub async fn reconcile(
    sides: &StoreAndIndex,
    comparison: Comparison,
    progress: &mut dyn Progress<VerifyEvent>,
) -> Result<DriftCounts, PortError> {
    let before = sides.documents(comparison.generation).await?;
    let mut pass = Pass {
        comparer: Comparer { sides, comparison },
        progress,
        suspects: Vec::new(),
        counts: DriftCounts::default(),
        total: before / comparison.one_in.max(1),
    };
    let found = pass.compare_store().await?;
    // The index has no orphans if it had, before and after the pass, as many entries as were found for ids of the store.
    let is_all = found == before && found == sides.documents(comparison.generation).await?;
    if comparison.one_in > 1 || !is_all {
        pass.find_orphans().await?;
    }
    while !pass.suspects.is_empty() {
        sleep(RECHECK_PAUSE).await;
        pass.recheck(comparison.grace_period).await?;
    }
    Ok(pass.counts)
}

/// An id that differed when it was compared.
#[derive(Clone)]
struct Suspect {
    id: ProductId,
    /// The time of the first comparison.
    since: Instant,
    /// The version in the store at that time.
    stored: Option<Version>,
}

impl Suspect {
    /// Returns true if the index has reached the version that it lacked, so that only a later write is on its way. A
    /// product that is written all the time would otherwise never be found equal.
    fn has_caught_up(&self, drift: &Drift) -> bool {
        self.stored.is_some() && drift.indexed >= self.stored && drift.indexed < drift.stored
    }
}

struct Pass<'a> {
    comparer: Comparer<'a>,
    progress: &'a mut dyn Progress<VerifyEvent>,
    suspects: Vec<Suspect>,
    counts: DriftCounts,
    /// Estimated number of ids to compare.
    total: u64,
}

impl Pass<'_> {
    /// Compares every id of the store with the index. Returns the number of entries found in the index.
    async fn compare_store(&mut self) -> Result<u64, PortError> {
        let (mut cursor, mut found) = (None::<String>, 0);
        loop {
            let (page, next) = self.page(cursor.as_deref()).await?;
            self.counts.compared += page.len() as u64;
            let entries = self.comparer.entries(&page).await?;
            found += entries.iter().flatten().count() as u64;
            let differing = self.comparer.differing(page, &entries).await?;
            self.add_suspects(differing.into_iter().map(|(id, version)| (id, Some(version)))).await?;
            let done = self.counts.compared;
            self.progress.report(VerifyEvent::Progress { done, total: self.total.max(done) }).await;
            cursor = next;
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }

    /// Reads a page of the sampled ids of the store: records for a comparison of documents, otherwise versions.
    async fn page(&self, cursor: Option<&str>) -> Result<(Vec<Stored>, Option<String>), PortError> {
        let Comparer { sides: StoreAndIndex { store, .. }, comparison } = self.comparer;
        let is_sample = comparison.one_in > 1;
        if comparison.depth == CompareDepth::Documents && !is_sample {
            let page = store.scan(cursor, PAGE).await.map_err(list_error)?;
            return Ok((page.records.into_iter().map(Stored::Record).collect(), page.next));
        }
        let limit = match comparison.depth {
            CompareDepth::Versions => VERSIONS_PAGE,
            // The sampled records of a page of this size can be read in about one call.
            CompareDepth::Documents => {
                let one_in = usize::try_from(comparison.one_in).unwrap_or(usize::MAX);
                IDS_PER_READ.saturating_mul(one_in).min(VERSIONS_PAGE)
            }
        };
        let page = store.versions(cursor, limit).await.map_err(list_error)?;
        let sampled = page.versions.into_iter().filter(|stored| comparison.is_sampled(&stored.id));
        if comparison.depth == CompareDepth::Versions {
            return Ok((sampled.map(Stored::Version).collect(), page.next));
        }
        let ids: Vec<ProductId> = sampled.map(|stored| stored.id).collect();
        let records = store.get(&ids).await?.into_iter().flatten();
        Ok((records.map(Stored::Record).collect(), page.next))
    }

    /// Looks up every entry of the index in the store.
    async fn find_orphans(&mut self) -> Result<(), PortError> {
        let Comparer { sides: StoreAndIndex { store, index, .. }, comparison } = self.comparer;
        let mut after: Option<ProductId> = None;
        loop {
            let page =
                index.scan(comparison.generation, after.as_ref(), PAGE, CompareDepth::Versions).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|entry| entry.id.clone());
            let ids = page.into_iter().map(|entry| entry.id);
            let ids: Vec<ProductId> = ids.filter(|id| comparison.is_sampled(id)).collect();
            for ids in ids.chunks(IDS_PER_READ) {
                let records = store.get(ids).await?;
                let unknown = ids.iter().zip(records).filter(|(_, record)| record.is_none());
                self.add_suspects(unknown.map(|(id, _)| (id.clone(), None))).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Adds ids that differ, each with its version in the store.
    async fn add_suspects(
        &mut self,
        differing: impl Iterator<Item = (ProductId, Option<Version>)> + Send,
    ) -> Result<(), PortError> {
        let since = Instant::now();
        self.suspects.extend(differing.map(|(id, stored)| Suspect { id, since, stored }));
        let grace_period = self.comparer.comparison.grace_period;
        if grace_period.is_zero() || self.suspects.len() > MAX_SUSPECTS {
            self.recheck(Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Compares the suspects again. Those that have differed for longer than `grace_period` are reported, and repaired if
    /// that is requested.
    async fn recheck(&mut self, grace_period: Duration) -> Result<(), PortError> {
        let (mut waiting, mut due, mut bytes) = (Vec::new(), Vec::new(), 0);
        let suspects = std::mem::take(&mut self.suspects);
        for chunk in suspects.chunks(IDS_PER_READ) {
            let ids: Vec<ProductId> = chunk.iter().map(|suspect| suspect.id.clone()).collect();
            let drifts = self.comparer.drifts(&ids).await?;
            for (suspect, found) in chunk.iter().zip(drifts) {
                match found {
                    None => {}
                    Some((drift, _)) if suspect.has_caught_up(&drift) => {}
                    Some(found) if suspect.since.elapsed() >= grace_period => {
                        bytes += found.1.as_ref().map_or(0, json_bytes);
                        due.push(found);
                    }
                    Some(_) => waiting.push(suspect.clone()),
                }
            }
            if due.len() >= REPAIR_BATCH || bytes >= REPAIR_BATCH_BYTES {
                self.repair_and_report(std::mem::take(&mut due)).await?;
                bytes = 0;
            }
        }
        self.repair_and_report(due).await?;
        self.suspects = waiting;
        Ok(())
    }

    async fn repair_and_report(&mut self, mut due: Vec<FoundDrift>) -> Result<(), PortError> {
        if self.comparer.comparison.repair && !due.is_empty() {
            self.comparer.repair(&mut due).await?;
        }
        for (drift, _) in due {
            self.counts.count(&drift);
            self.progress.report(VerifyEvent::Drift(drift)).await;
        }
        Ok(())
    }
}

/// Returns the size of a record as JSON.
fn json_bytes(record: &Record) -> usize {
    match record {
        Record::Live(product) => serde_json::to_vec(&**product).map_or(0, |json| json.len()),
        Record::Deleted(_) => 0,
    }
}
