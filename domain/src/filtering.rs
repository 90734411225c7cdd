//! Which products pass the filters of a search, decided on the product itself: to say why one is not found.

use std::fmt;

use crate::money::{Currency, Money};
use crate::product::Content;
use crate::search::Filters;

/// A field that is filtered by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FilteredField {
    /// The category.
    Category,
    /// The brand.
    Brand,
    /// A tag.
    Tags,
    /// The price.
    Price,
    /// Whether there is any in stock.
    Stock,
    /// The attribute with this key.
    Attribute(String),
}

/// The name of the parameter.
impl fmt::Display for FilteredField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Category => f.write_str("category"),
            Self::Brand => f.write_str("brand"),
            Self::Tags => f.write_str("tags"),
            Self::Price => f.write_str("priceRange"),
            Self::Stock => f.write_str("inStock"),
            Self::Attribute(key) => write!(f, "attributes.{key}"),
        }
    }
}

impl Filters {
    /// The fields whose filters keep a product out, in the order of the parameters; none when it passes. Prices are
    /// compared in `currency`.
    pub fn failed_by(&self, content: &Content, currency: Currency) -> Vec<FilteredField> {
        let Self { category, brand, tags, price, in_stock, attributes } = self;
        let mut failed = Vec::new();
        let mut check = |field: FilteredField, passes: bool| {
            if !passes {
                failed.push(field);
            }
        };
        let own = content.category.as_ref();
        let is_within = own.is_some_and(|own| category.iter().any(|category| own.is_within(category)));
        check(FilteredField::Category, category.is_empty() || is_within);
        let is_of_brand = content.brand.as_ref().is_some_and(|own| brand.contains(own));
        check(FilteredField::Brand, brand.is_empty() || is_of_brand);
        check(FilteredField::Tags, tags.is_empty() || content.tags.iter().any(|own| tags.contains(own)));
        let own = content.price.filter(|own| own.currency() == currency).map(Money::minor_units);
        let is_in_range = own.is_some_and(|own| price.iter().any(|range| range.contains(own)));
        check(FilteredField::Price, price.is_empty() || is_in_range);
        let has_stock = content.stock.is_some_and(|pieces| pieces > 0);
        check(FilteredField::Stock, in_stock.is_none_or(|wanted| wanted == has_stock));
        for (key, wanted) in attributes {
            let own = content.attributes.get(key);
            let passes = own.is_some_and(|own| wanted.iter().any(|filter| filter.accepts(own)));
            check(FilteredField::Attribute(key.clone()), wanted.is_empty() || passes);
        }
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::read_product;
    use crate::money::PriceRange;
    use crate::product::CategoryPath;
    use crate::search::AttributeFilter;

    fn lamp() -> Content {
        let json = r#"{"name":"Lamp","brand":"Akari","category":"Home > Lamps","tags":["new","red"],"price":20,
            "stock":0,"attributes":{"width":12}}"#;
        read_product(json.as_bytes(), Currency::USD).unwrap().content
    }

    fn failed(change: impl FnOnce(&mut Filters)) -> Vec<String> {
        let mut filters = Filters::default();
        change(&mut filters);
        filters.failed_by(&lamp(), Currency::USD).iter().map(ToString::to_string).collect()
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
        assert_eq!(filters.failed_by(&lamp(), euro), [FilteredField::Price]);
        assert_eq!(filters.failed_by(&lamp(), Currency::USD), []);
    }
}
