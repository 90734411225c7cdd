//! The request of a search.

use crate::money::Currency;
use crate::product::ProductId;
use crate::search::clause::Clause;
use crate::search::cursor::Cursor;
use crate::search::field::Field;
use crate::search::filters::Filters;
use crate::search::limits::{DEFAULT_FACET_VALUES, DEFAULT_PAGE_SIZE};
use crate::search::restriction::Restriction;
use crate::search::sort::Sort;

/// A search. It matches active products only.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// The query as typed, at most [`MAX_QUERY_CHARS`](crate::search::MAX_QUERY_CHARS) long. An empty query matches everything; a query
    /// of signs only matches the products that have these signs.
    pub words: String,
    /// True if the query has operators: a minus before a word excludes products with that word, and quotation marks enclose phrases.
    /// These words match in all their forms, but without typos, prefixes and synonyms; they are never optional.
    pub operators: bool,
    /// True while the shopper is still typing: the last word always also matches as a prefix.
    pub is_prefix_query: bool,
    /// The number of words that a product must have.
    pub match_mode: MatchMode,
    /// The shop's rules that apply to this search.
    pub tuning: Tuning,
    /// The conditions that a product must meet.
    pub filters: Filters,
    /// Further conditions, all of which a product must meet.
    pub clauses: Vec<Clause>,
    /// The products that the client may find. The search behaves as if there were no others.
    pub restriction: Restriction,
    /// The currency of price filters, price sorting and price facets. A product priced in another currency still matches by
    /// its words; it passes no price filter, sorts last by price and counts in no price facet.
    pub currency: Currency,
    /// The facets to count, without duplicates.
    pub facets: Vec<Field>,
    /// The most values per facet.
    pub facet_values: usize,
    /// The order.
    pub sort: Sort,
    /// The page.
    pub page: Page,
}

impl SearchRequest {
    /// Returns the search for the first page of all products.
    pub fn all(currency: Currency) -> Self {
        Self {
            words: String::new(),
            operators: true,
            is_prefix_query: false,
            match_mode: MatchMode::Most,
            tuning: Tuning::default(),
            filters: Filters::default(),
            clauses: Vec::new(),
            restriction: Restriction::default(),
            currency,
            facets: Vec::new(),
            facet_values: DEFAULT_FACET_VALUES,
            sort: Sort::Relevance,
            page: Page::default(),
        }
    }
}

/// The number of words of a query that a product must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MatchMode {
    /// Every word; if few products have them all, some become optional, see
    /// [`SearchAnswer::relaxed`](super::SearchAnswer::relaxed).
    #[default]
    Most,
    /// Every word, even if no product has them all.
    All,
    /// At least one word, exactly: no typos and no prefixes. Products with more of the words rank first. Finds products
    /// that resemble a text.
    Any,
}

/// The rules of a shop that apply to one search, by its words and the time of the search.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tuning {
    /// Synonyms for words of the query.
    pub synonyms: Vec<Synonym>,
    /// Words that need not match, unless no other word is left.
    pub stop_words: Vec<String>,
    /// Products that come first, in this order, if they are active and pass the filters and the restriction, even if the words do not match.
    /// Applies to [`Sort::Relevance`] only.
    pub pinned: Vec<ProductId>,
    /// Products that neither match nor count.
    pub hidden: Vec<ProductId>,
    /// Products that rank higher or lower among those that match equally well.
    pub boosts: Vec<Boost>,
}

impl Tuning {
    /// Returns true if no rule applies.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A one-way synonym.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synonym {
    /// Consecutive words of the query: `cell phone`.
    pub from: String,
    /// Alternatives that match as well: `mobile`. A product must have all words of an alternative.
    pub to: Vec<String>,
}

/// Moves products that pass the filters up or down among products whose words match equally well.
#[derive(Debug, Clone, PartialEq)]
pub struct Boost {
    /// The products to move.
    pub filters: Filters,
    /// The score to add, from -[`MAX_BOOST`](crate::search::MAX_BOOST) to [`MAX_BOOST`](crate::search::MAX_BOOST). A boost
    /// of 1 equals the difference between a word in the best and in the worst part of a product. The boosts of one product
    /// add up, and the sum is limited to the same bounds.
    pub by: f32,
}

/// A page of the list of matching products.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The beginning of the page.
    pub start: PageStart,
    /// The most products on it, from 1 to [`MAX_PAGE_SIZE`](crate::search::MAX_PAGE_SIZE).
    pub size: usize,
}

impl Default for Page {
    fn default() -> Self {
        Self { start: PageStart::Number(1), size: DEFAULT_PAGE_SIZE }
    }
}

/// The beginning of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum PageStart {
    /// The number of the page, counted from 1; `number * size` is at most
    /// [`MAX_PAGED_PRODUCTS`](crate::search::MAX_PAGED_PRODUCTS).
    Number(usize),
    /// After the product that the cursor names.
    After(Cursor),
}

/// A request for the values of one facet.
#[derive(Debug, Clone, PartialEq)]
pub struct FacetRequest {
    /// Selects the products that count; its facets, sort and page are ignored.
    pub search: SearchRequest,
    /// The field; not [`Field::Price`] or [`Field::Stock`].
    pub field: Field,
    /// Selects values that have a word with this prefix, ignoring case and accents, in this order:
    ///
    /// 1. values that begin with the prefix;
    /// 2. values with a later word that begins with it;
    /// 3. if these are fewer than the limit, values with a word that begins with it except for one typo, then for two. The
    ///    number of typos per word is bounded as in a search.
    ///
    /// Only the first 200 bytes of a value are compared.
    pub prefix: String,
    /// The most values to return, at most [`MAX_FACET_VALUES`](crate::search::MAX_FACET_VALUES).
    pub limit: usize,
}
