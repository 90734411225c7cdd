//! The products that a client may find at all.

use std::sync::Arc;

use crate::hash::fnv1a;
use crate::money::Currency;
use crate::product::Content;
use crate::search::filters::Filters;

/// The products that a client may find: those that pass all conditions. Without conditions, all products.
///
/// A search under a restriction finds, counts, suggests and corrects as if the index held no other products. No part of the
/// request widens it; its currency does not depend on that of the request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Restriction {
    conditions: Arc<[Condition]>,
    name: Arc<str>,
}

/// A condition of a [`Restriction`].
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The filters that a product must pass.
    pub filters: Filters,
    /// The currency of the price ranges.
    pub currency: Currency,
}

impl Condition {
    /// Returns true if the product passes the filters.
    pub fn accepts(&self, content: &Content) -> bool {
        self.filters.failed_by(content, self.currency).is_empty()
    }
}

impl Restriction {
    /// Creates a restriction to the products that pass all conditions.
    pub fn to(conditions: Vec<Condition>) -> Self {
        // The debug form contains every field, so different conditions have different names.
        let name = if conditions.is_empty() { String::new() } else { format!("{conditions:?}") };
        Self { conditions: conditions.into(), name: name.into() }
    }

    /// Returns the restriction to the products that pass this one and the other.
    pub fn and(&self, other: &Self) -> Self {
        match (self.is_none(), other.is_none()) {
            (true, _) => other.clone(),
            (_, true) => self.clone(),
            _ => Self::to(self.conditions.iter().chain(other.conditions.iter()).cloned().collect()),
        }
    }

    /// Returns the conditions.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Returns true if all products may be found.
    pub fn is_none(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Returns true if the product may be found.
    pub fn accepts(&self, content: &Content) -> bool {
        self.conditions.iter().all(|condition| condition.accepts(content))
    }

    /// Returns a text that differs between restrictions, for cache keys; empty if there are no conditions.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the hash of the name, for cursors; `None` if there are no conditions.
    pub fn fingerprint(&self) -> Option<u64> {
        (!self.is_none()).then(|| fnv1a(self.name.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::read_product;
    use crate::money::PriceRange;

    fn brand(brand: &str) -> Restriction {
        let filters = Filters { brand: vec![brand.to_owned()], ..Filters::default() };
        Restriction::to(vec![Condition { filters, currency: Currency::USD }])
    }

    fn content(json: &str) -> Content {
        read_product(json.as_bytes(), Currency::USD).unwrap().content
    }

    #[test]
    fn a_product_must_pass_all_conditions() {
        let acme = content(r#"{"name":"Lamp","brand":"Acme"}"#);
        assert!(Restriction::default().accepts(&acme) && brand("Acme").accepts(&acme));
        assert!(!brand("Other").accepts(&acme) && !brand("Acme").and(&brand("Other")).accepts(&acme));
        assert_eq!(brand("Acme").and(&Restriction::default()), brand("Acme"));
        assert_eq!(Restriction::default().and(&brand("Acme")), brand("Acme"));
    }

    #[test]
    fn a_condition_keeps_its_own_currency() {
        let price = vec![PriceRange { min: None, max: Some(10_000) }];
        let filters = Filters { price, ..Filters::default() };
        let cheap = Restriction::to(vec![Condition { filters, currency: Currency::USD }]);
        assert!(cheap.accepts(&content(r#"{"name":"Lamp","price":20}"#)));
        assert!(!cheap.accepts(&content(r#"{"name":"Lamp","price":20,"currency":"EUR"}"#)));
    }

    #[test]
    fn restrictions_differ_in_name_and_fingerprint() {
        let all = [Restriction::default(), brand("Acme"), brand("Acm"), brand("Acme").and(&brand("Acm"))];
        for (at, one) in all.iter().enumerate() {
            for other in &all[..at] {
                assert!(one.name() != other.name() && one.fingerprint() != other.fingerprint());
            }
        }
        assert_eq!((all[0].name(), all[0].fingerprint()), ("", None));
    }
}
