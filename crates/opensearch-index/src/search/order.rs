//! The order of what is found, and the part of it that a page shows.

use domain::Product;
use domain::ports::{PortError, PortErrorKind};
use domain::search::{
    Cursor, MAX_PAGED_PRODUCTS, PageStart, QueryInterpretation, SearchRequest, Sort, SortKey,
};
use serde_json::{Map, Value, json};

use crate::layout::schema::field;
use crate::search::filters::price_field;

/// Which part of the list to ask for.
pub(crate) struct Window<'a> {
    request: &'a SearchRequest,
    after: Option<&'a Cursor>,
    /// Products before the page.
    skip: usize,
}

impl<'a> Window<'a> {
    pub(crate) fn new(request: &'a SearchRequest) -> Result<Self, PortError> {
        let (skip, after) = match &request.page.start {
            PageStart::Number(number) => (number.saturating_sub(1).saturating_mul(request.page.size), None),
            PageStart::After(cursor) => (0, Some(cursor)),
        };
        if let Some(cursor) = after
            && (cursor.sort != request.sort || !cursor.is_valid())
        {
            return Err(PortError::bare(PortErrorKind::Internal, "the cursor belongs to another order"));
        }
        Ok(Self { request, after, skip })
    }

    /// How the words were read for the pages before, when there are any.
    pub(crate) fn reading(&self) -> Option<&'a QueryInterpretation> {
        self.after.map(|cursor| &cursor.interpretation)
    }

    /// Adds order and place to a search.
    pub(crate) fn add_to(&self, search: &mut Map<String, Value>) {
        search.insert("sort".to_owned(), json!([self.sort_by(), { field::ID: "asc" }]));
        // One more than the page has tells whether there is another page. Where OpenSearch ends there are no numbers
        // of pages either.
        let size = (self.request.page.size + 1).min(MAX_PAGED_PRODUCTS.saturating_sub(self.skip));
        search.insert("size".to_owned(), size.into());
        match self.after {
            Some(cursor) => drop(search.insert("search_after".to_owned(), self.behind(cursor))),
            None => drop(search.insert("from".to_owned(), self.skip.min(MAX_PAGED_PRODUCTS).into())),
        }
    }

    fn sort_by(&self) -> Value {
        // Nobody has a price in a currency that no product is priced in.
        let price = |order| {
            json!({ price_field(self.request.currency): {
            "order": order, "missing": "_last", "unmapped_type": "long",
        } })
        };
        match self.request.sort {
            Sort::Relevance => json!({ "_score": "desc" }),
            Sort::PriceAsc => price("asc"),
            Sort::PriceDesc => price("desc"),
            Sort::Newest => json!({ field::CREATED_AT: "desc" }),
            Sort::Name => json!({ field::NAME: "asc" }),
        }
    }

    /// The keys that OpenSearch has for the place of a cursor.
    fn behind(&self, cursor: &Cursor) -> Value {
        let key = match &cursor.key {
            Some(SortKey::Score(bits)) => f64::from(f32::from_bits(*bits)).into(),
            Some(SortKey::Number(number)) => (*number).into(),
            Some(SortKey::Text(text)) => text.as_str().into(),
            // What it takes for those without a value, to have them last.
            None if cursor.sort == Sort::PriceAsc => i64::MAX.into(),
            None => Value::from(i64::MIN),
        };
        json!([key, cursor.id.as_str()])
    }

    /// How many of the products found belong to the page, and whether more follow.
    pub(crate) fn page(&self, found: usize, total: u64) -> (usize, bool) {
        let shown = found.min(self.request.page.size);
        let more = match self.after {
            Some(_) => found > shown,
            None => shown > 0 && total > (self.skip + shown) as u64,
        };
        (shown, more)
    }

    /// The cursor of the page behind this product.
    pub(crate) fn cursor(&self, product: &Product, score: f32, reading: &QueryInterpretation) -> Cursor {
        let key = self.request.sort.key_of(product, score, self.request.currency);
        Cursor { sort: self.request.sort, key, id: product.id.clone(), interpretation: reading.clone() }
    }
}
