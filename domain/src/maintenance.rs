//! Comparing an index with the store, mending it, and building the next one beside it: the port behind `noren verify`
//! and `noren reindex`.
//!
//! An index has generations: the live one, which is searched; at times a next one, which is being built and gets every
//! change that the live one gets; and the previous one, which is kept so that one can go back to it.

use async_trait::async_trait;

use crate::change::Record;
use crate::ports::{IndexWriter, PortError};
use crate::product::{ProductId, Version};

/// How long a tombstone is needed in an index: longer than any message can be under way, so that none can bring its
/// product back. SQS keeps a message for 14 days at most.
pub const TOMBSTONE_RETENTION: std::time::Duration = std::time::Duration::from_secs(15 * 24 * 60 * 60);

/// Which generation of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// The one that is searched.
    Live,
    /// The one that is being built.
    Next,
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// At versions only, which costs little.
    Versions,
    /// At the whole documents.
    Documents,
}

/// Stands for a projected document: the upper half for the product's JSON as it lies in the index, the lower half for
/// everything else that was made of it. Equal documents have equal fingerprints; others most likely have not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub u128);

/// What an index holds under an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The product.
    pub id: ProductId,
    /// Its version, or that of its tombstone.
    pub version: Version,
    /// Whether it is a product, also one that search does not show; else it is a tombstone.
    pub is_live: bool,
    /// What was made of it; none where only versions were looked at.
    pub fingerprint: Option<Fingerprint>,
}

/// Makes an index hold a record, or nothing, under an id, whatever version it held before.
#[derive(Debug, Clone)]
pub struct Mend {
    /// Under which id.
    pub id: ProductId,
    /// What the index held when it was looked at. Where it holds another version by now, nothing is changed.
    pub seen: Option<Version>,
    /// What it shall hold: what the store holds; nothing where the store never had the id.
    pub record: Option<Record>,
}

/// What became of a mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mended {
    /// The index holds the record, or nothing, as it should.
    Done,
    /// The index holds another version than was seen, so nothing was changed: look again.
    Overtaken,
    /// The index cannot hold this document, however often it is tried.
    Refused(String),
}

/// The generations that an index has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generations {
    /// The one that is searched; none where it cannot be used by this program, so that only a rebuild helps.
    pub live: Option<GenerationState>,
    /// The one that is being built.
    pub next: Option<GenerationState>,
    /// The name of the one that was live before.
    pub previous: Option<String>,
}

/// One generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationState {
    /// Its name: a folder, or an index in OpenSearch.
    pub name: String,
    /// Documents in it, tombstones included.
    pub documents: u64,
}

/// The writing side of an index as those see it who look after it.
#[async_trait]
pub trait IndexMaintenance: IndexWriter {
    /// What the index holds once each record is applied, in the order given; the error of one that it cannot hold says
    /// why. It is pure, the same projection that [`IndexWriter::apply`] goes by, and
    /// takes processor time.
    fn projected(&self, records: &[Record]) -> Vec<Result<Held, String>>;

    /// What a generation holds under each id, in the order asked. What was applied before is seen.
    async fn held(
        &self,
        generation: Generation,
        ids: &[ProductId],
        look: Look,
    ) -> Result<Vec<Option<Held>>, PortError>;

    /// What a generation holds, in the order of the bytes of ids, from behind `after` on; fewer than `limit` only at the
    /// end. What is there from the first call to the last comes exactly once.
    async fn scan(
        &self,
        generation: Generation,
        after: Option<&ProductId>,
        limit: usize,
        look: Look,
    ) -> Result<Vec<Held>, PortError>;

    /// Mends each on its own, at most one for an id. Everything that is answered with `Done` is durable and found by
    /// searches that begin after this returns. The answers are in the order given.
    async fn mend(&self, generation: Generation, mends: &[Mend]) -> Result<Vec<Mended>, PortError>;

    /// Which generations there are.
    async fn generations(&self) -> Result<Generations, PortError>;

    /// Makes an empty next generation, which gets every change from then on that the live one gets. Where one was begun
    /// before and can be gone on with, it is kept as it is; the answer is whether it was.
    async fn begin(&self) -> Result<bool, PortError>;

    /// Makes the previous generation the next one, which gets every change from then on; whether there is one that this
    /// program can use. A next one that was begun before is removed.
    async fn recall(&self) -> Result<bool, PortError>;

    /// Makes the next generation the live one, and the live one the previous one. Every searcher changes over in one step,
    /// as soon as it has opened it; no search fails. What was the previous one is removed. Without a next one it is an
    /// error.
    async fn promote(&self) -> Result<(), PortError>;

    /// Removes the next generation, if there is one.
    async fn discard(&self) -> Result<(), PortError>;
}
