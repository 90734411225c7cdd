//! The counts of an import.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use domain::ports::WriteOutcome;

/// Counts of an import.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// New products.
    pub created: u64,
    /// Products with a new version.
    pub updated: u64,
    /// Products without changes.
    pub unchanged: u64,
    /// Products that were validated only.
    pub checked: u64,
    /// Products that were deleted because the files do not have them; `None` without a synchronisation.
    pub deleted: Option<u64>,
    /// Rejected products.
    pub rejected: u64,
    /// The rejects files.
    pub rejects: Vec<PathBuf>,
    /// True if nothing was to be written.
    pub is_dry_run: bool,
    /// Duration of the import.
    pub elapsed: Duration,
}

impl Summary {
    /// Returns the number of accepted products.
    pub fn accepted(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.checked
    }

    /// Returns the accepted products per second.
    pub fn rate(&self) -> f64 {
        self.accepted() as f64 / self.elapsed.as_secs_f64().max(1e-6)
    }

    /// Counts the outcome of a write.
    pub(super) fn count(&mut self, outcome: WriteOutcome) {
        match outcome {
            WriteOutcome::Created => self.created += 1,
            WriteOutcome::Unchanged => self.unchanged += 1,
            WriteOutcome::Updated | WriteOutcome::Deleted => self.updated += 1,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_dry_run {
            write!(f, "nothing was written: {} would be accepted, {} rejected", self.checked, self.rejected)?;
        } else {
            let Self { created, updated, unchanged, rejected, .. } = self;
            write!(f, "{created} created, {updated} updated, {unchanged} unchanged, {rejected} rejected")?;
            if let Some(deleted) = self.deleted {
                write!(f, ", {deleted} deleted")?;
            }
        }
        write!(f, " in {:.1} s, {:.0} products/s", self.elapsed.as_secs_f64(), self.rate())
    }
}
