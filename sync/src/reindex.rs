//! Building the index anew from the store, beside the live one: filled, compared, then switched over in one step.

use std::time::Duration;

use async_trait::async_trait;
use domain::ProductId;
use domain::ports::{CompareDepth, Generation, Repair};
use domain::ports::{PortError, PortErrorKind, StoredVersion};
use domain::{Record, Version};
use serde::Serialize;

use crate::reconcile::{
    Comparison, Drift, Event, Listener, RepairStatus, Sides, is_needless, list_error, reconcile,
};

/// Records that are written into the new index together.
const PAGE: usize = 2_000;

/// What is told while an index is rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum Step {
    /// An index that was begun before is gone on with.
    Resumed,
    /// So many records were written into it, of about so many.
    Filling {
        /// Written, or there already.
        done: u64,
        /// About how many there are; none where nobody can tell.
        total: Option<u64>,
    },
    /// So many records were compared with the store.
    Verifying {
        /// Compared.
        done: u64,
        /// About how many there are.
        total: u64,
    },
    /// The index cannot hold a product; it is left out.
    Refused(Drift),
    /// It is live.
    Switched {
        /// Products and tombstones in it.
        documents: u64,
    },
}

/// Builds the index anew, or goes on with what was begun before, and makes it live.
///
/// # Errors
/// When the store or the index fails; what was built is gone on with next time.
pub async fn reindex(sides: &Sides, listener: &mut dyn Listener<Step>) -> Result<(), PortError> {
    if sides.index.create_next().await? {
        listener.tell(Step::Resumed).await;
    }
    fill(sides, listener).await?;
    switch(sides, listener).await
}

/// Makes the previous index live again, once it has caught up with the store; false when there is none that this program
/// can use.
///
/// # Errors
/// As [`reindex`].
pub async fn roll_back(sides: &Sides, listener: &mut dyn Listener<Step>) -> Result<bool, PortError> {
    if !sides.index.restore_previous().await? {
        return Ok(false);
    }
    switch(sides, listener).await?;
    Ok(true)
}

/// Writes what the store holds into the next index. What is there already is passed over, so an end in between costs
/// little.
async fn fill(sides: &Sides, listener: &mut dyn Listener<Step>) -> Result<(), PortError> {
    let total = sides.index.generations().await?.live.map(|live| live.documents);
    let (mut cursor, mut done) = (None::<String>, 0);
    let mut writing: Option<tokio::task::JoinHandle<Result<(), PortError>>> = None;
    loop {
        let page = sides.store.scan(cursor.as_deref(), PAGE).await.map_err(list_error)?;
        // One page is read while the one before is written.
        finish(writing.take()).await?;
        done += page.records.len() as u64;
        let (sides, records) = (sides.clone(), page.records);
        writing = Some(tokio::spawn(async move { write(&sides, records).await }));
        listener.tell(Step::Filling { done, total: total.map(|total| total.max(done)) }).await;
        cursor = page.next;
        if cursor.is_none() {
            return finish(writing).await;
        }
    }
}

async fn finish(writing: Option<tokio::task::JoinHandle<Result<(), PortError>>>) -> Result<(), PortError> {
    let Some(writing) = writing else { return Ok(()) };
    writing.await.map_err(|panic| PortError::new(PortErrorKind::Internal, "filling the new index", panic))?
}

async fn write(sides: &Sides, records: Vec<Record>) -> Result<(), PortError> {
    let ids: Vec<ProductId> = records.iter().map(|record| record.id().clone()).collect();
    let held = sides.index.entries(Generation::Next, &ids, CompareDepth::Versions).await?;
    let repairs: Vec<Repair> = records
        .into_iter()
        .zip(held)
        .filter(|(record, held)| is_wanted(record, held.as_ref().map(|held| held.version)))
        .map(|(record, held)| Repair {
            id: record.id().clone(),
            expected_version: held.map(|held| held.version),
            record: Some(record),
        })
        .collect();
    // What is overtaken was written by sync meanwhile; what is refused the comparison finds.
    sides.index.repair(Generation::Next, &repairs).await.map(drop)
}

/// Whether the new index needs the record: it has an earlier version, and it is no tombstone that nothing can bring back.
fn is_wanted(record: &Record, held: Option<Version>) -> bool {
    let deleted_at = StoredVersion::of(record).deleted_at;
    held < Some(record.version()) && !deleted_at.is_some_and(is_needless)
}

/// Compares the next index with the store and mends it, then makes it live. What others write meanwhile they write into
/// the next index, too, so what they overtook is right, or on its way as it is to the live one.
async fn switch(sides: &Sides, listener: &mut dyn Listener<Step>) -> Result<(), PortError> {
    compare(sides, Generation::Next, CompareDepth::Documents, listener).await?;
    sides.index.promote_next().await?;
    // What was written into the one before alone, by a process that had not seen yet that there was another.
    compare(sides, Generation::Live, CompareDepth::Versions, listener).await?;
    let documents = sides.index.generations().await?.live.map_or(0, |live| live.documents);
    listener.tell(Step::Switched { documents }).await;
    Ok(())
}

async fn compare(
    sides: &Sides,
    generation: Generation,
    look: CompareDepth,
    listener: &mut dyn Listener<Step>,
) -> Result<(), PortError> {
    let comparison = Comparison { generation, look, repair: true, patience: Duration::ZERO, one_in: 1 };
    reconcile(sides, comparison, &mut Comparing(listener)).await.map(drop)
}

/// Hears of a comparison, and tells of it as a step.
struct Comparing<'a>(&'a mut dyn Listener<Step>);

#[async_trait]
impl Listener<Event> for Comparing<'_> {
    async fn tell(&mut self, event: Event) {
        match event {
            Event::Progress { done, total } => self.0.tell(Step::Verifying { done, total }).await,
            Event::Drift(drift @ Drift { repair: RepairStatus::Refused(_), .. }) => {
                self.0.tell(Step::Refused(drift)).await
            }
            Event::Drift(_) => {}
        }
    }
}
