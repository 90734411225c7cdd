//! The fields of a product that searches filter by or count.

use std::fmt;

/// A field of a product.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The category paths. As a facet, a product counts once for each of its categories and each of their ancestors, even if
    /// several of its categories have the same ancestor.
    Category,
    /// The brand.
    Brand,
    /// The tags.
    Tags,
    /// The price in the currency of the request. As a facet: lowest, highest and a histogram.
    Price,
    /// The availability: in stock or not. Can be filtered by, not counted.
    Stock,
    /// The attribute with this key.
    Attribute(String),
}

impl Field {
    /// The fields that can be counted, except attributes.
    pub const FACETS: [Self; 4] = [Self::Brand, Self::Category, Self::Tags, Self::Price];

    /// Parses the name of a facet: `brand`, `category`, `tags`, `price` or `attributes.KEY`.
    ///
    /// # Errors
    /// Returns a message that follows the name of the parameter: `must be …`.
    pub fn parse_facet(text: &str) -> Result<Self, String> {
        if let Some(field) = Self::FACETS.iter().find(|field| field.name() == text) {
            return Ok(field.clone());
        }
        match text.strip_prefix("attributes.") {
            Some(key) if !key.is_empty() => Ok(Self::Attribute(key.to_owned())),
            _ => Err("must be `brand`, `category`, `tags`, `price` or `attributes.KEY`".to_owned()),
        }
    }

    /// Returns the name of the field in a product, without the key of an attribute.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Brand => "brand",
            Self::Tags => "tags",
            Self::Price => "price",
            Self::Stock => "stock",
            Self::Attribute(_) => "attributes",
        }
    }

    /// Returns the name of the search parameter that filters by the field.
    pub fn filter_name(&self) -> String {
        match self {
            Self::Price => "priceRange".to_owned(),
            Self::Stock => "inStock".to_owned(),
            field => field.to_string(),
        }
    }
}

/// Writes the name of the facet, which [`Field::parse_facet`] reads back.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(key) => write!(f, "attributes.{key}"),
            field => f.write_str(field.name()),
        }
    }
}
