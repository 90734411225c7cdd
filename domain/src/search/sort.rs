//! The orders of matching products.

use serde::{Deserialize, Serialize};

use crate::money::Currency;
use crate::product::Product;

/// The order of matching products. Products without a value in the order come last; equal products follow each other by
/// `id`, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// By name, in the order of Unicode code points of the lower-case name.
    Name,
}

impl Sort {
    /// All orders, each with its name on the wire.
    pub const ALL: [(&'static str, Self); 5] = [
        ("relevance", Self::Relevance),
        ("price_asc", Self::PriceAsc),
        ("price_desc", Self::PriceDesc),
        ("newest", Self::Newest),
        ("name", Self::Name),
    ];

    /// Returns the key of a product with this score in this order. `None` for a product without a price in `currency`.
    pub fn key_of(self, product: &Product, score: f32, currency: Currency) -> Option<SortKey> {
        match self {
            Self::Relevance => Some(SortKey::Score(score.to_bits())),
            Self::PriceAsc | Self::PriceDesc => {
                let price = product.content.price.filter(|price| price.currency() == currency);
                price.map(|price| SortKey::Number(price.minor_units()))
            }
            Self::Newest => Some(SortKey::Number(product.created_at.as_millisecond())),
            Self::Name => Some(SortKey::Text(name_sort_key(&product.content.name))),
        }
    }

    /// Returns true if a product can have this key in this order.
    pub(super) fn has_key(self, key: Option<&SortKey>) -> bool {
        match (self, key) {
            // JSON has no other numbers, and OpenSearch takes keys as JSON.
            (Self::Relevance, Some(SortKey::Score(bits))) => f32::from_bits(*bits).is_finite(),
            (Self::PriceAsc | Self::PriceDesc, None | Some(SortKey::Number(_)))
            | (Self::Newest, Some(SortKey::Number(_)))
            | (Self::Name, Some(SortKey::Text(_))) => true,
            _ => false,
        }
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
    /// A name, see [`name_sort_key`].
    #[serde(rename = "t")]
    Text(String),
}

/// Returns the form in which [`Sort::Name`] compares a name.
pub fn name_sort_key(name: &str) -> String {
    name.to_lowercase()
}
