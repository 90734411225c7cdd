//! The limits and defaults of a search.

/// The most characters in a query.
pub const MAX_QUERY_CHARS: usize = 256;
/// The most words in a query.
pub const MAX_QUERY_WORDS: usize = 32;
/// The most values in all filters of a search together.
pub const MAX_FILTERS: usize = 20;
/// The most facets in one search.
pub const MAX_FACETS: usize = 20;
/// The most products on a page.
pub const MAX_PAGE_SIZE: usize = 100;
/// The default number of products on a page.
pub const DEFAULT_PAGE_SIZE: usize = 20;
/// The most products that page numbers reach; a client that needs more uses a cursor.
pub const MAX_PAGED_PRODUCTS: usize = 10_000;
/// The most values in a facet.
pub const MAX_FACET_VALUES: usize = 1000;
/// The default number of values in a facet.
pub const DEFAULT_FACET_VALUES: usize = 50;
/// The maximum by which boosts raise or lower the score of a product.
pub const MAX_BOOST: f32 = 1.0;
