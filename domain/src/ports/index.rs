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

    /// Returns the name of the index in the configuration, such as `tantivy`.
    fn back_end(&self) -> &'static str;

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
    /// **Restriction.** A search under a [restriction](crate::search::Restriction) returns what it would return if the index
    /// held no other products: matches, counts, pinned products, corrections and everything below that depends on the number
    /// of products.
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
    /// **Operators.** With [`operators`](crate::search::SearchRequest::operators), a word or phrase after a minus, and a phrase in
    /// quotation marks, match in the first three ways only. Products that match the former, or do not match the latter, are treated as
    /// hidden: they neither match nor count, and are not pinned. The words of a phrase follow each other in one text of the product. They
    /// have no typos and never become optional.
    ///
    /// **Typos.** If fewer than [`FEW_PRODUCTS`] products have every word, regardless of filters, then words that fewer than
    /// [`FEW_PRODUCTS`] products have may also match with typos: none in words of up to 3 letters or with digits, one in
    /// words of 4 or 5 letters, two in longer ones. A typo in the first letter counts as two. In a possible English plural,
    /// typos are also counted from its singular, and the fewer count. A word that products have is corrected only to words that ten times
    /// as many have. Words that only skus have, and the other words of the query in any form, are never corrections.
    ///
    /// **Relaxing.** With [`MatchMode::Most`](crate::search::MatchMode::Most), some words may become optional, and the
    /// answer lists them. This happens if, even with typos, too few products have every word: fewer than
    /// [`ENOUGH_PRODUCTS`] if the order is by relevance, none in any other order.
    ///
    /// 1. The words that no product has become optional.
    /// 2. Then words become optional one by one, until enough products have the others or one word is left. Function words, bare numbers
    ///    and units go first, then words found only by typos, words after `for` and the like, other words, brands, words that name a
    ///    kind of things in the catalogue, and codes. Among these the next one is the word that the most products have: exactly or,
    ///    if none has it exactly, in any way. Of equally frequent words it is the last.
    /// 3. If no product has any of the words, none becomes optional and nothing matches.
    ///
    /// **Counting.** If words are optional and products that pass the filters have every word, then the total and the facets
    /// count only these and pinned products; the others follow and are counted separately. If none has every word, all count.
    ///
    /// **Ranking.** If words are optional, products with every word come first. Then come products with more words matched exactly, then
    /// those with more matched as a prefix, then those with more matched at all and with fewer typos. Among equals, three things decide:
    /// the parts of the product that the words are in, whether neighbours in the query are neighbours in the product, and whether the
    /// product is of a kind that the query names. Among those that are equal even then, products whose names have words of a short query
    /// as typed come first, then those with the smaller id.
    async fn search_all(&self, requests: &[SearchRequest]) -> Result<Vec<SearchAnswer>, PortError>;

    /// Runs one search.
    async fn search(&self, request: &SearchRequest) -> Result<SearchAnswer, PortError> {
        let mut answers = self.search_all(std::slice::from_ref(request)).await?;
        answers.pop().ok_or_else(|| PortError::bare(PortErrorKind::Internal, "the index answered no search"))
    }

    /// Returns the entry for each id, in request order; `None` if the index never held the id.
    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Indexed>>, PortError>;

    /// Returns a version for each id, in request order: of an active product, a hidden one or a tombstone. A search that
    /// begins after this call sees that version or a later one. `None` if the index never held the id. Writes that searches
    /// cannot find yet do not count.
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

    /// Returns the name of the index in the configuration, such as `tantivy`.
    fn back_end(&self) -> &'static str;
}

/// The number of products below which words may have typos: of products with every word of the query, and of products with the word.
pub const FEW_PRODUCTS: usize = 20;
/// The number of products with every word that is enough. If there are fewer, products that have most of the words follow.
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
