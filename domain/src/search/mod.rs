//! A search and its answer, the same for every index.

mod answer;
mod clause;
mod cursor;
mod dates;
mod facets;
mod field;
mod filters;
mod limits;
mod request;
mod restriction;
mod sort;

pub use answer::{HIGHLIGHT_END, HIGHLIGHT_START, Hit, SearchAnswer, is_searchable};
pub use clause::{Alternative, Clause};
pub use cursor::{Cursor, QueryInterpretation};
pub use dates::{DateBucket, DateFacet, DateSpan, MAX_DATE_BUCKETS, date_facet, format_moment};
pub use facets::{
    Facet, FacetValue, MAX_NUMBER_BUCKETS, MAX_PRICE_BUCKETS, NumberBucket, NumberFacet, PriceBucket,
    PriceFacet, bucket_width, facet_text, number_facet, price_facet,
};
pub use field::Field;
pub use filters::{AttributeFilter, Filters};
pub use limits::{
    DEFAULT_FACET_VALUES, DEFAULT_PAGE_SIZE, MAX_BOOST, MAX_FACET_VALUES, MAX_FACETS, MAX_FILTERS,
    MAX_PAGE_SIZE, MAX_PAGED_PRODUCTS, MAX_QUERY_CHARS, MAX_QUERY_WORDS,
};
pub use request::{Boost, FacetRequest, MatchMode, Page, PageStart, SearchRequest, Synonym, Tuning};
pub use restriction::{Condition, Restriction};
pub use sort::{Criterion, Direction, Sort, SortKey};
