//! Repair of differences.

use api::wire::verify::{Drift, RepairStatus};
use domain::ProductId;
use domain::ports::{PortError, Repair, RepairOutcome};

use super::compare::{Comparer, FoundDrift};

/// The maximum number of attempts to repair a product that other writers keep changing.
const MAX_OVERTAKEN_ATTEMPTS: usize = 5;

impl Comparer<'_> {
    /// Repairs all differences and sets the status of each.
    pub(super) async fn repair(&self, found: &mut [FoundDrift]) -> Result<(), PortError> {
        let repair = |(drift, record): &FoundDrift| Repair {
            id: drift.id.clone(),
            expected_version: drift.indexed,
            record: record.clone(),
        };
        let repairs: Vec<Repair> = found.iter().map(repair).collect();
        let outcomes = self.sides.index.repair(self.comparison.generation, &repairs).await?;
        for ((drift, _), outcome) in found.iter_mut().zip(outcomes) {
            drift.repair = match outcome {
                RepairOutcome::Done => RepairStatus::Done,
                RepairOutcome::Overtaken => self.retry_overtaken(&drift.id).await?,
                RepairOutcome::Refused(reason) => RepairStatus::Refused(reason),
            };
        }
        Ok(())
    }

    /// Repairs a product that another writer changed since it was compared. Usually that writer wrote what the repair
    /// would have written.
    async fn retry_overtaken(&self, id: &ProductId) -> Result<RepairStatus, PortError> {
        for _ in 0..MAX_OVERTAKEN_ATTEMPTS {
            let again = self.drifts(std::slice::from_ref(id)).await?.pop().flatten();
            let Some((Drift { indexed: expected_version, .. }, record)) = again else {
                return Ok(RepairStatus::Done);
            };
            let repair = Repair { id: id.clone(), expected_version, record };
            match self.sides.index.repair(self.comparison.generation, &[repair]).await?.pop() {
                Some(RepairOutcome::Done) => return Ok(RepairStatus::Done),
                Some(RepairOutcome::Refused(reason)) => return Ok(RepairStatus::Refused(reason)),
                Some(RepairOutcome::Overtaken) | None => {}
            }
        }
        Ok(RepairStatus::Overtaken)
    }
}
