//! The events of `POST /admin/verify`, one JSON object a line.

use domain::{ProductId, Version};
use serde::{Deserialize, Serialize};

use super::Failed;

/// An event of a comparison of the index with the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum VerifyEvent {
    /// The progress so far.
    Progress {
        /// Products and tombstones compared.
        done: u64,
        /// Estimated number of products and tombstones.
        total: u64,
    },
    /// A product that differs.
    Drift(Drift),
    /// The last event of a comparison that ran to its end.
    Summary(Summary),
    /// The last event of a comparison that failed.
    Failed(Failed),
}

/// A product that differs between store and index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// The product.
    #[schema(value_type = String)]
    pub id: ProductId,
    /// The kind of difference.
    pub kind: DriftKind,
    /// The version in the store; null if the id never existed there.
    #[schema(value_type = Option<u64>)]
    pub stored: Option<Version>,
    /// The version in the index; null if the index does not contain the id.
    #[schema(value_type = Option<u64>)]
    pub indexed: Option<Version>,
    /// The result of its repair.
    pub repair: RepairStatus,
}

/// A kind of difference between store and index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DriftKind {
    /// The index lacks a product of the store.
    Missing,
    /// The index has an older version than the store.
    Stale,
    /// The index has a product that is deleted in the store, or never existed there.
    Orphaned,
    /// The index has a newer version than the store, for example after a restore of the store.
    Newer,
    /// The versions are equal, but the indexed document differs from the document of the product.
    Differing,
}

impl DriftKind {
    /// Returns the name in JSON and in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Orphaned => "orphaned",
            Self::Newer => "newer",
            Self::Differing => "differing",
        }
    }
}

/// The result of repairing a product that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RepairStatus {
    /// No repair was requested.
    None,
    /// The product is repaired.
    Done,
    /// The index rejected the product, with the reason.
    #[schema(title = "RepairRefused")]
    Refused(String),
    /// Other writers changed the product during every attempt.
    Overtaken,
}

/// The result of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// True if the index equals the store now.
    pub is_converged: bool,
    /// The numbers of products by kind of difference.
    #[serde(flatten)]
    pub counts: DriftCounts,
}

/// Numbers of products that differ, and of repairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftCounts {
    /// Products and tombstones of the store that were compared.
    pub compared: u64,
    /// Products that the index lacks.
    pub missing: u64,
    /// Products that the index has in an older version.
    pub stale: u64,
    /// Products that only the index has.
    pub orphaned: u64,
    /// Products that the index has in a newer version.
    pub newer: u64,
    /// Products whose indexed document differs at the same version.
    pub differing: u64,
    /// Differences that were repaired.
    pub repaired: u64,
    /// Differences that cannot be repaired because the index rejects the product.
    pub refused: u64,
}

impl DriftCounts {
    /// Counts a product that differs, with the result of its repair.
    pub fn count(&mut self, drift: &Drift) {
        let counter = match drift.kind {
            DriftKind::Missing => &mut self.missing,
            DriftKind::Stale => &mut self.stale,
            DriftKind::Orphaned => &mut self.orphaned,
            DriftKind::Newer => &mut self.newer,
            DriftKind::Differing => &mut self.differing,
        };
        *counter += 1;
        self.repaired += u64::from(drift.repair == RepairStatus::Done);
        self.refused += u64::from(matches!(drift.repair, RepairStatus::Refused(_)));
    }

    /// Returns the number of products that differed.
    pub fn differences(&self) -> u64 {
        self.by_kind().iter().map(|(_, count)| count).sum()
    }

    /// Returns the number of each kind of difference, in the order of display.
    pub fn by_kind(&self) -> [(DriftKind, u64); 5] {
        [
            (DriftKind::Missing, self.missing),
            (DriftKind::Stale, self.stale),
            (DriftKind::Orphaned, self.orphaned),
            (DriftKind::Newer, self.newer),
            (DriftKind::Differing, self.differing),
        ]
    }

    /// Returns true if the index equals the store now: every difference is repaired.
    pub fn is_converged(&self) -> bool {
        self.repaired == self.differences()
    }
}

impl From<DriftCounts> for Summary {
    fn from(counts: DriftCounts) -> Self {
        Self { is_converged: counts.is_converged(), counts }
    }
}

impl From<Failed> for VerifyEvent {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_one_flat_object() {
        let counts = DriftCounts { compared: 9, orphaned: 1, ..DriftCounts::default() };
        let event = VerifyEvent::Summary(counts.into());
        let json = serde_json::to_string(&event).unwrap();
        assert!(json.starts_with(r#"{"event":"summary","isConverged":false,"compared":9,"#), "{json}");
        assert_eq!(serde_json::from_str::<VerifyEvent>(&json).unwrap(), event);
    }

    #[test]
    fn a_drift_is_read_as_it_was_written() {
        for repair in [RepairStatus::None, RepairStatus::Refused("too large".to_owned())] {
            let (stored, indexed) = (None, Some(Version(2)));
            let id = ProductId::parse("lamp-1").unwrap();
            let event = VerifyEvent::Drift(Drift { id, kind: DriftKind::Newer, stored, indexed, repair });
            let json = serde_json::to_string(&event).unwrap();
            assert!(json.contains(r#""kind":"newer","stored":null,"indexed":2"#), "{json}");
            assert_eq!(serde_json::from_str::<VerifyEvent>(&json).unwrap(), event);
        }
    }
}
