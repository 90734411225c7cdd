//! `GET /products/suggest`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use domain::search::{Facet, FacetValue, Field, MatchMode, Page, PageStart, SearchAnswer, SearchRequest};
use domain::{CategoryPath, Language, Product};
use runtime::Problem;
use serde::Serialize;
use serde_json::value::RawValue;
use text::completion::completions;
use text::query::Query;
use utoipa::ToSchema;

use crate::answer::milliseconds;
use crate::awaited::Awaited;
use crate::cache::Made;
use crate::http::{bad_request, unwritable};
use crate::parameter_docs::SuggestParameters;
use crate::params::Limited;
use crate::{Service, asking, params};

/// Products whose names say how a query may go on.
const PRODUCTS_READ: usize = 30;
/// The most categories that are suggested.
const MAX_CATEGORIES: usize = 5;
/// Categories that are counted, to choose from.
const CATEGORIES_COUNTED: usize = 100;

/// Suggestions for what a shopper is typing.
#[derive(Serialize, ToSchema)]
#[schema(as = Suggestions)]
struct SuggestionsJson<'a> {
    /// Queries that go on from what was typed, misspelt words corrected, the most likely first. Each finds something.
    #[schema(value_type = Vec<String>, example = json!(["desk lamp", "desk lamp black"]))]
    completions: &'a [String],
    /// The categories in which most of the products found are, each as narrow as may be, with their number.
    #[schema(value_type = Vec<FacetValue>)]
    categories: &'a [&'a FacetValue],
    /// The best products.
    #[schema(value_type = Vec<SuggestedProduct<'static>>)]
    products: Vec<SuggestedProduct<'a>>,
    /// How long the search took in the index when the answer was made, in milliseconds.
    #[schema(examples(0.84))]
    took: f64,
}

/// A product in short.
#[derive(Serialize, ToSchema)]
struct SuggestedProduct<'a> {
    #[schema(value_type = String, examples("lamp-1"))]
    id: &'a str,
    #[schema(value_type = String, examples("Desk lamp"))]
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("Akari"))]
    brand: Option<&'a str>,
    /// The address of the main image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("https://shop.example/lamp-1.jpg"))]
    image: Option<&'a str>,
    /// An exact decimal number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, examples(19.9))]
    price: Option<Box<RawValue>>,
    /// The currency of the price, ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("USD"))]
    currency: Option<&'static str>,
}

impl<'a> From<&'a Product> for SuggestedProduct<'a> {
    fn from(product: &'a Product) -> Self {
        let content = &product.content;
        Self {
            id: product.id.as_str(),
            name: &content.name,
            brand: content.brand.as_deref(),
            image: content.images.first().map(String::as_str),
            price: content.price.map(domain::Money::to_json_number),
            currency: content.price.map(|price| price.currency().code()),
        }
    }
}

/// Suggest while a shopper types
///
/// Three lists for what was typed so far: how it may go on, the categories in which most of what it finds is, and the
/// best products. The last word counts as a beginning, and typos are forgiven as in a search. Where no product has
/// every word, the least telling ones are left out. Without words nothing is suggested.
#[utoipa::path(
    get,
    path = "/products/suggest",
    tag = "search",
    operation_id = "suggest",
    params(
        SuggestParameters,
        ("Noren-Sync-Token" = Option<String>, Header, description = "A write that the answer must have seen, as it was answered; repeated or separated by commas, at most 100. Waits for it 2 s at most."),
    ),
    responses(
        (
            status = 200,
            description = "The suggestions.",
            body = SuggestionsJson<'static>,
            headers(
                ("ETag" = String, description = "Changes with the index; send it back as `If-None-Match`."),
                ("Cache-Control" = String, description = "`public, max-age=` the configured seconds, or `no-cache`."),
            ),
            example = json!({
                "completions": ["desk lamp", "desk lamp black"],
                "categories": [{"value": "Home > Lamps", "count": 12}],
                "products": [{"id": "lamp-1", "name": "Desk lamp", "brand": "Akari", "price": 19.90, "currency": "USD"}],
                "took": 0.84
            })
        ),
        (status = 304, description = "The client has this answer already: `If-None-Match` named its `ETag`."),
        (
            status = 400,
            description = "Parameters are unknown, malformed or out of bounds. `errors` names each.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (
            status = 500,
            description = "A defect; the log has the details under the request's id.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (
            status = 503,
            description = "The index is not available or has too much to do.",
            body = Problem,
            content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "When to try again, in seconds."))
        ),
        (
            status = 504,
            description = "What a sync token names is not indexed yet: `notIndexed`.",
            body = Problem,
            content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "When to try again, in seconds."))
        ),
    )
)]
pub(crate) async fn suggest(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    awaited: Awaited,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut limited = params::read_suggest(query.as_deref().unwrap_or_default(), service.settings.currency)
        .map_err(|faults| bad_request(&faults))?;
    limited.search = service.tuned(limited.search);
    let name = asking::name("suggest", &params::write_limited(&limited), &limited.search.tuning);
    service.respond(&headers, &awaited, &name, service.suggestions(limited)).await
}

impl Service {
    async fn suggestions(&self, limited: Limited) -> Result<Made, Problem> {
        let Limited { search, limit } = limited;
        let request = SearchRequest {
            // What has some of the words only would be counted as well.
            match_mode: MatchMode::All,
            is_prefix_query: true,
            facets: vec![Field::Category],
            facet_values: CATEGORIES_COUNTED,
            page: Page { start: PageStart::Number(1), size: PRODUCTS_READ },
            ..search
        };
        if Query::new(&request, self.settings.language).words.is_empty() {
            let nothing = Suggested::default().json(limit, Duration::ZERO)?;
            return Ok(Made { json: nothing, is_empty: false, snapshot: None });
        }
        let (mut answer, mut took) = self.ask_one("suggest", &request).await?;
        if answer.total == 0 {
            let most = SearchRequest { match_mode: MatchMode::Most, ..request.clone() };
            (answer, took) = self.ask_one("suggest", &most).await?;
        }
        let suggested = Suggested::of(&request, &answer, limit, self.settings.language);
        Ok(Made { json: suggested.json(limit, took)?, is_empty: false, snapshot: Some(answer.snapshot) })
    }
}

/// What is made of the answer to a search.
#[derive(Default)]
struct Suggested<'a> {
    completions: Vec<String>,
    categories: Vec<&'a FacetValue>,
    products: Vec<&'a Product>,
}

impl<'a> Suggested<'a> {
    fn of(request: &SearchRequest, answer: &'a SearchAnswer, limit: usize, language: Language) -> Self {
        let contents = answer.hits.iter().map(|hit| &hit.product.content);
        let categories = answer.facets.iter().find_map(|(_, facet)| match facet {
            Facet::Values { values, .. } => Some(narrowest(values)),
            Facet::Price(_) => None,
        });
        Self {
            completions: completions(request, contents, limit, language),
            categories: categories.unwrap_or_default(),
            products: answer.hits.iter().map(|hit| &*hit.product).collect(),
        }
    }

    fn json(&self, limit: usize, took: Duration) -> Result<Vec<u8>, Problem> {
        let json = SuggestionsJson {
            completions: &self.completions,
            categories: &self.categories,
            products: self.products.iter().take(limit).map(|product| (*product).into()).collect(),
            took: milliseconds(took),
        };
        serde_json::to_vec(&json).map_err(|error| unwritable(&error))
    }
}

/// The most frequent categories, without those that have half of their products or more in one category below.
fn narrowest(counted: &[FacetValue]) -> Vec<&FacetValue> {
    let parent = |path: &str| path.rsplit_once(CategoryPath::SEPARATOR).map(|(parent, _)| parent.to_owned());
    let has_half = |category: &FacetValue| {
        counted.iter().any(|below| {
            below.count * 2 >= category.count && parent(&below.value).as_deref() == Some(&category.value)
        })
    };
    counted.iter().filter(|category| !has_half(category)).take(MAX_CATEGORIES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_as_narrow_as_most_of_their_products() {
        let counted = [
            ("Computers", 10),
            ("Computers > Laptops", 6),
            ("Computers > Laptops > Gaming", 2),
            ("Computers > Laptops > Office", 2),
            ("Home", 2),
            ("Home > Lamps", 1),
            ("Homes", 1),
        ];
        let counted = counted.map(|(value, count)| FacetValue { value: value.to_owned(), count });
        let values: Vec<&str> = narrowest(&counted).into_iter().map(|category| &*category.value).collect();
        let expected = [
            "Computers > Laptops",
            "Computers > Laptops > Gaming",
            "Computers > Laptops > Office",
            "Home > Lamps",
            "Homes",
        ];
        assert_eq!(values, expected);
    }
}
