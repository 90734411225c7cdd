//! The schema of the body that callers send.

use std::collections::BTreeMap;

use crate::product::{AttributeValue, Status};

/// The body that callers send, for the OpenAPI document. [`read_product`](super::read_product) reads it.
#[derive(utoipa::ToSchema)]
#[schema(as = ProductInput, rename_all = "camelCase")]
#[expect(dead_code, reason = "its fields are only documented")]
pub struct ProductBody {
    /// 1 to 128 ASCII letters, digits and `.`, `_`, `-`, `:`, `~`.
    #[schema(examples("lamp-1"))]
    id: Option<String>,
    /// The name that shoppers see, 1 to 500 characters.
    #[schema(examples("Desk lamp"))]
    name: String,
    description: Option<String>,
    /// The shop's own code, unique in the catalogue.
    sku: Option<String>,
    brand: Option<String>,
    /// The path, broad to narrow, at most 10 levels.
    #[schema(examples("Home > Lamps"))]
    category: Option<String>,
    tags: Option<Vec<String>>,
    /// Not negative, with no more decimals than the currency has.
    #[schema(examples(19.9))]
    price: Option<f64>,
    /// The currency of the price, ISO 4217; the catalogue's unless given.
    #[schema(examples("USD"))]
    currency: Option<String>,
    /// At most 1,000 free keys.
    attributes: Option<BTreeMap<String, AttributeValue>>,
    /// Addresses that start with `https://` or `http://`, the main one first.
    images: Option<Vec<String>>,
    stock: Option<u64>,
    /// `active` unless given.
    status: Option<Status>,
}
