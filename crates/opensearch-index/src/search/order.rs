//! The order of matching products, and the page to return.

use domain::Language;
use domain::ports::{PortError, PortErrorKind};
use domain::search::{
    Criterion, Cursor, Direction, Hit, MAX_PAGED_PRODUCTS, PageStart, QueryInterpretation, SearchRequest,
    SortKey,
};
use serde_json::{Map, Value, json};
use text::attributes::key_prefix;
use text::collation::Collation;
use text::sort_keys::{NUMBER_PREFIX, TEXT_PREFIX, sort_key};

use crate::layout::schema::field;
use crate::search::filters::price_field;

/// The page that a request asks for.
pub(super) struct RequestedPage<'a> {
    request: &'a SearchRequest,
    /// The language whose collation orders names.
    language: Language,
    after: Option<&'a Cursor>,
    /// The number of products before the page; 0 after a cursor.
    skip: usize,
}

/// The first criterion of an order. The id is the second one.
struct SortField {
    name: String,
    direction: Direction,
    kind: FieldKind,
}

/// The kind of a [`SortField`].
enum FieldKind {
    /// Every product has it.
    Present,
    /// Products may lack it, and so may the mapping, until a product has a price in the currency.
    Optional,
    /// The values of the attribute whose terms have this prefix, see [`text::sort_keys`].
    Attribute(String),
}

/// Returns the sort key of a document by an attribute, see [`text::sort_keys`]. The values of a document are sorted.
const ATTRIBUTE_SCRIPT: &str = "String found = null; \
    for (def value : doc[params.numbers]) { \
        if (value.startsWith(params.key)) { found = params.number + value.substring(params.key.length()); } } \
    if (found != null) { return found; } \
    for (def value : doc[params.texts]) { \
        if (value.startsWith(params.key)) { \
            found = params.text + value.substring(params.key.length()); \
            if (params.first) { return found; } } } \
    return found == null ? params.missing : found;";
/// The sort key of products without the attribute, which come last: above all keys in ascending order, below all in descending.
const MISSING_ATTRIBUTE: [(Direction, &str); 2] = [(Direction::Ascending, "2"), (Direction::Descending, "")];

/// Returns the first criterion of an order.
fn sort_field(request: &SearchRequest) -> SortField {
    let of_kind = |name: String, direction, kind| SortField { name, direction, kind };
    let present = |name: &str, direction| of_kind(name.to_owned(), direction, FieldKind::Present);
    let optional = |name: String, direction| of_kind(name, direction, FieldKind::Optional);
    match request.sort.criterion() {
        Criterion::Score => present("_score", Direction::Descending),
        Criterion::Price(direction) => optional(price_field(request.currency), direction),
        Criterion::CreatedAt(direction) => present(field::CREATED_AT, direction),
        Criterion::Name => present(field::NAME, Direction::Ascending),
        Criterion::Attribute(key, direction) => {
            of_kind("_script".to_owned(), direction, FieldKind::Attribute(key_prefix(key)))
        }
    }
}

impl SortField {
    fn to_json(&self) -> Value {
        let order = match self.direction {
            Direction::Ascending => "asc",
            Direction::Descending => "desc",
        };
        match &self.kind {
            FieldKind::Present => json!({ &self.name: order }),
            FieldKind::Optional => {
                json!({ &self.name: { "order": order, "missing": "_last", "unmapped_type": "long" } })
            }
            FieldKind::Attribute(key) => {
                let params = json!({
                    "key": key, "missing": self.missing_key(), "first": self.direction == Direction::Ascending,
                    "numbers": field::NUMBERS, "number": NUMBER_PREFIX.to_string(),
                    "texts": field::ATTRIBUTES, "text": TEXT_PREFIX.to_string(),
                });
                let script = json!({ "source": ATTRIBUTE_SCRIPT, "params": params });
                json!({ &self.name: { "type": "string", "order": order, "script": script } })
            }
        }
    }

    /// Returns the value that OpenSearch sorts products without a value by, so that they come last.
    fn missing_key(&self) -> Value {
        match (&self.kind, self.direction) {
            (FieldKind::Attribute(_), direction) => {
                let missing = MISSING_ATTRIBUTE.iter().find(|(known, _)| *known == direction);
                missing.map_or("", |(_, key)| *key).into()
            }
            (_, Direction::Ascending) => i64::MAX.into(),
            (_, Direction::Descending) => i64::MIN.into(),
        }
    }
}

impl<'a> RequestedPage<'a> {
    /// Returns the page that a request asks for.
    ///
    /// # Errors
    /// Fails for a cursor of another order or restriction, or an invalid one.
    pub(super) fn new(request: &'a SearchRequest, language: Language) -> Result<Self, PortError> {
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
        Ok(Self { request, language, after, skip })
    }

    /// Returns the interpretation of the words on the earlier pages, if the page begins at a cursor.
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
            Some(cursor) => {
                body.insert("search_after".to_owned(), search_after(cursor, &sort_field, self.language))
            }
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

    /// Returns the cursor of the page after this hit, given the text that it was sorted by.
    pub(super) fn cursor_after(
        &self,
        hit: &Hit,
        sort_text: Option<&str>,
        interpretation: &QueryInterpretation,
    ) -> Cursor {
        let SearchRequest { sort, currency, restriction, .. } = self.request;
        let product = &hit.product;
        let key = match sort.criterion() {
            Criterion::Name => Some(SortKey::Text(self.name_in_cursor(&product.content.name, sort_text))),
            _ => sort_key(sort, product, hit.score, *currency),
        };
        let restriction = restriction.fingerprint();
        Cursor {
            sort: sort.clone(),
            key,
            id: product.id.clone(),
            interpretation: interpretation.clone(),
            restriction,
        }
    }

    /// Returns the text of a name in a cursor: the name itself, or its key if an index of an older format has another key.
    fn name_in_cursor(&self, name: &str, sort_text: Option<&str>) -> String {
        match sort_text {
            Some(key) if key != Collation::new(self.language).key(name) => format!("{OLDER_KEY}{key}"),
            _ => name.to_owned(),
        }
    }
}

/// The character before the key of an index of an older format in a cursor; no name contains it.
const OLDER_KEY: char = '\u{1}';

/// Returns the sort key of the name in a cursor.
fn name_key(name: &str, language: Language) -> String {
    match name.strip_prefix(OLDER_KEY) {
        Some(key) => key.to_owned(),
        None => Collation::new(language).key(name),
    }
}

/// Returns the sort values of a cursor's position.
fn search_after(cursor: &Cursor, sort_field: &SortField, language: Language) -> Value {
    let key: Value = match &cursor.key {
        Some(SortKey::Score(bits)) => f64::from(f32::from_bits(*bits)).into(),
        Some(SortKey::Number(number)) => (*number).into(),
        Some(SortKey::Text(name)) if cursor.sort.criterion() == Criterion::Name => {
            name_key(name, language).into()
        }
        Some(SortKey::Text(text)) => text.as_str().into(),
        None => sort_field.missing_key(),
    };
    json!([key, cursor.id.as_str()])
}
