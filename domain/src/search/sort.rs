//! The orders of matching products.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The order of matching products. Products without a value in the order come last; equal products are ordered by `id`,
/// ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Best match first. A search without words matches all products equally well.
    #[default]
    Relevance,
    /// Lowest price first.
    PriceAsc,
    /// Highest price first.
    PriceDesc,
    /// Latest created first.
    Newest,
    /// By name, in the order of the catalogue's language, whatever the case. Numbers in names compare by their value.
    Name,
    /// By the values of an attribute. Numbers come before texts in ascending order and after them in descending order. Texts are
    /// in the order of Unicode code points, so dates in the form `2026-01-31` are in the order of time. Of a list, the first
    /// value in the order counts. Of a text, the first 200 bytes count, then a hash of the whole.
    Attribute {
        /// The key of the attribute.
        key: String,
        /// The direction.
        direction: Direction,
    },
}

/// The direction of an order. Products without a value come last in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Lowest first.
    Ascending,
    /// Highest first.
    Descending,
}

/// The property that an order compares, in its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion<'a> {
    /// The score, highest first.
    Score,
    /// The price in the currency of the search.
    Price(Direction),
    /// The time of creation.
    CreatedAt(Direction),
    /// The name, ascending.
    Name,
    /// The values of the attribute with this key.
    Attribute(&'a str, Direction),
}

/// The prefix of the name of an order by an attribute.
const ATTRIBUTE_PREFIX: &str = "attributes.";
/// The suffixes of the names of directions, after the key of an attribute.
const SUFFIXES: [(&str, Direction); 2] = [("_asc", Direction::Ascending), ("_desc", Direction::Descending)];

impl Sort {
    /// The orders by fixed fields, each with its name on the wire.
    pub const FIXED: [(&'static str, Self); 5] = [
        ("relevance", Self::Relevance),
        ("price_asc", Self::PriceAsc),
        ("price_desc", Self::PriceDesc),
        ("newest", Self::Newest),
        ("name", Self::Name),
    ];

    /// Parses the name of an order: one of [`Self::FIXED`], or `attributes.KEY`, with `_asc` or `_desc` after the key. Without
    /// either, the order is ascending; a key that ends with one of them needs another one after it.
    pub fn parse(name: &str) -> Option<Self> {
        let Some(attribute) = name.strip_prefix(ATTRIBUTE_PREFIX) else {
            return Self::FIXED.into_iter().find(|(known, _)| *known == name).map(|(_, sort)| sort);
        };
        let with_suffix = SUFFIXES
            .iter()
            .find_map(|(suffix, direction)| Some((attribute.strip_suffix(suffix)?, *direction)));
        let (key, direction) = with_suffix.unwrap_or((attribute, Direction::Ascending));
        (!key.is_empty()).then(|| Self::Attribute { key: key.to_owned(), direction })
    }

    /// Returns the property that this order compares. A new order by one of these properties is one more row here and in
    /// [`Self::FIXED`].
    pub fn criterion(&self) -> Criterion<'_> {
        match self {
            Self::Relevance => Criterion::Score,
            Self::PriceAsc => Criterion::Price(Direction::Ascending),
            Self::PriceDesc => Criterion::Price(Direction::Descending),
            Self::Newest => Criterion::CreatedAt(Direction::Descending),
            Self::Name => Criterion::Name,
            Self::Attribute { key, direction } => Criterion::Attribute(key, *direction),
        }
    }

    /// Returns true if a product can have this key in this order.
    pub(super) fn has_key(&self, key: Option<&SortKey>) -> bool {
        match (self.criterion(), key) {
            // Finite, because OpenSearch takes keys as JSON, which has no other numbers.
            (Criterion::Score, Some(SortKey::Score(bits))) => f32::from_bits(*bits).is_finite(),
            (Criterion::Price(_), None | Some(SortKey::Number(_)))
            | (Criterion::CreatedAt(_), Some(SortKey::Number(_)))
            | (Criterion::Name, Some(SortKey::Text(_)))
            | (Criterion::Attribute(..), None | Some(SortKey::Text(_))) => true,
            _ => false,
        }
    }
}

/// Writes the name that [`Sort::parse`] reads.
impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Attribute { key, direction } = self {
            let suffix = SUFFIXES.iter().find(|(_, known)| known == direction);
            let is_default = *direction == Direction::Ascending
                && !SUFFIXES.iter().any(|(suffix, _)| key.ends_with(suffix));
            let suffix = suffix.filter(|_| !is_default).map_or("", |(suffix, _)| *suffix);
            return write!(f, "{ATTRIBUTE_PREFIX}{key}{suffix}");
        }
        let name = Self::FIXED.into_iter().find(|(_, sort)| sort == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

/// A product's key in an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SortKey {
    /// The bits of the score, [`f32::to_bits`].
    #[serde(rename = "s")]
    Score(u32),
    /// Minor units, or milliseconds since 1970.
    #[serde(rename = "n")]
    Number(i64),
    /// A name, or a value of an attribute.
    #[serde(rename = "t")]
    Text(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_by_the_name_that_it_is_shown_by() {
        for (name, sort) in Sort::FIXED {
            assert_eq!((Sort::parse(name), sort.to_string().as_str()), (Some(sort), name));
        }
        for (name, key, direction, shown) in [
            ("attributes.width", "width", Direction::Ascending, "attributes.width"),
            ("attributes.width_asc", "width", Direction::Ascending, "attributes.width"),
            ("attributes.width_desc", "width", Direction::Descending, "attributes.width_desc"),
            ("attributes.a.b_desc_asc", "a.b_desc", Direction::Ascending, "attributes.a.b_desc_asc"),
            ("attributes.a_asc_desc", "a_asc", Direction::Descending, "attributes.a_asc_desc"),
        ] {
            let sort = Sort::Attribute { key: key.to_owned(), direction };
            assert_eq!(Sort::parse(name), Some(sort.clone()), "{name}");
            assert_eq!(sort.to_string(), shown, "{name}");
            assert_eq!(Sort::parse(shown), Some(sort), "{name}");
        }
        for unknown in ["", "price", "Name", "attributes", "attributes.", "attributes._desc", "width"] {
            assert_eq!(Sort::parse(unknown), None, "{unknown}");
        }
    }
}
