//! The difference between an index entry and its record.

use api::wire::verify::DriftKind;
use domain::ports::{CompareDepth, IndexEntry, StoredVersion};
use domain::{ProductId, Record};

use crate::store_and_index::is_expired_tombstone;

/// The version or the record of an id, as read from the store.
pub(super) enum Stored {
    Version(StoredVersion),
    Record(Record),
}

impl Stored {
    pub(super) fn id(&self) -> &ProductId {
        match self {
            Self::Version(stored) => &stored.id,
            Self::Record(record) => record.id(),
        }
    }

    pub(super) fn version(&self) -> StoredVersion {
        match self {
            Self::Version(stored) => stored.clone(),
            Self::Record(record) => StoredVersion::of(record),
        }
    }
}

/// Returns the entry that a version implies, without a fingerprint.
pub(super) fn expected_of_version(stored: &StoredVersion) -> IndexEntry {
    let is_live = stored.deleted_at.is_none();
    IndexEntry { id: stored.id.clone(), version: stored.version, is_live, fingerprint: None }
}

/// Returns true if the index has the expected entry. An expired tombstone may be absent.
pub(super) fn is_equal(
    expected: &IndexEntry,
    deleted_at: Option<jiff::Timestamp>,
    entry: Option<&IndexEntry>,
) -> bool {
    let Some(entry) = entry else { return deleted_at.is_some_and(is_expired_tombstone) };
    let is_same_document = entry.fingerprint.is_none()
        || expected.fingerprint.is_none()
        || entry.fingerprint == expected.fingerprint;
    entry.version == expected.version && entry.is_live == expected.is_live && is_same_document
}

/// Returns the kind of difference between a record and its entry, or `None` if they are equal.
///
/// `expected` is the projection of the record; if it failed, only versions are compared.
pub(super) fn drift_kind(
    record: Option<&Record>,
    expected: Option<Result<IndexEntry, String>>,
    entry: Option<&IndexEntry>,
    depth: CompareDepth,
) -> Option<DriftKind> {
    let Some(record) = record else { return entry.map(|_| DriftKind::Orphaned) };
    let stored = StoredVersion::of(record);
    let expected = match (depth, expected) {
        (CompareDepth::Documents, Some(Ok(expected))) => expected,
        _ => expected_of_version(&stored),
    };
    if is_equal(&expected, stored.deleted_at, entry) {
        return None;
    }
    Some(match entry {
        None => DriftKind::Missing,
        Some(entry) if entry.version > expected.version => DriftKind::Newer,
        Some(entry) if entry.is_live && !expected.is_live => DriftKind::Orphaned,
        Some(entry) if entry.version < expected.version => DriftKind::Stale,
        Some(_) => DriftKind::Differing,
    })
}
