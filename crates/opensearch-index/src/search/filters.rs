//! Converts the filters of a search to queries.

use domain::Currency;
use domain::search::{Alternative, AttributeFilter, Clause, Field, Filters, Restriction, facet_text};
use serde_json::{Map, Value, json};
use text::attributes::{attribute_term, date_key, key_prefix, number_sort_key, prefix_end};

use crate::layout::schema::{field, keyword_field};
use crate::layout::terms::number_term;
use crate::search::query_dsl::{all_of, any_of, none_of, term};

/// The filter on one field.
pub(super) struct Filter {
    /// The field; its facet ignores the filter.
    pub(super) field: Field,
    pub(super) query: Value,
}

/// Returns one filter for each field that has a condition.
pub(super) fn filters(filters: &Filters, currency: Currency) -> Vec<Filter> {
    let Filters { category, brand, tags, price, in_stock, attributes } = filters;
    let mut filters = Vec::new();
    if let Some(wanted) = in_stock {
        filters.push(Filter { field: Field::Stock, query: term(field::IN_STOCK, *wanted) });
    }
    let paths: Vec<String> = category.iter().map(ToString::to_string).collect();
    for (field, values) in [(Field::Category, &paths), (Field::Brand, brand), (Field::Tags, tags)] {
        if let Some(name) = keyword_field(&field).filter(|_| !values.is_empty()) {
            let values: Vec<_> = values.iter().map(|value| facet_text(value)).collect();
            filters.push(Filter { field, query: json!({ "terms": { name: values } }) });
        }
    }
    if !price.is_empty() {
        let name = price_field(currency);
        let ranges = price
            .iter()
            .map(|range| range_query(&name, range.min.map(Value::from), range.max.map(Value::from)));
        filters.push(Filter { field: Field::Price, query: any_of(ranges.collect()) });
    }
    for (key, wanted) in attributes.iter().filter(|(_, wanted)| !wanted.is_empty()) {
        let query = any_of(wanted.iter().map(|filter| attribute(key, filter)).collect());
        filters.push(Filter { field: Field::Attribute(key.clone()), query });
    }
    filters
}

/// Returns the query for the products that meet a clause.
pub(super) fn clause(Clause(alternatives): &Clause, currency: Currency) -> Value {
    let alternative = |Alternative { filters: wanted, is_negated }: &Alternative| {
        let passing = all_of(filters(wanted, currency).into_iter().map(|filter| filter.query).collect());
        if *is_negated { none_of(&passing) } else { passing }
    };
    match alternatives.as_slice() {
        [] => json!({ "match_none": {} }),
        alternatives => any_of(alternatives.iter().map(alternative).collect()),
    }
}

/// Returns filters that only products inside the restriction pass. The list is empty without a restriction.
pub(super) fn inside(restriction: &Restriction) -> Vec<Value> {
    let conditions = restriction.conditions().iter();
    let filters = conditions.flat_map(|condition| filters(&condition.filters, condition.currency));
    filters.map(|filter| filter.query).collect()
}

/// Returns the name of the field of prices in a currency.
pub(super) fn price_field(currency: Currency) -> String {
    format!("{}.{}", field::PRICE, currency.code())
}

/// Matches documents with a term of this key, in a field that has the terms of all keys.
pub(super) fn has_key(name: &str, key: &str) -> Value {
    json!({ "range": { name: { "gte": key_prefix(key), "lt": end_of_key(key) } } })
}

fn range_query(name: &str, min: Option<Value>, max: Option<Value>) -> Value {
    let mut bounds = Map::new();
    bounds.extend(min.map(|min| ("gte".to_owned(), min)));
    bounds.extend(max.map(|max| ("lte".to_owned(), max)));
    json!({ "range": { name: bounds } })
}

fn attribute(key: &str, filter: &AttributeFilter) -> Value {
    match filter {
        AttributeFilter::Equals(value) => term(field::ATTRIBUTES, attribute_term(key, &facet_text(value))),
        AttributeFilter::Range { min, max } if is_nan(*min) || is_nan(*max) => json!({ "match_none": {} }),
        AttributeFilter::Range { min, max } => numbers(key, *min, *max),
        AttributeFilter::Dates { min, max } => {
            let moment = |end: Option<i64>| end.map(|end| end as f64);
            numbers(&date_key(key), moment(*min), moment(*max))
        }
    }
}

/// Matches documents with a number of this key from `min` to `max` inclusive.
fn numbers(key: &str, min: Option<f64>, max: Option<f64>) -> Value {
    let min = min.map_or_else(|| key_prefix(key), |min| number_term(key, number_sort_key(min)));
    let (operator, max) = match max {
        Some(max) => ("lte", number_term(key, number_sort_key(max))),
        None => ("lt", end_of_key(key)),
    };
    json!({ "range": { field::NUMBERS: { "gte": min, operator: max } } })
}

/// Returns the lowest text that is greater than all terms of a key.
fn end_of_key(key: &str) -> String {
    // The prefix ends with NUL, and a text in which NUL is replaced by the next character is valid UTF-8.
    String::from_utf8_lossy(&prefix_end(&key_prefix(key))).into_owned()
}

fn is_nan(bound: Option<f64>) -> bool {
    bound.is_some_and(f64::is_nan)
}
