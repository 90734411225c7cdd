//! Comparing an index with the store, repairing it, and building its next generation: the port behind `noren verify` and
//! `noren reindex`.
//!
//! An index has up to three generations: the live one, which is searched; the next one, while it is being built, which
//! receives every change that the live one receives; and the previous one, which is kept for a rollback.

use std::time::Duration;

use async_trait::async_trait;

use super::error::PortError;
use super::index::IndexWriter;
use crate::change::Record;
use crate::product::{ProductId, Version};

/// The minimum time for which an index keeps a tombstone: longer than any message can be in flight, so that no late message
/// revives the product. SQS keeps a message for at most 14 days.
pub const TOMBSTONE_RETENTION: Duration = Duration::from_secs(15 * 24 * 60 * 60);

/// The time after which a claim to the next generation ends unless it is renewed; renew it at least four times as often.
pub const CLAIM_EXPIRY: Duration = Duration::from_secs(20);

/// A generation of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// The generation that is searched.
    Live,
    /// The generation that is being built.
    Next,
}

/// The part of each document that a comparison reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareDepth {
    /// Versions only, which is cheap.
    Versions,
    /// Whole documents.
    Documents,
}

/// A hash of a projected document. The upper 64 bits hash the product's JSON as stored in the index, the lower 64 bits
/// everything else. Equal documents have equal fingerprints; different documents almost certainly have different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub u128);

/// The entry of an index under an id: a product or a tombstone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// The product.
    pub id: ProductId,
    /// The version of the product or of its tombstone.
    pub version: Version,
    /// True for a product, including hidden ones; false for a tombstone.
    pub is_live: bool,
    /// The hash of the document; `None` if only versions were compared, as in a live generation of an older format.
    pub fingerprint: Option<Fingerprint>,
}

/// A request to replace the entry of an index under an id, even by an older version, if the index still holds the expected version.
#[derive(Debug, Clone)]
pub struct Repair {
    /// The product.
    pub id: ProductId,
    /// The version that the index held when it was compared. If it holds another version by now, nothing is changed.
    pub expected_version: Option<Version>,
    /// The record in the store, which the index is to hold; `None` if the store never had the id.
    pub record: Option<Record>,
}

/// The outcome of a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepairOutcome {
    /// The index now matches the store.
    Done,
    /// The index no longer holds the expected version, so nothing was changed: compare again.
    Overtaken,
    /// The index cannot hold this document; retrying does not help.
    Refused(String),
}

/// The generations of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generations {
    /// The live generation; `None` if this program cannot use it and only a reindex helps.
    pub live: Option<GenerationState>,
    /// The generation that is being built.
    pub next: Option<GenerationState>,
    /// The name of the generation that was live before.
    pub previous: Option<String>,
}

/// The name and size of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationState {
    /// The name: a folder, or an index in OpenSearch.
    pub name: String,
    /// The number of documents, including tombstones.
    pub documents: u64,
    /// False if an older version of Noren created it in a format that this version can search and write, but replaces by a
    /// rebuild.
    pub is_current: bool,
}

/// The maintenance side of an index.
#[async_trait]
pub trait IndexMaintenance: IndexWriter {
    /// Returns the entry that applying each record would produce, in request order, or the reason why the index cannot
    /// hold the record. A pure function: the same projection as in [`IndexWriter::apply`]. CPU-bound.
    fn expected_entries(&self, records: &[Record]) -> Vec<Result<IndexEntry, String>>;

    /// Returns the entry of a generation for each id, in request order. Observes everything applied before the call.
    async fn entries(
        &self,
        generation: Generation,
        ids: &[ProductId],
        depth: CompareDepth,
    ) -> Result<Vec<Option<IndexEntry>>, PortError>;

    /// Returns entries of a generation in byte order of their ids, starting after `after`; fewer than `limit` only at the
    /// end. A document that exists throughout the scan is returned exactly once.
    async fn scan(
        &self,
        generation: Generation,
        after: Option<&ProductId>,
        limit: usize,
        depth: CompareDepth,
    ) -> Result<Vec<IndexEntry>, PortError>;

    /// Applies repairs independently, at most one per id, and returns the outcomes in request order. Every repair that is
    /// `Done` is durable and visible to searches that begin after this returns.
    async fn repair(
        &self,
        generation: Generation,
        repairs: &[Repair],
    ) -> Result<Vec<RepairOutcome>, PortError>;

    /// Returns the generations that exist.
    async fn generations(&self) -> Result<Generations, PortError>;

    /// Keeps an unfinished next generation of the current format and returns `true`; otherwise creates an empty one and returns
    /// `false`. From then on it receives every change that the live generation receives.
    async fn create_next(&self) -> Result<bool, PortError>;

    /// Claims the next generation for the process that fills it, or renews the claim. Returns false if another process holds
    /// it, so that of several processes only one rebuilds. A claim that is not renewed for [`CLAIM_EXPIRY`] ends. If two
    /// processes fill one generation nevertheless, they waste time but do no harm.
    async fn claim_next(&self) -> Result<bool, PortError> {
        // The default is for an index with one writer at a time.
        Ok(true)
    }

    /// Makes the previous generation the next one, replacing an unfinished next one, and returns `true`; returns `false` if
    /// there is none that this program can use. From then on it receives every change that the live generation receives.
    async fn restore_previous(&self) -> Result<bool, PortError>;

    /// Makes the next generation live and the live one previous; removes the old previous one. Each searcher switches in
    /// one step once it has opened the new generation, and no search fails.
    ///
    /// # Errors
    /// Fails if there is no next generation.
    async fn promote_next(&self) -> Result<(), PortError>;

    /// Removes the next generation, if there is one.
    async fn discard_next(&self) -> Result<(), PortError>;
}
