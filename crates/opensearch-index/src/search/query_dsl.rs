//! Building blocks of OpenSearch's query language. Text from users appears only in values, which OpenSearch never parses.

use serde_json::{Value, json};

/// Matches documents with this value in a field.
pub(super) fn term(name: &str, value: impl Into<Value>) -> Value {
    json!({ "term": { name: { "value": value.into() } } })
}

/// Matches documents with a term that has this prefix in a field.
pub(super) fn prefix(name: &str, text: &str) -> Value {
    json!({ "prefix": { name: { "value": text } } })
}

/// Matches documents that match all queries, without scoring; every document if there is no query.
pub(super) fn all_of(queries: Vec<Value>) -> Value {
    if queries.is_empty() {
        json!({ "match_all": {} })
    } else {
        json!({ "bool": { "filter": Value::from(queries) } })
    }
}

/// Matches documents that match at least one query.
pub(super) fn any_of(queries: Vec<Value>) -> Value {
    json!({ "bool": { "should": Value::from(queries), "minimum_should_match": 1 } })
}

/// Matches documents that do not match the query.
pub(super) fn none_of(query: &Value) -> Value {
    json!({ "bool": { "must_not": [query] } })
}

/// Gives every document that matches the filter this score.
pub(super) fn constant_score(filter: &Value, score: f32) -> Value {
    json!({ "constant_score": { "filter": filter, "boost": score } })
}

/// Scores a document by the best of its scores in several queries.
pub(super) fn best_of(queries: &[Value]) -> Value {
    json!({ "dis_max": { "queries": queries } })
}
