//! The parameters as the OpenAPI document describes them, with their bounds.

use domain::input::MAX_LABEL_CHARS;
use domain::search::{
    DEFAULT_FACET_VALUES, DEFAULT_PAGE_SIZE, MAX_FACET_VALUES, MAX_FACETS, MAX_FILTERS, MAX_PAGE_SIZE,
    MAX_PAGED_PRODUCTS, MAX_QUERY_CHARS, MAX_QUERY_WORDS, Sort,
};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayBuilder, ArrayItems, ObjectBuilder, OneOfBuilder, Schema, SchemaType,
    Type,
};
use utoipa::openapi::{Ref, RefOr, Required};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::awaited::{DEFAULT_SYNC_TIMEOUT, MAX_SYNC_TIMEOUT, MAX_SYNC_TOKENS};
use crate::body::MAX_SEARCHES;
use crate::params::{DEFAULT_LISTED_VALUES, DEFAULT_SIMILAR, DEFAULT_SUGGESTIONS, MAX_SUGGESTIONS};

/// Stands for a parameter with a free name.
const ATTRIBUTES: &str = "attributes.KEY";

/// The parameters of `/products/search`.
pub(crate) struct SearchParameters;

/// The parameters of `/products/facets/{field}`.
pub(crate) struct FacetValuesParameters;

/// The parameters of `/products/suggest`.
pub(crate) struct SuggestParameters;

/// The parameters of `/products/{id}/similar`.
pub(crate) struct SimilarParameters;

/// The parameters of `/products/{id}/explain`.
pub(crate) struct ExplainParameters;

/// The body of a search: its parameters as fields.
pub(crate) struct SearchBody;

/// The body with one search or several.
pub(crate) struct SearchesBody;

impl ToSchema for SearchBody {}

impl PartialSchema for SearchBody {
    fn schema() -> RefOr<Schema> {
        let mut body = ObjectBuilder::new();
        for parameter in SearchParameters::into_params(|| None) {
            let Some(RefOr::T(schema)) = parameter.schema else { continue };
            let (name, schema) = match (parameter.name.as_str(), schema) {
                (ATTRIBUTES, _) => ("attributes", attributes_field()),
                (name, Schema::Array(array)) => (name, one_or_several(array, parameter.description)),
                (name, Schema::Object(object)) => {
                    let described = ObjectBuilder::from(object).description(parameter.description);
                    (name, described.build().into())
                }
                (name, schema) => (name, schema),
            };
            body = body.property(name, schema);
        }
        let additional = AdditionalProperties::FreeForm(false);
        body.additional_properties(Some(additional)).build().into()
    }
}

impl ToSchema for SearchesBody {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((SearchBody::name().into_owned(), SearchBody::schema()));
    }
}

impl PartialSchema for SearchesBody {
    fn schema() -> RefOr<Schema> {
        let one = Ref::from_schema_name(SearchBody::name());
        let searches =
            ArrayBuilder::new().items(one.clone()).min_items(Some(1)).max_items(Some(MAX_SEARCHES));
        let several = ObjectBuilder::new()
            .description(Some("Several searches, answered on one state of the catalogue."))
            .property("searches", searches)
            .required("searches")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        Schema::from(OneOfBuilder::new().item(one).item(several).build()).into()
    }
}

/// A list of values, or one value alone.
fn one_or_several(list: Array, description: Option<String>) -> Schema {
    let mut both = OneOfBuilder::new().description(description);
    if let ArrayItems::RefOrSchema(one) = &list.items {
        both = both.item((**one).clone());
    }
    both.item(list).build().into()
}

fn attributes_field() -> Schema {
    let one = || {
        let types = [Type::String, Type::Number, Type::Boolean];
        ObjectBuilder::new().schema_type(SchemaType::from_iter(types))
    };
    let values = OneOfBuilder::new().item(one()).item(list(one(), MAX_FILTERS));
    let about = "Filters by attributes: keys with a value or a list of values, such as `\"red\"`, `13`, `true`; \
                 `\"10..20\"` is a range of numbers.";
    ObjectBuilder::new()
        .description(Some(about))
        .additional_properties(Some(Schema::from(values.build())))
        .build()
        .into()
}

impl IntoParams for SearchParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut list = vec![words()];
        list.extend(filters());
        list.extend([
            facets(),
            facet_size(),
            sort_by(),
            page(),
            page_size(),
            cursor(),
            explain(),
            sync_token(),
            sync_timeout(),
        ]);
        list
    }
}

impl IntoParams for FacetValuesParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut list = vec![words()];
        list.extend(filters());
        list.push(parameter(
            "prefix",
            "Only values with words that begin so, whatever their case and accents: first the values that begin so \
             themselves, then those in which later words do. Where both together are fewer than `limit`, those follow \
             that would with one typo less, then with two.",
            text().max_length(Some(MAX_QUERY_CHARS)),
        ));
        list.push(parameter(
            "limit",
            "The most values to answer with.",
            number(1, MAX_FACET_VALUES, DEFAULT_LISTED_VALUES),
        ));
        list
    }
}

impl IntoParams for SuggestParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let about = "The most products, and the most completions.";
        let limit = parameter("limit", about, number(1, MAX_SUGGESTIONS, DEFAULT_SUGGESTIONS));
        [vec![words()], filters(), vec![limit]].concat()
    }
}

impl IntoParams for SimilarParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = parameter("limit", "The most products.", number(1, MAX_PAGE_SIZE, DEFAULT_SIMILAR));
        [filters(), vec![limit]].concat()
    }
}

impl IntoParams for ExplainParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        [vec![words()], filters()].concat()
    }
}

fn parameter(name: &str, about: impl Into<String>, schema: impl Into<RefOr<Schema>>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn number(min: usize, max: usize, default: usize) -> ObjectBuilder {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.minimum(Some(min)).maximum(Some(max)).default(Some(default.into()))
}

/// A parameter that may be repeated.
fn list(item: ObjectBuilder, max_items: usize) -> ArrayBuilder {
    ArrayBuilder::new().items(item).max_items(Some(max_items))
}

fn words() -> Parameter {
    parameter(
        "query",
        format!(
            "What the shopper typed: at most {MAX_QUERY_CHARS} characters and {MAX_QUERY_WORDS} words. \
             `procesor intle` finds Intel processors."
        ),
        text().max_length(Some(MAX_QUERY_CHARS)),
    )
}

fn filters() -> Vec<Parameter> {
    let label = || text().min_length(Some(1)).max_length(Some(MAX_LABEL_CHARS));
    vec![
        parameter(
            "category",
            "A category, with everything under it: the path, broad to narrow, such as `Computers > Laptops`. \
             Repeated: any of them.",
            list(text(), MAX_FILTERS),
        ),
        parameter("brand", "A brand, such as `HP`. Repeated: any of them.", list(label(), MAX_FILTERS)),
        parameter("tags", "A tag. Repeated: any of them.", list(label(), MAX_FILTERS)),
        parameter(
            "priceRange",
            "Prices from `min` to `max`, both included: `100-200`, `99.50-`, `-20`. Either side may be open. \
             Decimals as the currency has them. Repeated: any of them.",
            list(text().pattern(Some(r"^([0-9]+(\.[0-9]+)?)?-([0-9]+(\.[0-9]+)?)?$")), MAX_FILTERS),
        ),
        parameter(
            "inStock",
            "`true`: at least one piece in stock. `false`: none, or nobody knows.",
            ObjectBuilder::new().schema_type(Type::Boolean),
        ),
        attributes(),
        parameter(
            "currency",
            "The currency of price ranges, of sorting by price and of the price facet, ISO 4217: `EUR`. \
             Without it, the catalogue's. A product with a price in another one is found by its words only.",
            text().pattern(Some("^[A-Z]{3}$")),
        ),
    ]
}

/// OpenAPI has no parameters with free names. An exploded object comes to the same: each of its members is sent as
/// a parameter.
fn attributes() -> Parameter {
    let about = "Filters by attributes. The parameter's name is `attributes.` and the key, as in \
                 `attributes.colour=red`; in tools that take an object here, `{\"attributes.colour\": \"red\"}`. \
                 `attributes.width=10..20` is a range of numbers, ends included; either side may be open. \
                 Repeated: any of the values; different keys: all of them.";
    let schema = ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(Schema::from(text().build())));
    let mut attributes = parameter(ATTRIBUTES, about, schema);
    attributes.style = Some(ParameterStyle::Form);
    attributes.explode = Some(true);
    attributes
}

fn facets() -> Parameter {
    let about = "What to count: `brand`, `category`, `tags`, `price` and `attributes.KEY`, separated by commas or \
                 repeated; `*` picks those that matter for what is found. A comma in a key is written `\\,`.";
    let mut facets = parameter("facets", about, list(text(), MAX_FACETS));
    facets.style = Some(ParameterStyle::Form);
    facets.explode = Some(false);
    facets
}

fn facet_size() -> Parameter {
    parameter(
        "facetSize",
        "The most values of each facet.",
        number(1, MAX_FACET_VALUES, DEFAULT_FACET_VALUES),
    )
}

fn sort_by() -> Parameter {
    parameter(
        "sortBy",
        "The order, `relevance` by default. Products without a price in the currency come last. Equal ones follow each other by `id`. \
         With a `cursor`, the cursor's order when absent.",
        text().enum_values(Some(Sort::ALL.map(|(name, _)| name))),
    )
}

fn page() -> Parameter {
    parameter(
        "page",
        format!(
            "The page, counted from 1, which is the default. It reaches the first {MAX_PAGED_PRODUCTS} products (`page` times \
             `pageSize`); use `cursor` beyond them."
        ),
        // Without a default, which tools would send beside a cursor.
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1_usize))
            .maximum(Some(MAX_PAGED_PRODUCTS)),
    )
}

fn page_size() -> Parameter {
    parameter("pageSize", "Products on a page.", number(1, MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE))
}

fn cursor() -> Parameter {
    let about = "The `nextCursor` of the page before. It goes on behind that page's last product, whatever comes \
                 and goes, and as far as there are products. Not together with `page`.";
    parameter("cursor", about, text())
}

fn explain() -> Parameter {
    parameter(
        "explain",
        "`true` says of each product why it ranks where it does.",
        ObjectBuilder::new().schema_type(Type::Boolean).default(Some(false.into())),
    )
}

fn sync_token() -> Parameter {
    let about = "A write that the answer must have seen: the `Noren-Sync-Token` that it was answered with. The search \
                 waits until the index holds it, or a later one of the same product. Repeated: all of them; those of \
                 the header `Noren-Sync-Token` count as well, which every address of this service takes.";
    parameter("syncToken", about, list(text(), MAX_SYNC_TOKENS))
}

fn sync_timeout() -> Parameter {
    let seconds = ObjectBuilder::new().schema_type(Type::Number);
    parameter(
        "syncTimeout",
        "The most seconds to wait for what `syncToken` and the header `Noren-Sync-Token` name; then the answer is 504. \
         With 0 the index is looked at once.",
        seconds
            .minimum(Some(0))
            .maximum(Some(MAX_SYNC_TIMEOUT.as_secs()))
            .default(Some(DEFAULT_SYNC_TIMEOUT.as_secs().into())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::{FILTER_NAMES, LIMIT_NAMES, SEARCH_NAMES, VALUES_NAMES, WORDS_NAMES};
    use std::collections::BTreeSet;

    #[test]
    fn every_parameter_that_is_read_is_described_and_no_other() {
        let described = |list: Vec<Parameter>| -> BTreeSet<String> {
            assert!(list.iter().all(|parameter| parameter.description.is_some()));
            list.into_iter().map(|parameter| parameter.name).collect()
        };
        let read = |names: &[&[&str]]| names.concat().into_iter().map(str::to_owned).collect();
        let search = SearchParameters::into_params(|| None);
        assert_eq!(described(search), read(&[&WORDS_NAMES, &FILTER_NAMES, &SEARCH_NAMES]));
        let values = FacetValuesParameters::into_params(|| None);
        assert_eq!(described(values), read(&[&WORDS_NAMES, &FILTER_NAMES, &VALUES_NAMES]));
        let suggest = SuggestParameters::into_params(|| None);
        assert_eq!(described(suggest), read(&[&WORDS_NAMES, &FILTER_NAMES, &LIMIT_NAMES]));
        let similar = SimilarParameters::into_params(|| None);
        assert_eq!(described(similar), read(&[&FILTER_NAMES, &LIMIT_NAMES]));
        let explain = ExplainParameters::into_params(|| None);
        assert_eq!(described(explain), read(&[&WORDS_NAMES, &FILTER_NAMES]));
    }
}
