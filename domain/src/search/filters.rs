//! The conditions of a search, and which products meet them.

use std::collections::BTreeMap;

use crate::category_path::CategoryPath;
use crate::money::{Currency, Money, MoneyError, PriceRange};
use crate::product::{AttributeValue, Content};
use crate::search::field::Field;

/// The conditions that a product must meet: in each field that has values here, it must match at least one of them.
///
/// Values are case-sensitive; numbers are compared as numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filters {
    /// One of the categories, or an ancestor of one.
    pub category: Vec<CategoryPath>,
    /// The brand.
    pub brand: Vec<String>,
    /// A tag.
    pub tags: Vec<String>,
    /// The price, in the currency of the request.
    pub price: Vec<PriceRange>,
    /// True: at least one item in stock. False: none, or unknown.
    pub in_stock: Option<bool>,
    /// Attributes by key.
    pub attributes: BTreeMap<String, Vec<AttributeFilter>>,
}

impl Filters {
    /// Returns the number of values in all filters.
    pub fn count(&self) -> usize {
        self.category.len()
            + self.brand.len()
            + self.tags.len()
            + self.price.len()
            + usize::from(self.in_stock.is_some())
            + self.attributes.values().map(Vec::len).sum::<usize>()
    }
}

/// The condition on the value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeFilter {
    /// The value equals this text, see [`AttributeValue::facet_values`]; for a list, one of its elements does.
    Equals(String),
    /// The value is a number from `min` to `max` inclusive.
    Range {
        /// The lower bound; `None` if open.
        min: Option<f64>,
        /// The upper bound; `None` if open.
        max: Option<f64>,
    },
}

impl AttributeFilter {
    /// Parses a filter: `min..max`, `min..` and `..max` with numbers are ranges; any other text is a value.
    ///
    /// # Errors
    /// If the range is empty. The message follows the name of the parameter.
    pub fn parse(text: &str) -> Result<Self, String> {
        let ends = text.split_once("..").and_then(|(min, max)| Some((read_end(min)?, read_end(max)?)));
        match ends {
            None | Some((None, None)) => Ok(Self::Equals(text.to_owned())),
            Some((Some(min), Some(max))) if min > max => Err(MoneyError::EmptyRange.to_string()),
            Some((min, max)) => Ok(Self::Range { min, max }),
        }
    }

    /// Returns true if the value meets the condition.
    pub fn accepts(&self, value: &AttributeValue) -> bool {
        match self {
            Self::Equals(text) => value.facet_values().any(|value| value == *text),
            Self::Range { min, max } => value.as_number().is_some_and(|number| {
                min.is_none_or(|min| min <= number) && max.is_none_or(|max| number <= max)
            }),
        }
    }
}

/// Parses one end of a range: `Some(None)` if it is open, `None` if it is not a JSON number.
fn read_end(text: &str) -> Option<Option<f64>> {
    if text.is_empty() {
        return Some(None);
    }
    let bare = !text.contains(|c: char| c.is_ascii_whitespace());
    serde_json::from_str::<f64>(text).ok().filter(|number| bare && number.is_finite()).map(Some)
}

impl Filters {
    /// Returns the fields whose filters reject a product, in the order of [`Field`]; empty if it passes. Prices are compared
    /// in `currency`.
    pub fn failed_by(&self, content: &Content, currency: Currency) -> Vec<Field> {
        let Self { category, brand, tags, price, in_stock, attributes } = self;
        let mut failed = Vec::new();
        let mut check = |field: Field, passes: bool| {
            if !passes {
                failed.push(field);
            }
        };
        let is_within =
            content.categories.iter().any(|own| category.iter().any(|wanted| own.is_within(wanted)));
        check(Field::Category, category.is_empty() || is_within);
        let is_of_brand = content.brand.as_ref().is_some_and(|own| brand.contains(own));
        check(Field::Brand, brand.is_empty() || is_of_brand);
        check(Field::Tags, tags.is_empty() || content.tags.iter().any(|own| tags.contains(own)));
        let own = content.price.filter(|own| own.currency() == currency).map(Money::minor_units);
        let is_in_range = own.is_some_and(|own| price.iter().any(|range| range.contains(own)));
        check(Field::Price, price.is_empty() || is_in_range);
        let has_stock = content.stock.is_some_and(|pieces| pieces > 0);
        check(Field::Stock, in_stock.is_none_or(|wanted| wanted == has_stock));
        for (key, wanted) in attributes {
            let own = content.attributes.get(key);
            let passes = own.is_some_and(|own| wanted.iter().any(|filter| filter.accepts(own)));
            check(Field::Attribute(key.clone()), wanted.is_empty() || passes);
        }
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::read_product;
    use crate::money::PriceRange;
    use crate::search::AttributeFilter;

    fn lamp() -> Content {
        let json = r#"{"name":"Lamp","brand":"Akari","category":"Home > Lamps","tags":["new","red"],"price":20,
            "stock":0,"attributes":{"width":12}}"#;
        read_product(json.as_bytes(), Currency::USD).unwrap().content
    }

    fn failed(change: impl FnOnce(&mut Filters)) -> Vec<String> {
        let mut filters = Filters::default();
        change(&mut filters);
        filters.failed_by(&lamp(), Currency::USD).iter().map(Field::filter_name).collect()
    }

    #[test]
    fn one_value_of_each_field_is_enough() {
        let path = |text: &str| CategoryPath::parse(text).unwrap();
        assert_eq!(failed(|_| {}), [""; 0]);
        let range = |min, max| PriceRange { min, max };
        let passing = failed(|filters| {
            filters.category = vec![path("Toys"), path("Home")];
            filters.brand = vec!["X".into(), "Akari".into()];
            filters.tags = vec!["old".into(), "red".into()];
            filters.price = vec![range(None, Some(100)), range(Some(2000), None)];
            filters.in_stock = Some(false);
            let width = AttributeFilter::Range { min: None, max: Some(12.0) };
            filters.attributes.insert("width".into(), vec![AttributeFilter::Equals("1".into()), width]);
        });
        assert_eq!(passing, [""; 0]);
        let failing = failed(|filters| {
            filters.category = vec![path("Home > Lamps > Desk")];
            filters.brand = vec!["akari".into()];
            filters.tags = vec!["old".into()];
            filters.price = vec![range(None, Some(1999))];
            filters.in_stock = Some(true);
            filters.attributes.insert("colour".into(), vec![AttributeFilter::Equals("red".into())]);
        });
        assert_eq!(failing, ["category", "brand", "tags", "priceRange", "inStock", "attributes.colour"]);
    }

    #[test]
    fn a_price_in_another_currency_is_none() {
        let filters = Filters { price: vec![PriceRange { min: Some(0), max: None }], ..Filters::default() };
        let euro = Currency::parse("EUR").unwrap();
        assert_eq!(filters.failed_by(&lamp(), euro), [Field::Price]);
        assert_eq!(filters.failed_by(&lamp(), Currency::USD), []);
    }

    #[test]
    fn a_range_accepts_numbers_only() {
        let value = |json: &str| serde_json::from_str::<AttributeValue>(json).unwrap();
        assert!(AttributeFilter::Range { min: Some(13.0), max: None }.accepts(&value("13.3")));
        assert!(!AttributeFilter::Range { min: Some(13.0), max: None }.accepts(&value("\"14\"")));
    }

    #[test]
    fn an_attribute_is_a_range_only_when_it_looks_like_one() {
        let filter = AttributeFilter::parse;
        let range = |min, max| Ok(AttributeFilter::Range { min, max });
        assert_eq!(filter("1..2"), range(Some(1.0), Some(2.0)));
        assert_eq!(filter("-1.5..1e3"), range(Some(-1.5), Some(1000.0)));
        assert_eq!(filter("..2"), range(None, Some(2.0)));
        assert_eq!(filter("2.."), range(Some(2.0), None));
        assert!(filter("2..1").is_err());
        for text in [
            "", "..", "...", "1...5", "1. .2", "a..b", "1..b", "inf..", "nan..2", "1..2..3", " 1..2",
            "1e999..", "+1..2",
        ] {
            assert_eq!(filter(text), Ok(AttributeFilter::Equals(text.to_owned())), "{text}");
        }
    }
}
