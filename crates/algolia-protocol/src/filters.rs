//! The filters of a search as lists: `facetFilters` and `numericFilters`.
//!
//! The outer list is a conjunction, an inner list a disjunction.

use serde_json::Value;

use crate::condition::Condition;

/// The most conditions of one search.
pub(crate) const MAX_CONDITIONS: usize = 100;

/// A disjunction: at least one of the conditions must hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) conditions: Vec<Condition>,
    /// True for an inner list, even of one condition. Clients send one for a widget in which a shopper may select several values.
    pub(crate) is_list: bool,
}

/// Reads `facetFilters`.
///
/// # Errors
/// A message that follows the name of the parameter.
pub(crate) fn facet_filters(filters: &Value) -> Result<Vec<Group>, String> {
    groups(filters, Condition::parse_facet)
}

/// Reads `numericFilters`.
///
/// # Errors
/// As [`facet_filters`].
pub(crate) fn numeric_filters(filters: &Value) -> Result<Vec<Group>, String> {
    groups(filters, Condition::parse_numeric)
}

fn groups(filters: &Value, parse: fn(&str) -> Result<Condition, String>) -> Result<Vec<Group>, String> {
    let filters = match filters {
        Value::Null => return Ok(Vec::new()),
        // An older form: conditions separated by commas, all of which must hold.
        Value::String(all) if !all.contains('(') => {
            let conditions = all.split(',').map(str::trim).filter(|one| !one.is_empty());
            return conditions
                .map(|one| Ok(Group { conditions: vec![parse(one)?], is_list: false }))
                .collect();
        }
        Value::Array(filters) => filters,
        _ => return Err(must_be_list()),
    };
    let group = |filter: &Value| match filter {
        Value::String(only) => Ok(Group { conditions: vec![parse(only)?], is_list: false }),
        Value::Array(alternatives) => {
            let condition = |one: &Value| parse(one.as_str().ok_or_else(must_be_list)?);
            let conditions = alternatives.iter().map(condition).collect::<Result<_, _>>()?;
            Ok(Group { conditions, is_list: true })
        }
        _ => Err(must_be_list()),
    };
    // Clients send an empty list for a widget without a selection.
    let is_condition =
        |group: &Result<Group, String>| !matches!(group, Ok(group) if group.conditions.is_empty());
    filters.iter().map(group).filter(is_condition).collect()
}

fn must_be_list() -> String {
    "must be a string, or a list of strings and lists of strings".to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn inner_lists_are_alternatives() {
        let read = |filters: Value| facet_filters(&filters).unwrap();
        let groups = read(json!(["brand:A", ["colour:red", "colour:blue"], []]));
        let sizes: Vec<_> = groups.iter().map(|group| (group.conditions.len(), group.is_list)).collect();
        assert_eq!(sizes, [(1, false), (2, true)]);
        assert_eq!(read(json!("brand:A")), read(json!(["brand:A"])));
        assert_eq!(read(json!("brand:A, tags:b")), read(json!(["brand:A", "tags:b"])));
        assert_eq!((read(json!([])), read(Value::Null)), (Vec::new(), Vec::new()));
        assert_eq!(numeric_filters(&json!(["price>=1", ["width<2", "width>5"]])).unwrap().len(), 2);
    }

    #[test]
    fn anything_else_is_refused() {
        for filters in [
            json!({}),
            json!("brand:A,(tags:b,tags:c)"),
            json!(1),
            json!([1]),
            json!([["brand:A", 1]]),
            json!([[["brand:A"]]]),
        ] {
            assert_eq!(facet_filters(&filters), Err(must_be_list()), "{filters}");
        }
        assert!(facet_filters(&json!(["brand"])).is_err() && numeric_filters(&json!(["price:1"])).is_err());
    }
}
