//! The schema of the body that callers send.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::product::AttributeValue;
use crate::status::Status;

/// The body that callers send, for the OpenAPI document. [`read_product`](super::read_product) reads it.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ProductInput)]
#[expect(dead_code, reason = "its fields are only documented")]
pub struct ProductBody {
    /// 1 to 128 ASCII letters, digits and `.`, `_`, `-`, `:`, `~`.
    #[schema(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9._:~-]+$", examples("lamp-1"))]
    id: Option<String>,
    /// The name that shoppers see, 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500, examples("Desk lamp"))]
    name: String,
    description: Option<String>,
    /// The shop's own code, unique in the catalogue.
    #[schema(min_length = 1, max_length = 128)]
    sku: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    brand: Option<String>,
    /// The path of the main category, broad to narrow, at most 10 levels. If `categories` is given as well, the first of them.
    #[schema(pattern = "^[^>]{1,100}(>[^>]{1,100}){0,9}$", examples("Home > Lamps"))]
    category: Option<String>,
    /// All categories, at most 10, the main one first. `category` alone gives a product one category.
    #[schema(inline, max_items = 10, examples(json!(["Home > Lamps", "Sale"])))]
    categories: Option<Vec<Category>>,
    /// At most 100, each with 1 to 128 characters.
    #[schema(inline, max_items = 100)]
    tags: Option<Vec<Tag>>,
    /// Not negative, with no more decimals than the currency has.
    #[schema(minimum = 0, examples(19.9))]
    price: Option<f64>,
    /// The currency of the price, ISO 4217; the catalogue's unless given.
    #[schema(pattern = "^[A-Z]{3}$", examples("USD"))]
    currency: Option<String>,
    /// At most 1,000 free keys.
    attributes: Option<BTreeMap<String, AttributeValue>>,
    /// Addresses that start with `https://` or `http://`, the main one first.
    #[schema(inline, max_items = 100)]
    images: Option<Vec<Image>>,
    #[schema(maximum = 9_007_199_254_740_991_i64)]
    stock: Option<u64>,
    /// `active` unless given.
    status: Option<Status>,
    /// The feed or program that the product comes from. Searches do not show it.
    #[schema(min_length = 1, max_length = 128)]
    source: Option<String>,
    /// Ignored: set by the catalogue. A product that was read can be sent back.
    version: Option<serde_json::Value>,
    /// Ignored: set by the catalogue.
    created_at: Option<serde_json::Value>,
    /// Ignored: set by the catalogue.
    updated_at: Option<serde_json::Value>,
}

/// The path of a category.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(pattern = "^[^>]{1,100}(>[^>]{1,100}){0,9}$")]
#[expect(dead_code, reason = "it is only documented")]
struct Category(String);

/// A label of a product.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(min_length = 1, max_length = 128)]
#[expect(dead_code, reason = "it is only documented")]
struct Tag(String);

/// The address of a picture.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(max_length = 2048, pattern = "^https?://[!-~]+$")]
#[expect(dead_code, reason = "it is only documented")]
struct Image(String);

/// The merge patch that callers send, for the OpenAPI document: a [`ProductBody`] without required fields, in which null removes
/// an attribute.
pub struct ProductPatch;

impl ToSchema for ProductPatch {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ProductBody::schemas(schemas);
    }
}

impl PartialSchema for ProductPatch {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(mut patch)) = ProductBody::schema() else { return ProductBody::schema() };
        patch.description = Some("The fields to change; null removes one.".to_owned());
        patch.required.clear();
        if let Some(RefOr::T(Schema::Object(attributes))) = patch.properties.get_mut("attributes") {
            let value = OneOfBuilder::new()
                .item(Ref::from_schema_name(AttributeValue::name()))
                .item(ObjectBuilder::new().schema_type(Type::Null));
            attributes.additional_properties = Some(Box::new(Schema::from(value.build()).into()));
            attributes.description = Some("The keys to change; null removes one.".to_owned());
        }
        Schema::Object(patch).into()
    }
}
