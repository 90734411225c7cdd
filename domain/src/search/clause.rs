//! Conditions beyond those of [`Filters`]: alternatives across fields, and negations.

use crate::money::Currency;
use crate::product::Content;
use crate::search::filters::Filters;

/// A disjunction: a product meets it if at least one alternative holds. No product meets a clause without alternatives.
///
/// Unlike the filter of a field, a clause also restricts the facets of its own fields.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Clause(pub Vec<Alternative>);

/// An alternative of a [`Clause`].
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// The filters that a product must pass.
    pub filters: Filters,
    /// True if a product must not pass the filters.
    pub is_negated: bool,
}

impl Clause {
    /// Returns true if the product meets the condition. Prices are compared in `currency`.
    pub fn accepts(&self, content: &Content, currency: Currency) -> bool {
        let holds = |alternative: &Alternative| {
            alternative.filters.failed_by(content, currency).is_empty() != alternative.is_negated
        };
        self.0.iter().any(holds)
    }

    /// Returns the number of values in all filters.
    pub fn count(&self) -> usize {
        self.0.iter().map(|alternative| alternative.filters.count()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::read_product;

    #[test]
    fn one_alternative_is_enough() {
        let lamp = read_product(br#"{"name":"Lamp","brand":"Acme","tags":["new"]}"#, Currency::USD).unwrap();
        let brand = |brand: &str, is_negated| Alternative {
            filters: Filters { brand: vec![brand.to_owned()], ..Filters::default() },
            is_negated,
        };
        let accepts = |alternatives| Clause(alternatives).accepts(&lamp.content, Currency::USD);
        assert!(accepts(vec![brand("Acme", false)]) && accepts(vec![brand("Other", true)]));
        assert!(!accepts(vec![brand("Other", false)]) && !accepts(vec![brand("Acme", true)]));
        assert!(accepts(vec![brand("Other", false), brand("Acme", false)]));
        assert!(!accepts(Vec::new()), "no alternative");
    }
}
