//! The conditions of a search, and which products meet them.

use std::collections::BTreeMap;

use crate::category_path::CategoryPath;
use crate::money::{Currency, Money, MoneyError, PriceRange};
use crate::product::{AttributeValue, Content};
use crate::search::dates::DateSpan;
use crate::search::facets::facet_text;
use crate::search::field::Field;

/// The conditions that a product must meet: in each field that has values here, it must match at least one of them.
///
/// Values are case-sensitive and compared as [`facet_text`]; numbers are compared as numbers.
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
        let Self { category, brand, tags, price, in_stock, attributes } = self;
        category.len()
            + brand.len()
            + tags.len()
            + price.len()
            + usize::from(in_stock.is_some())
            + attributes.values().map(Vec::len).sum::<usize>()
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
    /// The value is a date from `min` to `max` inclusive, in milliseconds since 1970.
    Dates {
        /// The lower bound; `None` if open.
        min: Option<i64>,
        /// The upper bound; `None` if open.
        max: Option<i64>,
    },
}

impl AttributeFilter {
    /// Parses a filter: `min..max`, `min..` and `..max` with numbers or with [dates](DateSpan::parse) are ranges; any other text is
    /// a value. In `min..<max`, the upper bound is not part of the range. A day as the upper bound is part of it as a whole.
    ///
    /// # Errors
    /// If the range is empty. The message follows the name of the parameter.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((min, max)) = text.split_once("..") else { return Ok(Self::Equals(text.to_owned())) };
        let (max, is_exclusive) = match max.strip_prefix('<') {
            Some(max) if !max.is_empty() => (max, true),
            _ => (max, false),
        };
        let range = number_range(min, max, is_exclusive).or_else(|| date_range(min, max, is_exclusive));
        let is_empty = match &range {
            Some(Self::Range { min: Some(min), max: Some(max) }) => min > max,
            Some(Self::Dates { min: Some(min), max: Some(max) }) => min > max,
            _ => false,
        };
        match is_empty {
            true => Err(MoneyError::EmptyRange.to_string()),
            false => Ok(range.unwrap_or_else(|| Self::Equals(text.to_owned()))),
        }
    }

    /// Returns true if the value meets the condition.
    pub fn accepts(&self, value: &AttributeValue) -> bool {
        match self {
            Self::Equals(text) => {
                let wanted = facet_text(text);
                value.facet_values().any(|value| value == wanted)
            }
            Self::Range { min, max } => value.as_number().is_some_and(|number| {
                min.is_none_or(|min| min <= number) && max.is_none_or(|max| number <= max)
            }),
            Self::Dates { min, max } => value
                .as_date()
                .is_some_and(|date| min.is_none_or(|min| min <= date) && max.is_none_or(|max| date <= max)),
        }
    }
}

fn number_range(min: &str, max: &str, is_exclusive: bool) -> Option<AttributeFilter> {
    let (min, max) = (read_end(min)?, read_end(max)?);
    // The greatest number below the bound, and no number is between them.
    let max = if is_exclusive { max.map(|max| (max + 0.0).next_down()) } else { max };
    (min.is_some() || max.is_some()).then_some(AttributeFilter::Range { min, max })
}

fn date_range(min: &str, max: &str, is_exclusive: bool) -> Option<AttributeFilter> {
    let end = |text: &str| match text.is_empty() {
        true => Some(None),
        false => DateSpan::parse(text).map(Some),
    };
    let (min, max) = (end(min)?, end(max)?);
    let min = min.map(|min| min.start);
    let max = max.map(|max| if is_exclusive { max.start - 1 } else { max.end });
    (min.is_some() || max.is_some()).then_some(AttributeFilter::Dates { min, max })
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
        let is_equal = |own: &str, wanted: &str| facet_text(own) == facet_text(wanted);
        let is_within = content.categories.iter().any(|own| {
            let is_above = |wanted: &CategoryPath| {
                own.is_within(wanted) || own.with_ancestors().any(|own| is_equal(&own, &wanted.to_string()))
            };
            category.iter().any(is_above)
        });
        check(Field::Category, category.is_empty() || is_within);
        let is_of_brand =
            content.brand.as_ref().is_some_and(|own| brand.iter().any(|brand| is_equal(own, brand)));
        check(Field::Brand, brand.is_empty() || is_of_brand);
        let is_tagged = content.tags.iter().any(|own| tags.iter().any(|tag| is_equal(own, tag)));
        check(Field::Tags, tags.is_empty() || is_tagged);
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
    fn dates_have_ranges() {
        let filter = |text: &str| AttributeFilter::parse(text).unwrap();
        let accepts =
            |range: &str, value: &str| filter(range).accepts(&AttributeValue::Text(value.to_owned()));
        let half = "2026-01-01..2026-06-30";
        for (date, is_inside) in [
            ("2026-01-01", true),
            ("2026-06-30", true),
            ("2026-06-30T23:59:59Z", true),
            (" 2026-03-01 ", true),
            ("2025-12-31", false),
            ("2026-07-01", false),
            ("2026-06-30T23:30:00-02:00", false),
            ("soon", false),
        ] {
            assert_eq!(accepts(half, date), is_inside, "{date}");
        }
        assert!(accepts("2026-01-01..", "2030-01-01") && accepts("..2026-01-01", "2026-01-01T10:00"));
        assert!(
            !accepts("..<2026-01-01", "2026-01-01") && accepts("..<2026-01-01", "2025-12-31T23:59:59.999")
        );
        assert!(!filter(half).accepts(&AttributeValue::Number(2026.into())));
        assert!(AttributeFilter::parse("2026-02-01..2026-01-01").is_err());
        for text in ["2026-01-01", "2026-01-01..5", "5..2026-01-01", "2026-01..2026-02"] {
            assert_eq!(filter(text), AttributeFilter::Equals(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn an_attribute_is_a_range_only_when_it_looks_like_one() {
        let filter = AttributeFilter::parse;
        let range = |min, max| Ok(AttributeFilter::Range { min, max });
        assert_eq!(filter("1..2"), range(Some(1.0), Some(2.0)));
        assert_eq!(filter("-1.5..1e3"), range(Some(-1.5), Some(1000.0)));
        assert_eq!(filter("..2"), range(None, Some(2.0)));
        assert_eq!(filter("2.."), range(Some(2.0), None));
        assert!(filter("2..1").is_err() && filter("2..<2").is_err());
        assert_eq!(filter("1..<2"), range(Some(1.0), Some(2_f64.next_down())));
        for text in [
            "", "..", "...", "1...5", "1. .2", "a..b", "1..b", "inf..", "nan..2", "1..2..3", " 1..2",
            "1e999..", "+1..2", "1..<", "..<",
        ] {
            assert_eq!(filter(text), Ok(AttributeFilter::Equals(text.to_owned())), "{text}");
        }
    }
}
