//! Repairs entries that differ from the store.
//!
//! A repair to a higher or equal version is one write. OpenSearch rejects a write of a lower version, as is needed
//! after the store was restored from a backup: such a repair removes the document first, then writes the lower version
//! once OpenSearch has forgotten the removed one.

use std::time::Duration;

use domain::ports::{Applied, CompareDepth, PortError, Repair, RepairOutcome};
use domain::{ProductId, Version};
use text::projection::Projector;
use tokio::time::Instant;

use crate::client::Client;
use crate::write::bulk::{BulkLines, BulkWriter, VersionCheck};
use crate::write::entries::entries;

/// The time limit of retrying writes of a lower version. OpenSearch remembers the version of a removed document for the
/// `gc_deletes` of the index, one second.
const LOWER_VERSION_TIMEOUT: Duration = Duration::from_secs(20);
/// The pause between these writes.
const LOWER_VERSION_PAUSE: Duration = Duration::from_millis(500);

/// A repairer of the index behind an alias.
pub(super) struct Repairer<'a> {
    pub(super) client: &'a Client,
    pub(super) alias: &'a str,
    pub(super) index_created_at: i64,
    pub(super) projector: Projector,
}

impl Repairer<'_> {
    /// Applies the repairs and returns the outcomes in their order.
    pub(super) async fn repair(&mut self, repairs: &[Repair]) -> Result<Vec<RepairOutcome>, PortError> {
        let all: Vec<&Repair> = repairs.iter().collect();
        let mut outcomes = self.send(&all, Self::first_lines).await?;
        let removed: Vec<usize> = (0..repairs.len())
            .filter(|at| lowers_version(&repairs[*at]) && outcomes[*at] == RepairOutcome::Done)
            .collect();
        if !removed.is_empty() {
            let lowered: Vec<&Repair> = removed.iter().map(|at| &repairs[*at]).collect();
            for (at, outcome) in removed.into_iter().zip(self.write_lower_versions(&lowered).await?) {
                outcomes[at] = outcome;
            }
        }
        Ok(outcomes)
    }

    /// Sends the lines of each repair and makes them visible.
    async fn send(
        &mut self,
        repairs: &[&Repair],
        lines: fn(&mut Self, &Repair) -> Result<BulkLines, String>,
    ) -> Result<Vec<RepairOutcome>, PortError> {
        let mut bulk = BulkWriter::new(self.client, self.alias, repairs.len());
        for (position, repair) in repairs.iter().enumerate() {
            bulk.add(position, lines(self, repair)).await?;
        }
        let outcome = |applied| match applied {
            Applied::Done => RepairOutcome::Done,
            Applied::Stale => RepairOutcome::Overtaken,
            Applied::Refused(reason) => RepairOutcome::Refused(reason),
        };
        Ok(bulk.finish().await?.into_iter().map(outcome).collect())
    }

    /// Returns the lines that remove or replace the document.
    fn first_lines(&mut self, repair: &Repair) -> Result<BulkLines, String> {
        let Some(record) = repair.record.as_ref().filter(|_| !lowers_version(repair)) else {
            return removal(repair);
        };
        // Replacing a document with one of the same version must be explicit.
        let version_check = match repair.expected_version == Some(record.version()) {
            true => VersionCheck::NotOlder,
            false => VersionCheck::Newer,
        };
        BulkLines::index(record, version_check, self.index_created_at, &mut self.projector)
    }

    /// Returns the lines that write a document after its removal.
    fn lower_version_lines(&mut self, repair: &Repair) -> Result<BulkLines, String> {
        match &repair.record {
            Some(record) => {
                BulkLines::index(record, VersionCheck::Newer, self.index_created_at, &mut self.projector)
            }
            None => removal(repair),
        }
    }

    /// Writes lower versions in place of documents that were just removed. Retries until OpenSearch accepts all of them, at most for
    /// [`LOWER_VERSION_TIMEOUT`].
    async fn write_lower_versions(&mut self, repairs: &[&Repair]) -> Result<Vec<RepairOutcome>, PortError> {
        let started = Instant::now();
        loop {
            let outcomes = self.send(repairs, Self::lower_version_lines).await?;
            // In a later round, a document that an earlier round wrote is reported as `Overtaken`.
            if started.elapsed() > LOWER_VERSION_TIMEOUT || !outcomes.contains(&RepairOutcome::Overtaken) {
                return Ok(outcomes);
            }
            let ids: Vec<ProductId> = repairs.iter().map(|repair| repair.id.clone()).collect();
            let entries = entries(self.client, self.alias, &ids, CompareDepth::Versions).await?;
            if entries.iter().all(Option::is_some) {
                return Ok(repairs.iter().map(|_| RepairOutcome::Done).collect());
            }
            tokio::time::sleep(LOWER_VERSION_PAUSE).await;
        }
    }
}

/// Returns true if a repair replaces a later version with an earlier one, as after a restore of the store.
fn lowers_version(repair: &Repair) -> bool {
    repair.record.as_ref().is_some_and(|record| Some(record.version()) < repair.expected_version)
}

/// Returns the line that removes the document, unless its version is later than the expected one.
fn removal(repair: &Repair) -> Result<BulkLines, String> {
    BulkLines::delete(&repair.id, repair.expected_version.unwrap_or(Version::FIRST))
}
