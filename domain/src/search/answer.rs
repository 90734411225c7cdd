//! The answer to a search.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::product::Product;
use crate::search::cursor::Cursor;
use crate::search::facets::Facet;
use crate::search::field::Field;
use crate::status::Status;

/// The answer to a search.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SearchAnswer {
    /// The products of the page, in order.
    pub hits: Vec<Hit>,
    /// The exact number of products that count: those with every word; if none has, all products found. Pinned products
    /// count as well. The list has `total` plus `relaxed_total` products.
    pub total: u64,
    /// The exact number of products that lack words and follow those that count. `None` if every word is required, or if all
    /// products found count because none has every word.
    pub relaxed_total: Option<u64>,
    /// The requested facets, in request order, over the products that count.
    pub facets: Vec<(Field, Facet)>,
    /// The query with its misspelt words corrected, if the index is confident that they were misspelt.
    pub corrected_query: Option<String>,
    /// The words of the query, as typed, that became optional because too few products have all words. Products without them
    /// follow; those that have more of them come first.
    pub relaxed: Vec<String>,
    /// The cursor at which the next page begins; `None` on the last page.
    pub next: Option<Cursor>,
    /// Identifies the snapshot of the index: equal for two searches if nothing was committed between them.
    pub snapshot: String,
}

/// A matching product.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The product as indexed.
    pub product: Arc<Product>,
    /// The relevance: higher is better, 0 for a search without words.
    pub score: f32,
    /// The matching fields (`name`, `description`, …), HTML-escaped, with each matching word between [`HIGHLIGHT_START`] and
    /// [`HIGHLIGHT_END`].
    pub highlights: BTreeMap<String, String>,
}

/// Precedes a highlighted word.
pub const HIGHLIGHT_START: &str = "<em>";
/// Follows a highlighted word.
pub const HIGHLIGHT_END: &str = "</em>";

/// Returns true if searches can find the product, depending on words and filters.
pub fn is_searchable(product: &Product) -> bool {
    product.content.status == Status::Active
}
