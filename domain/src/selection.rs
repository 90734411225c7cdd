//! The selection of stored products, for a list and for a delete.

use jiff::Timestamp;

use crate::category_path::CategoryPath;
use crate::product::Product;
use crate::status::Status;

/// Selects products of the store. A product must pass every condition; of a list of values, one suffices. An empty selection selects
/// every product.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// The sources.
    pub sources: Vec<String>,
    /// The categories, each with everything below it. A product passes with any of its categories, as in a search.
    pub categories: Vec<CategoryPath>,
    /// The brands, as products write them.
    pub brands: Vec<String>,
    /// The skus.
    pub skus: Vec<String>,
    /// The statuses.
    pub statuses: Vec<Status>,
    /// The time before which the product was written last.
    pub updated_before: Option<Timestamp>,
    /// The time at or after which the product was written last.
    pub updated_since: Option<Timestamp>,
}

impl Selection {
    /// Returns true if there is no condition.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Returns true if the product passes every condition.
    pub fn accepts(&self, product: &Product) -> bool {
        let content = &product.content;
        let is_one_of = |values: &[String], value: Option<&String>| {
            values.is_empty() || value.is_some_and(|value| values.contains(value))
        };
        let is_within =
            |category: &CategoryPath| content.categories.iter().any(|path| path.is_within(category));
        is_one_of(&self.sources, content.source.as_ref())
            && is_one_of(&self.brands, content.brand.as_ref())
            && is_one_of(&self.skus, content.sku.as_ref())
            && (self.categories.is_empty() || self.categories.iter().any(is_within))
            && (self.statuses.is_empty() || self.statuses.contains(&content.status))
            && self.updated_before.is_none_or(|time| product.updated_at < time)
            && self.updated_since.is_none_or(|time| product.updated_at >= time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::read_product;
    use crate::{Currency, ProductId, Version};

    fn product(json: &str) -> Product {
        let time: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        Product {
            id: ProductId::parse("a").unwrap(),
            version: Version::FIRST,
            created_at: time,
            updated_at: time,
            content: read_product(json.as_bytes(), Currency::USD).unwrap().content,
        }
    }

    #[test]
    fn a_product_must_pass_every_condition_by_one_of_its_values() {
        let lamp = product(
            r#"{"name":"Lamp","brand":"Hikari","sku":"L-1","category":"Home > Lamps","source":"erp","status":"draft"}"#,
        );
        let bare = product(r#"{"name":"Lamp"}"#);
        let everything = Selection::default();
        assert!(everything.is_everything() && everything.accepts(&lamp) && everything.accepts(&bare));
        let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let paths = |paths: &[&str]| paths.iter().map(|path| CategoryPath::parse(path).unwrap()).collect();
        let all = Selection {
            sources: texts(&["shop", "erp"]),
            categories: paths(&["Toys", "Home"]),
            brands: texts(&["Hikari"]),
            skus: texts(&["L-1", "L-2"]),
            statuses: vec![Status::Draft, Status::Archived],
            updated_before: Some("2026-11-28T12:00:01Z".parse().unwrap()),
            updated_since: Some(lamp.updated_at),
        };
        assert!(all.accepts(&lamp) && !all.accepts(&bare) && !all.is_everything());
        let by_category = Selection { categories: paths(&["Home"]), ..everything };
        let both = product(r#"{"name":"Lamp","categories":["Sale","Home > Lamps"]}"#);
        assert!(by_category.accepts(&both) && !by_category.accepts(&bare), "any of several categories");
        for narrower in [
            Selection { sources: texts(&["shop"]), ..all.clone() },
            Selection { categories: paths(&["Home > Lamps > Desk"]), ..all.clone() },
            Selection { brands: texts(&["hikari"]), ..all.clone() },
            Selection { skus: texts(&["l-1"]), ..all.clone() },
            Selection { statuses: vec![Status::Active], ..all.clone() },
            Selection { updated_before: Some(lamp.updated_at), ..all.clone() },
            Selection { updated_since: Some("2026-11-28T12:00:00.001Z".parse().unwrap()), ..all },
        ] {
            assert!(!narrower.accepts(&lamp), "{narrower:?}");
        }
    }
}
