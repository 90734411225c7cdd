//! The filters of a search as queries of OpenSearch. Values travel as values: nothing is parsed there.

use domain::Currency;
use domain::search::{AttributeFilter, Field, Filters};
use serde_json::{Map, Value, json};
use text::attributes::{attribute_term, key_prefix, number_sort_key, prefix_end};

use crate::document::number_term;
use crate::schema::{field, state};

/// One field's filter.
pub(crate) struct Filter {
    /// The facet that is counted without it.
    pub(crate) facet: Option<Field>,
    pub(crate) query: Value,
}

/// A filter for each field that has one.
pub(crate) fn filters(filters: &Filters, currency: Currency) -> Vec<Filter> {
    let Filters { category, brand, tags, price, in_stock, attributes } = filters;
    let mut filters = Vec::new();
    if let Some(wanted) = in_stock {
        filters.push(Filter { facet: None, query: term(field::IN_STOCK, *wanted) });
    }
    let paths: Vec<String> = category.iter().map(ToString::to_string).collect();
    for (facet, name, values) in [
        (Field::Category, field::CATEGORY, &paths),
        (Field::Brand, field::BRAND, brand),
        (Field::Tags, field::TAGS, tags),
    ] {
        if !values.is_empty() {
            filters.push(Filter { facet: Some(facet), query: json!({ "terms": { name: values } }) });
        }
    }
    if !price.is_empty() {
        let name = price_field(currency);
        let ranges =
            price.iter().map(|range| ends(&name, range.min.map(Value::from), range.max.map(Value::from)));
        filters.push(Filter { facet: Some(Field::Price), query: any_of(ranges.collect()) });
    }
    for (key, wanted) in attributes.iter().filter(|(_, wanted)| !wanted.is_empty()) {
        let query = any_of(wanted.iter().map(|filter| attribute(key, filter)).collect());
        filters.push(Filter { facet: Some(Field::Attribute(key.clone())), query });
    }
    filters
}

/// Only what search may find.
pub(crate) fn is_active() -> Value {
    term(field::STATE, state::ACTIVE)
}

/// The field of prices in a currency.
pub(crate) fn price_field(currency: Currency) -> String {
    format!("{}.{}", field::PRICE, currency.code())
}

/// A field has this value.
pub(crate) fn term(name: &str, value: impl Into<Value>) -> Value {
    json!({ "term": { name: { "value": value.into() } } })
}

/// All queries, as a filter; everything when there is none.
pub(crate) fn all_of(queries: Vec<Value>) -> Value {
    if queries.is_empty() {
        json!({ "match_all": {} })
    } else {
        json!({ "bool": { "filter": Value::from(queries) } })
    }
}

/// At least one of the queries.
pub(crate) fn any_of(queries: Vec<Value>) -> Value {
    json!({ "bool": { "should": Value::from(queries), "minimum_should_match": 1 } })
}

/// All that does not pass.
pub(crate) fn none_of(query: &Value) -> Value {
    json!({ "bool": { "must_not": [query] } })
}

/// What passes the filter, with this score.
pub(crate) fn constant(filter: &Value, score: f32) -> Value {
    json!({ "constant_score": { "filter": filter, "boost": score } })
}

fn ends(name: &str, min: Option<Value>, max: Option<Value>) -> Value {
    let mut ends = Map::new();
    ends.extend(min.map(|min| ("gte".to_owned(), min)));
    ends.extend(max.map(|max| ("lte".to_owned(), max)));
    json!({ "range": { name: ends } })
}

fn attribute(key: &str, filter: &AttributeFilter) -> Value {
    match filter {
        AttributeFilter::Equals(value) => term(field::ATTRIBUTES, attribute_term(key, value)),
        AttributeFilter::Range { min, max } if is_nan(*min) || is_nan(*max) => json!({ "match_none": {} }),
        AttributeFilter::Range { min, max } => {
            let from = min.map_or_else(|| key_prefix(key), |min| number_term(key, number_sort_key(min)));
            let to = match max {
                Some(max) => ("lte", number_term(key, number_sort_key(*max))),
                None => ("lt", behind_key(key)),
            };
            json!({ "range": { field::NUMBERS: { "gte": from, to.0: to.1 } } })
        }
    }
}

/// Products with a term of this key in one of the fields that have one for all keys.
pub(crate) fn has_key(name: &str, key: &str) -> Value {
    json!({ "range": { name: { "gte": key_prefix(key), "lt": behind_key(key) } } })
}

/// The first text behind all terms of a key.
fn behind_key(key: &str) -> String {
    // Keys are text and end with NUL, so one more is text as well.
    String::from_utf8_lossy(&prefix_end(&key_prefix(key))).into_owned()
}

fn is_nan(end: Option<f64>) -> bool {
    end.is_some_and(f64::is_nan)
}
