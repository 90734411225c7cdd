//! The search index: its writing and its reading side.

use std::sync::Arc;

use async_trait::async_trait;

use super::error::{PortError, PortErrorKind};
use crate::change::Change;
use crate::product::{Product, ProductId, Version};
use crate::search::{FacetRequest, FacetValue, SearchAnswer, SearchRequest};

/// The writing side of an index.
#[async_trait]
pub trait IndexWriter: Send + Sync {
    /// Applies changes, at most one per product, and returns the outcomes in request order. Every change with an outcome
    /// is durable and visible to searches that begin after this returns.
    ///
    /// 1. A version at or below the one that the index holds, of a product or a tombstone, changes nothing and is
    ///    [`Applied::Stale`], even after a restart.
    /// 2. A delete leaves a tombstone with its version.
    ///
    /// # Errors
    /// On error the outcome is unknown; retrying the same changes is safe.
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError>;

    /// Succeeds if the index can be written now.
    async fn ready(&self) -> Result<(), PortError>;

    /// Runs now the background work that makes searches faster, such as merging segments, and waits for it. Search results
    /// do not change.
    async fn optimize(&self) -> Result<(), PortError> {
        Ok(())
    }
}

/// The outcome of applying a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// The index now holds the change.
    Done,
    /// The index already held this version or a later one.
    Stale,
    /// The index cannot hold this document; retrying does not help.
    Refused(String),
}

/// The reading side of an index.
#[async_trait]
pub trait SearchIndex: Send + Sync {
    /// Runs searches on one snapshot of the index and returns the answers in request order. [`SearchRequest`] and
    /// [`SearchAnswer`] document their parts.
    ///
    /// **Where words match.** A word matches in the name, brand, sku, category, tags, attributes and description:
    ///
    /// 1. exactly;
    /// 2. in singular or plural;
    /// 3. joined with its neighbour or split from it;
    /// 4. as a synonym that the shop's rules name;
    /// 5. as a prefix, if it is the last word and either the request is a prefix query or fewer than [`ENOUGH_PRODUCTS`]
    ///    products have it as a whole word.
    ///
    /// Every word must match, unless the request's [match mode](crate::search::MatchMode) says otherwise.
    ///
    /// **Typos.** If fewer than [`FEW_PRODUCTS`] products have every word, regardless of filters, then words that fewer than
    /// [`FEW_PRODUCTS`] products have may also match with typos: none in words of up to 2 letters or with digits, one in
    /// words of 3 to 5 letters, two in longer ones.
    ///
    /// **Relaxing.** If still fewer than [`ENOUGH_PRODUCTS`] products have every word, the order is by relevance and the
    /// mode is [`MatchMode::Most`](crate::search::MatchMode::Most), then some words become optional and the answer lists
    /// them: first the words that no product has; then one by one the word that the most products have (exactly or, if none
    /// has it exactly, in any way; the last of several) until enough products have the others or one word is left. In
    /// any other order, words become optional only if no product has them all. If no product has any of the words,
    /// nothing matches.
    ///
    /// **Ranking.** More words matched exactly rank first, then more matched as a prefix, then more matched at all and with
    /// fewer typos. Products that are equal in this are ranked by the parts of the product that the words are in, and by
    /// whether words that are neighbours in the query are neighbours there.
    async fn search_all(&self, requests: &[SearchRequest]) -> Result<Vec<SearchAnswer>, PortError>;

    /// Runs one search.
    async fn search(&self, request: &SearchRequest) -> Result<SearchAnswer, PortError> {
        let mut answers = self.search_all(std::slice::from_ref(request)).await?;
        answers.pop().ok_or_else(|| PortError::bare(PortErrorKind::Internal, "the index answered no search"))
    }

    /// Returns what the index holds for each id, in request order; `None` if it never held anything.
    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Indexed>>, PortError>;

    /// Returns the version for each id, in request order, that a search beginning after this call sees or has overtaken:
    /// of an active product, a hidden one or a tombstone. `None` if there never was any. A write that cannot be found yet
    /// does not count.
    async fn versions(&self, ids: &[ProductId]) -> Result<Vec<Option<Version>>, PortError> {
        let indexed = self.get(ids).await?;
        Ok(indexed.into_iter().map(|indexed| indexed.map(|indexed| indexed.version)).collect())
    }

    /// Returns the values of one facet with their counts. Values that match the prefix best come first, then the most
    /// frequent, then in the order of the values.
    async fn facet_values(&self, request: &FacetRequest) -> Result<Vec<FacetValue>, PortError>;

    /// Returns the id of the newest snapshot, as in [`SearchAnswer::snapshot`], so that cached answers of that snapshot can
    /// be reused. `None` if determining it costs about as much as a search.
    ///
    /// The snapshot named contains everything applied before the call.
    async fn snapshot(&self) -> Result<Option<String>, PortError> {
        Ok(None)
    }

    /// Returns the size of the index.
    async fn stats(&self) -> Result<IndexStats, PortError>;

    /// Succeeds if the index can be searched now.
    async fn ready(&self) -> Result<(), PortError>;
}

/// The document frequency below which a word, or all words of a query together, may be misspelt.
pub const FEW_PRODUCTS: usize = 20;
/// The number of matches that is enough for a search: with fewer, products that have most of the words follow.
pub const ENOUGH_PRODUCTS: usize = 100;

/// An index's version of a product.
#[derive(Debug, Clone, PartialEq)]
pub struct Indexed {
    /// The version of the product or of its tombstone.
    pub version: Version,
    /// The visibility to searches.
    pub state: IndexedState,
}

/// The visibility of a product to searches.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexedState {
    /// Searches find it.
    Active(Arc<Product>),
    /// It exists, but searches do not show it: a draft, or archived.
    Hidden,
    /// It was deleted.
    Deleted,
}

/// The size of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IndexStats {
    /// Products that are not deleted, regardless of status.
    pub products: u64,
    /// Bytes on disk, if the index knows them.
    pub bytes: Option<u64>,
}
