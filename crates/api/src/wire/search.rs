//! The responses of `/products/search` and `/products/{id}/similar`.
//!
//! The types borrow what a service writes, so that rendering a page copies no product. Reading one returns owned values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::Product;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::explain::Explanation;
use super::facets::{Facet, Facets};
use super::fields::{Chosen, product_with};
use super::is_empty;

/// A page of the products found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchAnswer<'a> {
    /// The products of the page, in order.
    #[schema(value_type = Vec<Hit<'static>>)]
    pub products: Chosen<'a, Hit<'a>>,
    /// The exact number of products with every word of the query; if none has every word, of the products that have the words
    /// that are not `relaxed`.
    #[schema(examples(12))]
    pub total: u64,
    /// The exact number of products that lack words and follow those that `total` and the facets count. Absent if every word is
    /// required, and if no product has every word: then `total` and the facets count the products that lack some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(examples(30))]
    pub relaxed_total: Option<u64>,
    /// The time in milliseconds that the index took to compute the answer; a cached answer keeps its time. For several
    /// searches in one call, the time of all of them together.
    #[schema(examples(0.84))]
    pub took: f64,
    /// The requested facets by name. A product counts in a facet if it matches the words, as for `total`, and passes all filters
    /// except those of the facet's own field.
    #[schema(value_type = BTreeMap<String, Facet<'static>>)]
    pub facets: Facets<'a>,
    /// The number of the page; absent if a cursor says where it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(examples(1))]
    pub page: Option<usize>,
    /// The most products on a page.
    #[schema(examples(20))]
    pub page_size: usize,
    /// The `cursor` of the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// The query with its misspelt words corrected, if the index is confident that they were misspelt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("processor intel"))]
    pub corrected_query: Option<Cow<'a, str>>,
    /// Words of the query that the products found need not have, because few or none have all of its words; absent if every
    /// word is required.
    #[serde(default, skip_serializing_if = "is_empty")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["purple"]))]
    pub relaxed: Cow<'a, [String]>,
    /// True if the query was longer than the bounds, and was cut at them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = Option<bool>)]
    pub truncated: bool,
}

/// The answers to several searches, all on one snapshot of the catalogue.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SearchAnswers<'a> {
    /// One answer for each search, in request order.
    #[schema(value_type = Vec<SearchAnswer<'static>>)]
    pub results: Vec<SearchAnswer<'a>>,
}

/// The answer to a body with one search, or to one with several. It only describes both.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AnswerToBody<'a> {
    /// One search.
    One(SearchAnswer<'a>),
    /// Several searches.
    Several(SearchAnswers<'a>),
}

/// A product that was found.
#[derive(Debug, Serialize)]
pub struct Hit<'a> {
    /// The product.
    #[serde(flatten)]
    pub product: Cow<'a, Product>,
    /// The relevance of the product.
    pub score: f32,
    /// The fields in which words of the query were found.
    pub highlights: Cow<'a, BTreeMap<String, String>>,
    /// The explanation of its rank.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation<'a>>,
}

/// Describes what a search adds to a product.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct OfHit {
    /// The relevance of the product; higher is better, 0 if the query has no words.
    #[schema(examples(7.31))]
    score: f32,
    /// The fields in which words of the query were found, as HTML: each word found between `<em>` and `</em>`,
    /// everything else escaped.
    #[schema(example = json!({"name": "Desk <em>lamp</em>"}))]
    highlights: BTreeMap<String, String>,
    /// Why it ranks where it does; only with `explain=true`.
    explanation: Option<Explanation<'static>>,
}

impl PartialSchema for Hit<'_> {
    fn schema() -> RefOr<Schema> {
        product_with::<OfHit>(
            "A product that was found, with the chosen `fields`, or all if none were chosen.",
        )
    }
}

impl ToSchema for Hit<'_> {
    fn name() -> Cow<'static, str> {
        "Hit".into()
    }
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Product::schemas(schemas);
        schemas.push((Explanation::name().into_owned(), Explanation::schema()));
        OfHit::schemas(schemas);
    }
}

/// Reads the product and the other fields separately: serde would convert the price of a flattened product to a float.
impl<'de> Deserialize<'de> for Hit<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Rest {
            score: f32,
            #[serde(default)]
            highlights: BTreeMap<String, String>,
            explanation: Option<Explanation<'static>>,
        }
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let product = serde_json::from_str(json.get()).map_err(D::Error::custom)?;
        let rest = serde_json::from_str(json.get()).map_err(D::Error::custom)?;
        let Rest { score, highlights, explanation } = rest;
        let product = Cow::Owned(product);
        Ok(Self { product, score, highlights: Cow::Owned(highlights), explanation })
    }
}

/// Products that are similar to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct SimilarProducts<'a> {
    /// The products: those of the same category first, then all others, the most similar first.
    #[schema(value_type = Vec<SimilarProduct<'static>>)]
    pub products: Chosen<'a, SimilarProduct<'a>>,
}

/// A product that is similar to another.
#[derive(Debug, Serialize)]
pub struct SimilarProduct<'a> {
    /// The product.
    #[serde(flatten)]
    pub product: Cow<'a, Product>,
    /// The similarity of both products.
    pub score: f32,
}

/// Describes what the list of similar products adds to a product.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct OfSimilarProduct {
    /// The similarity of both products; higher is more similar.
    #[schema(examples(7.31))]
    score: f32,
}

impl PartialSchema for SimilarProduct<'_> {
    fn schema() -> RefOr<Schema> {
        product_with::<OfSimilarProduct>(
            "A product that is similar to another, with the chosen `fields`, or all if none were chosen.",
        )
    }
}

impl ToSchema for SimilarProduct<'_> {
    fn name() -> Cow<'static, str> {
        "SimilarProduct".into()
    }
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Product::schemas(schemas);
        OfSimilarProduct::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let json = r#"{"products":[{"id":"lamp-1","name":"Lamp","tags":[],"price":4503599627370.49,"currency":"EUR","attributes":{},"images":[],"status":"active","version":3,"createdAt":"2026-01-05T09:30:00Z","updatedAt":"2026-01-05T09:30:00Z","score":1.5,"highlights":{"name":"<em>Lamp</em>"},"explanation":{"base":1.0,"words":[{"word":"lmap","found":"oneTypo","as":"lamp","in":["name"],"level":24,"score":0.5}]}}],"total":1,"relaxedTotal":3,"took":0.5,"facets":{"price":{"min":12.50,"max":900.00,"count":1,"currency":"EUR","histogram":[{"from":0.00,"to":999.99,"count":1}]},"brand":{"values":[{"value":"HP","count":1}],"distinct":1},"category":{"values":[],"distinct":0,"tree":[{"value":"A","name":"A","count":1,"children":[{"value":"A > B","name":"B","count":1}]}]},"attributes.w":{"values":[{"value":"1","count":1}],"distinct":1,"numbers":{"min":1.0,"max":1.0,"count":1,"histogram":[{"from":1.0,"to":1.0,"count":1}]}}},"page":1,"pageSize":20,"correctedQuery":"lamp","relaxed":["purple"]}"#;
        let answer: SearchAnswer<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&answer).unwrap(), json);
        let nothing = r#"{"products":[],"total":0,"took":0.1,"facets":{"price":null},"pageSize":20}"#;
        let answer: SearchAnswer<'_> = serde_json::from_str(nothing).unwrap();
        assert_eq!(serde_json::to_string(&answer).unwrap(), nothing);
    }
}
