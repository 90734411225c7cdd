//! Rebuild of the index from the store beside the live one: fill, compare, switch in one step.

use std::time::Duration;

use api::wire::reindex::ReindexEvent;
use api::wire::verify::{Drift, RepairStatus, VerifyEvent};
use async_trait::async_trait;
use domain::ports::{CompareDepth, Generation, PortError, PortErrorKind, Repair, StoredVersion};
use domain::{ProductId, Record, Version};
use tokio::task::JoinHandle;

use crate::progress::Progress;
use crate::reconcile::{Comparison, reconcile};
use crate::store_and_index::{StoreAndIndex, is_expired_tombstone, list_error};

/// Records that are written to the new index at a time.
const PAGE: usize = 2_000;

/// Rebuilds the index, continuing an unfinished rebuild if there is one, and makes the new index live.
///
/// # Errors
/// When the store or the index fails. The unfinished index stays, and the next rebuild continues it.
pub async fn reindex(
    sides: &StoreAndIndex,
    progress: &mut dyn Progress<ReindexEvent>,
) -> Result<(), PortError> {
    if sides.index.create_next().await? {
        progress.report(ReindexEvent::Resumed).await;
    }
    fill(sides, progress).await?;
    switch(sides, progress).await
}

/// Makes the previous index live again, after it has caught up with the store. Returns false if there is none that this
/// program can use.
///
/// # Errors
/// As [`reindex`].
pub async fn roll_back(
    sides: &StoreAndIndex,
    progress: &mut dyn Progress<ReindexEvent>,
) -> Result<bool, PortError> {
    if !sides.index.restore_previous().await? {
        return Ok(false);
    }
    switch(sides, progress).await?;
    Ok(true)
}

/// Writes the records of the store to the next index. Records that are there already are skipped, so that continuing
/// costs little.
async fn fill(sides: &StoreAndIndex, progress: &mut dyn Progress<ReindexEvent>) -> Result<(), PortError> {
    let total = sides.index.generations().await?.live.map(|live| live.documents);
    let (mut cursor, mut done) = (None::<String>, 0);
    let mut writing: Option<JoinHandle<Result<(), PortError>>> = None;
    loop {
        let page = sides.store.scan(cursor.as_deref(), PAGE).await.map_err(list_error)?;
        // One page is read while the page before is written.
        finish(writing.take()).await?;
        done += page.records.len() as u64;
        let (sides, records) = (sides.clone(), page.records);
        writing = Some(tokio::spawn(async move { write(&sides, records).await }));
        progress.report(ReindexEvent::Filling { done, total: total.map(|total| total.max(done)) }).await;
        cursor = page.next;
        if cursor.is_none() {
            return finish(writing).await;
        }
    }
}

async fn finish(writing: Option<JoinHandle<Result<(), PortError>>>) -> Result<(), PortError> {
    let Some(writing) = writing else { return Ok(()) };
    writing.await.map_err(|panic| PortError::new(PortErrorKind::Internal, "filling the new index", panic))?
}

async fn write(sides: &StoreAndIndex, records: Vec<Record>) -> Result<(), PortError> {
    let ids: Vec<ProductId> = records.iter().map(|record| record.id().clone()).collect();
    let entries = sides.index.entries(Generation::Next, &ids, CompareDepth::Versions).await?;
    let versions = entries.into_iter().map(|entry| entry.map(|entry| entry.version));
    let repairs: Vec<Repair> = records
        .into_iter()
        .zip(versions)
        .filter(|(record, indexed)| is_needed(record, *indexed))
        .map(|(record, expected_version)| Repair {
            id: record.id().clone(),
            expected_version,
            record: Some(record),
        })
        .collect();
    // The outcomes can be ignored: an overtaken record was written by a consumer, and the comparison finds refused ones.
    sides.index.repair(Generation::Next, &repairs).await.map(drop)
}

/// Returns true if the new index needs the record: it has an older version or none, and the record is not an expired
/// tombstone.
fn is_needed(record: &Record, indexed: Option<Version>) -> bool {
    let deleted_at = StoredVersion::of(record).deleted_at;
    indexed < Some(record.version()) && !deleted_at.is_some_and(is_expired_tombstone)
}

/// Compares and repairs the next index, then makes it live. Meanwhile consumers write to both generations, so a record that
/// the comparison missed because a consumer overtook it is correct, or its change is still in the queue.
async fn switch(sides: &StoreAndIndex, progress: &mut dyn Progress<ReindexEvent>) -> Result<(), PortError> {
    compare(sides, Generation::Next, CompareDepth::Documents, progress).await?;
    sides.index.promote_next().await?;
    // Finds changes that a process wrote only to the previous index, because it had not noticed the next one.
    compare(sides, Generation::Live, CompareDepth::Versions, progress).await?;
    let documents = sides.index.generations().await?.live.map_or(0, |live| live.documents);
    progress.report(ReindexEvent::Switched { documents }).await;
    Ok(())
}

async fn compare(
    sides: &StoreAndIndex,
    generation: Generation,
    depth: CompareDepth,
    progress: &mut dyn Progress<ReindexEvent>,
) -> Result<(), PortError> {
    let comparison = Comparison { generation, depth, repair: true, grace_period: Duration::ZERO, one_in: 1 };
    reconcile(sides, comparison, &mut AsReindexEvents(progress)).await.map(drop)
}

/// Reports the events of a comparison as events of a rebuild.
struct AsReindexEvents<'a>(&'a mut dyn Progress<ReindexEvent>);

#[async_trait]
impl Progress<VerifyEvent> for AsReindexEvents<'_> {
    async fn report(&mut self, event: VerifyEvent) {
        match event {
            VerifyEvent::Progress { done, total } => {
                self.0.report(ReindexEvent::Verifying { done, total }).await;
            }
            VerifyEvent::Drift(drift @ Drift { repair: RepairStatus::Refused(_), .. }) => {
                self.0.report(ReindexEvent::Refused(drift)).await;
            }
            VerifyEvent::Drift(_) | VerifyEvent::Summary(_) | VerifyEvent::Failed(_) => {}
        }
    }
}
