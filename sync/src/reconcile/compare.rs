//! Single steps of a comparison: entries of the index against the store.

use api::wire::verify::{Drift, RepairStatus};
use domain::ports::{CompareDepth, IndexEntry, PortError, StoredVersion};
use domain::{ProductId, Record, Version};

use super::comparison::Comparison;
use super::drift::{Stored, drift_kind, expected_of_version, is_equal};
use crate::store_and_index::StoreAndIndex;

/// A difference, with the record in the store to repair it from.
pub(super) type FoundDrift = (Drift, Option<Record>);

/// A comparison of one store with its index.
#[derive(Clone, Copy)]
pub(super) struct Comparer<'a> {
    pub(super) sides: &'a StoreAndIndex,
    pub(super) comparison: Comparison,
}

impl Comparer<'_> {
    pub(super) async fn entries(&self, stored: &[Stored]) -> Result<Vec<Option<IndexEntry>>, PortError> {
        let ids: Vec<ProductId> = stored.iter().map(|stored| stored.id().clone()).collect();
        self.sides.index.entries(self.comparison.generation, &ids, self.comparison.depth).await
    }

    /// Returns the ids whose entries differ, with their versions in the store.
    pub(super) async fn differing(
        &self,
        stored: Vec<Stored>,
        entries: &[Option<IndexEntry>],
    ) -> Result<Vec<(ProductId, Version)>, PortError> {
        let versions: Vec<StoredVersion> = stored.iter().map(Stored::version).collect();
        let expected = self.expected(stored, &versions).await?;
        let is_right = |stored: &StoredVersion, expected: Result<IndexEntry, String>, entry| {
            expected.is_ok_and(|expected| is_equal(&expected, stored.deleted_at, entry))
        };
        let all = versions.into_iter().zip(expected).zip(entries);
        let differing =
            all.filter_map(|((stored, expected), entry)| match is_right(&stored, expected, entry.as_ref()) {
                true => None,
                false => Some((stored.id, stored.version)),
            });
        Ok(differing.collect())
    }

    /// Returns the entries that the index should have; an error for a record that it cannot hold.
    async fn expected(
        &self,
        stored: Vec<Stored>,
        versions: &[StoredVersion],
    ) -> Result<Vec<Result<IndexEntry, String>>, PortError> {
        if self.comparison.depth == CompareDepth::Versions {
            return Ok(versions.iter().map(|stored| Ok(expected_of_version(stored))).collect());
        }
        let record = |stored| match stored {
            Stored::Record(record) => Some(record),
            Stored::Version(_) => None,
        };
        // A comparison of documents reads records only.
        self.sides.expected_entries(stored.into_iter().filter_map(record).collect()).await
    }

    /// Returns the current difference of each id, in the order given; `None` for an id that is equal.
    pub(super) async fn drifts(&self, ids: &[ProductId]) -> Result<Vec<Option<FoundDrift>>, PortError> {
        let Comparison { generation, depth, .. } = self.comparison;
        // The index is read before the store, so that every version in the index is in the store by then.
        let entries = self.sides.index.entries(generation, ids, depth).await?;
        let records = self.sides.store.get(ids).await?;
        let existing: Vec<Record> = records.iter().flatten().cloned().collect();
        let mut expected = self.sides.expected_entries(existing).await?.into_iter();
        let mut drifts = Vec::with_capacity(ids.len());
        for ((id, entry), record) in ids.iter().zip(entries).zip(records) {
            let expected = record.as_ref().and_then(|_| expected.next());
            let kind = drift_kind(record.as_ref(), expected, entry.as_ref(), depth);
            drifts.push(kind.map(|kind| {
                let drift = Drift {
                    id: id.clone(),
                    kind,
                    stored: record.as_ref().map(Record::version),
                    indexed: entry.map(|entry| entry.version),
                    repair: RepairStatus::None,
                };
                (drift, record)
            }));
        }
        Ok(drifts)
    }
}
