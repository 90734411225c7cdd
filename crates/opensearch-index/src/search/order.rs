//! The order of matching products, and the page to return.

use domain::Product;
use domain::ports::{PortError, PortErrorKind};
use domain::search::{
    Cursor, MAX_PAGED_PRODUCTS, PageStart, QueryInterpretation, SearchRequest, Sort, SortKey,
};
use serde_json::{Map, Value, json};

use crate::layout::schema::field;
use crate::search::filters::price_field;

/// The page that a request asks for.
pub(super) struct RequestedPage<'a> {
    request: &'a SearchRequest,
    after: Option<&'a Cursor>,
    /// The number of products before the page; 0 after a cursor.
    skip: usize,
}

/// The first criterion of an order; products that are equal in it follow each other by id.
struct SortField {
    name: String,
    direction: Direction,
    /// True if products may lack the field, or the mapping may: nobody may have priced a product in the currency yet.
    is_optional: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

/// Returns the first criterion of an order.
fn sort_field(request: &SearchRequest) -> SortField {
    use Direction::{Ascending, Descending};
    let present = |name: &str, direction| SortField { name: name.to_owned(), direction, is_optional: false };
    let optional = |name: String, direction| SortField { name, direction, is_optional: true };
    match request.sort {
        Sort::Relevance => present("_score", Descending),
        Sort::PriceAsc => optional(price_field(request.currency), Ascending),
        Sort::PriceDesc => optional(price_field(request.currency), Descending),
        Sort::Newest => present(field::CREATED_AT, Descending),
        Sort::Name => present(field::NAME, Ascending),
    }
}

impl SortField {
    fn to_json(&self) -> Value {
        let order = match self.direction {
            Direction::Ascending => "asc",
            Direction::Descending => "desc",
        };
        match self.is_optional {
            true => json!({ &self.name: { "order": order, "missing": "_last", "unmapped_type": "long" } }),
            false => json!({ &self.name: order }),
        }
    }

    /// Returns the value that OpenSearch sorts products without a value by, so that they come last.
    fn missing_key(&self) -> i64 {
        match self.direction {
            Direction::Ascending => i64::MAX,
            Direction::Descending => i64::MIN,
        }
    }
}

impl<'a> RequestedPage<'a> {
    /// # Errors
    /// Fails for a cursor of another order or restriction, or one that no search returned.
    pub(super) fn new(request: &'a SearchRequest) -> Result<Self, PortError> {
        let (skip, after) = match &request.page.start {
            PageStart::Number(number) => (number.saturating_sub(1).saturating_mul(request.page.size), None),
            PageStart::After(cursor) => (0, Some(cursor)),
        };
        if let Some(cursor) = after
            && (cursor.sort != request.sort
                || cursor.restriction != request.restriction.fingerprint()
                || !cursor.is_valid())
        {
            let context = "the cursor belongs to another order or restriction";
            return Err(PortError::bare(PortErrorKind::Internal, context));
        }
        Ok(Self { request, after, skip })
    }

    /// Returns the interpretation of the words for the earlier pages, if there are any.
    pub(super) fn earlier_interpretation(&self) -> Option<&'a QueryInterpretation> {
        self.after.map(|cursor| &cursor.interpretation)
    }

    /// Adds the order and the page to the body of a search.
    pub(super) fn add_to(&self, body: &mut Map<String, Value>) {
        let sort_field = sort_field(self.request);
        body.insert("sort".to_owned(), json!([sort_field.to_json(), { field::ID: "asc" }]));
        // One more product than the page holds shows whether there is a next page. OpenSearch returns no product beyond
        // its result window, and page numbers do not reach beyond it.
        let size = (self.request.page.size + 1).min(MAX_PAGED_PRODUCTS.saturating_sub(self.skip));
        body.insert("size".to_owned(), size.into());
        match self.after {
            Some(cursor) => body.insert("search_after".to_owned(), search_after(cursor, &sort_field)),
            None => body.insert("from".to_owned(), self.skip.min(MAX_PAGED_PRODUCTS).into()),
        };
    }

    /// Returns how many of the returned hits belong to the page, and whether more products follow.
    pub(super) fn page_of(&self, hits: usize, total: u64) -> (usize, bool) {
        let shown = hits.min(self.request.page.size);
        let has_more = match self.after {
            Some(_) => hits > shown,
            None => shown > 0 && total > (self.skip + shown) as u64,
        };
        (shown, has_more)
    }

    /// Returns the cursor of the page after this product.
    pub(super) fn cursor_after(
        &self,
        product: &Product,
        score: f32,
        interpretation: &QueryInterpretation,
    ) -> Cursor {
        let SearchRequest { sort, currency, .. } = *self.request;
        let key = sort.key_of(product, score, currency);
        let restriction = self.request.restriction.fingerprint();
        Cursor { sort, key, id: product.id.clone(), interpretation: interpretation.clone(), restriction }
    }
}

/// Returns the sort values of a cursor's position.
fn search_after(cursor: &Cursor, sort_field: &SortField) -> Value {
    let key: Value = match &cursor.key {
        Some(SortKey::Score(bits)) => f64::from(f32::from_bits(*bits)).into(),
        Some(SortKey::Number(number)) => (*number).into(),
        Some(SortKey::Text(text)) => text.as_str().into(),
        None => sort_field.missing_key().into(),
    };
    json!([key, cursor.id.as_str()])
}
