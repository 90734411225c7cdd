//! The response of `/products/suggest`.

use std::borrow::Cow;

use domain::search::FacetValue;
use domain::{Money, Product};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Suggestions for what a shopper is typing.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestions<'a> {
    /// Queries that complete what was typed, with misspelt words corrected, the most likely first. Each finds something.
    #[schema(value_type = Vec<String>, example = json!(["desk lamp", "desk lamp black"]))]
    pub completions: Cow<'a, [String]>,
    /// The categories that hold most of the products found, each as narrow as possible, with their number.
    #[schema(value_type = Vec<FacetValue>)]
    pub categories: Vec<Cow<'a, FacetValue>>,
    /// The best matches.
    #[schema(value_type = Vec<SuggestedProduct<'static>>)]
    pub products: Vec<SuggestedProduct<'a>>,
    /// The time in milliseconds that the index took to compute the answer; a cached answer keeps its time.
    #[schema(examples(0.84))]
    pub took: f64,
    /// True if the query was longer than the bounds, and was cut at them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = Option<bool>)]
    pub truncated: bool,
}

/// The summary of a product.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestedProduct<'a> {
    /// The product.
    #[schema(value_type = String, examples("lamp-1"))]
    pub id: Cow<'a, str>,
    /// Its name.
    #[schema(value_type = String, examples("Desk lamp"))]
    pub name: Cow<'a, str>,
    /// Its brand.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("Akari"))]
    pub brand: Option<Cow<'a, str>>,
    /// The URL of the main image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("https://shop.example/lamp-1.jpg"))]
    pub image: Option<Cow<'a, str>>,
    /// An exact decimal number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, examples(19.9))]
    pub price: Option<Box<RawValue>>,
    /// The currency of the price, ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("USD"))]
    pub currency: Option<&'static str>,
}

impl<'a> From<&'a Product> for SuggestedProduct<'a> {
    fn from(product: &'a Product) -> Self {
        let content = &product.content;
        Self {
            id: product.id.as_str().into(),
            name: content.name.as_str().into(),
            brand: content.brand.as_deref().map(Cow::Borrowed),
            image: content.images.first().map(|image| image.as_str().into()),
            price: content.price.map(Money::to_json_number),
            currency: content.price.map(|price| price.currency().code()),
        }
    }
}
