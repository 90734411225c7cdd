//! Turns the groups of conditions of a search into the filters and clauses of a request.

use domain::Currency;
use domain::search::{Alternative, Clause, Filters};

use crate::attribute::Attribute;
use crate::condition::{Condition, Range, Test};
use crate::filters::Group;

/// The conditions of a request.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Conditions {
    /// The filters of fields. The facet of a field ignores its own filter, so it also counts values that are not selected.
    pub(crate) filters: Filters,
    /// The conditions that restrict every facet, also those of their own fields.
    pub(crate) clauses: Vec<Clause>,
    /// The attributes that have a filter.
    filtered: Vec<Attribute>,
}

impl Conditions {
    /// Adds the groups of `facetFilters`. The first list of values of a field becomes the field's filter: clients send such a list for a
    /// widget in which a shopper selects alternatives. Everything else becomes a clause.
    pub(crate) fn add_facet_filters(&mut self, groups: &[Group], currency: Currency) -> Result<(), String> {
        for group in groups {
            match filtered_attribute(group).filter(|attribute| !self.has_filter(attribute)) {
                Some(attribute) => {
                    for condition in &group.conditions {
                        condition.add_to(&mut self.filters, currency)?;
                    }
                    self.filtered.push(attribute);
                }
                None => self.add_clause(group, currency)?,
            }
        }
        Ok(())
    }

    /// Adds the groups of `numericFilters`. The bounds of an attribute become its filter, unless it already has one. Everything else
    /// becomes a clause.
    pub(crate) fn add_numeric_filters(&mut self, groups: &[Group], currency: Currency) -> Result<(), String> {
        let mut ranges: Vec<(Attribute, Range)> = Vec::new();
        for group in groups {
            match group.conditions.as_slice() {
                [Condition { attribute, test: Test::Range(range), is_negated: false }]
                    if !self.has_filter(attribute) =>
                {
                    match ranges.iter_mut().find(|(known, _)| known == attribute) {
                        Some((_, known)) => known.narrow(range.clone()),
                        None => ranges.push((attribute.clone(), range.clone())),
                    }
                }
                _ => self.add_clause(group, currency)?,
            }
        }
        for (attribute, range) in ranges {
            let condition =
                Condition { attribute: attribute.clone(), test: Test::Range(range), is_negated: false };
            condition.add_to(&mut self.filters, currency)?;
            self.filtered.push(attribute);
        }
        Ok(())
    }

    /// Adds groups as clauses.
    pub(crate) fn add_clauses(&mut self, groups: &[Group], currency: Currency) -> Result<(), String> {
        groups.iter().try_for_each(|group| self.add_clause(group, currency))
    }

    fn add_clause(&mut self, group: &Group, currency: Currency) -> Result<(), String> {
        let alternative = |condition: &Condition| {
            let mut filters = Filters::default();
            condition.add_to(&mut filters, currency)?;
            Ok(Alternative { filters, is_negated: condition.is_negated })
        };
        self.clauses.push(Clause(group.conditions.iter().map(alternative).collect::<Result<_, String>>()?));
        Ok(())
    }

    fn has_filter(&self, attribute: &Attribute) -> bool {
        self.filtered.iter().any(|known| known.counted_field() == attribute.counted_field())
    }
}

/// Returns the attribute of a list of values of one field; `None` for any other group.
fn filtered_attribute(Group { conditions, is_list }: &Group) -> Option<Attribute> {
    let first = &conditions.first()?.attribute;
    let is_same = |condition: &Condition| {
        condition.attribute.counted_field() == first.counted_field() && !condition.is_negated
    };
    // The filter `inStock` holds one value only.
    let is_filter =
        *is_list && conditions.iter().all(is_same) && (*first != Attribute::InStock || conditions.len() == 1);
    is_filter.then(|| first.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::filters::{facet_filters, numeric_filters};

    #[expect(clippy::needless_pass_by_value, reason = "so that tests read well")]
    fn combined(facets: Value, numbers: Value) -> Conditions {
        let mut conditions = Conditions::default();
        conditions.add_facet_filters(&facet_filters(&facets).unwrap(), Currency::USD).unwrap();
        conditions.add_numeric_filters(&numeric_filters(&numbers).unwrap(), Currency::USD).unwrap();
        conditions
    }

    #[test]
    fn values_of_which_any_is_selected_are_a_filter() {
        let Conditions { filters, clauses, .. } =
            combined(json!([["brand:A", "brand:B"], ["inStock:true"]]), json!(["price>=1", "price<=5"]));
        assert_eq!((filters.brand.len(), filters.in_stock, filters.price.len()), (2, Some(true), 1));
        assert_eq!(filters.price[0], domain::PriceRange { min: Some(100), max: Some(500) });
        assert!(clauses.is_empty());
    }

    #[test]
    fn everything_else_is_a_clause() {
        for facets in [
            json!(["tags:a"]),
            json!([["tags:a", "brand:B"]]),
            json!([["tags:-a"]]),
            json!([["inStock:true", "inStock:false"]]),
        ] {
            let Conditions { filters, clauses, .. } = combined(facets.clone(), Value::Null);
            assert_eq!((filters.count(), clauses.len()), (0, 1), "{facets}");
        }
        let Conditions { filters, clauses, .. } = combined(json!([["tags:a"], ["tags:b"]]), Value::Null);
        assert_eq!((filters.tags.len(), clauses.len()), (1, 1), "two lists of one field");
        let Conditions { filters, clauses, .. } =
            combined(json!([["price:1"]]), json!(["price>=1", ["price<2", "price>5"], "width!=3"]));
        assert_eq!((filters.price.len(), clauses.len()), (1, 3));
        let levels =
            combined(json!([["categories.lvl0:Home"], ["categories.lvl1:Home > Lamps"]]), Value::Null);
        assert_eq!((levels.filters.category.len(), levels.clauses.len()), (1, 1));
    }
}
