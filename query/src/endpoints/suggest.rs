//! `GET /products/suggest`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use api::problems::serialization_failed;
use api::responses::{BadParameters, NotIndexed, NotModified, ServiceFailed};
use api::wire::suggest as wire;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::search::{Facet, FacetValue, Field, MatchMode, Page, PageStart, SearchAnswer, SearchRequest};
use domain::{CategoryPath, Language, Product};
use runtime::Problem;
use runtime::server_timing::{self, Phase};
use text::completion::completions;
use text::query::Query;

use crate::answer::milliseconds;
use crate::execute::cache_key;
use crate::extract::{Parameters, Suggest};
use crate::metrics::Kind;
use crate::respond::{Cached, RenderedResponse};
use crate::search_service::SearchService;
use search_parameters::{Endpoint, ParsedSearch};

/// The number of products whose names are read for completions.
const PRODUCTS_READ: usize = 30;
/// The most suggested categories.
const MAX_CATEGORIES: usize = 5;
/// The number of categories to count, from which the suggested ones are chosen.
const CATEGORIES_COUNTED: usize = 100;

/// Suggest while a shopper types
///
/// Three lists for what was typed so far: completions, the categories that hold most of the products found, and the best
/// matches. The last word also matches as a prefix, and typos are forgiven as in a search. If no product has every word,
/// the least distinctive ones are left out. Without words nothing is suggested. The operators of a query hold as in a search, and what
/// they name is not completed.
#[utoipa::path(
    get,
    path = "/products/suggest",
    tag = "search",
    operation_id = "suggestProducts",
    params(Parameters<Suggest>),
    responses(
        (
            status = 200,
            description = "The suggestions.",
            body = wire::Suggestions<'static>,
            headers(
                ("ETag" = String, description = "Changes with the index; send it back as `If-None-Match`."),
                ("Cache-Control" = String, description = "`public, max-age=` the configured seconds, or `no-cache`."),
                ("X-Cache" = String, description = "`HIT` or `MISS` in the memory of the service; `STALE` if the index does not respond, then with `Age`."),
            ),
            example = json!({
                "completions": ["desk lamp", "desk lamp black"],
                "categories": [{"value": "Home > Lamps", "count": 12}],
                "products": [{"id": "lamp-1", "name": "Desk lamp", "brand": "Akari", "price": 19.90, "currency": "USD"}],
                "took": 0.84
            })
        ),
        NotModified,
        BadParameters,
        ServiceFailed,
        NotIndexed,
    )
)]
pub(crate) async fn suggest(
    State(service): State<Arc<SearchService>>,
    Parameters { search, reader, .. }: Parameters<Suggest>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = cache_key("suggest", Endpoint::Suggest, &search);
    let cached = Cached { kind: Kind::Suggest, key: &key };
    service.respond(&headers, &search, &reader, cached, service.suggestions(&search)).await
}

impl SearchService {
    async fn suggestions(&self, search: &ParsedSearch) -> Result<RenderedResponse, Problem> {
        let limit = search.limit;
        let request = SearchRequest {
            // Otherwise categories would also count products that have only some of the words.
            match_mode: MatchMode::All,
            is_prefix_query: true,
            facets: vec![Field::Category],
            facet_values: CATEGORIES_COUNTED,
            page: Page { start: PageStart::Number(1), size: PRODUCTS_READ },
            ..search.request.clone()
        };
        if Query::new(&request, self.settings.language).words.is_empty() {
            let nothing = Suggestions::default().json(search, Duration::ZERO)?;
            return Ok(RenderedResponse::new(nothing, None));
        }
        let (mut answer, mut took) = self.query_index_once("suggest", &request).await?;
        if answer.total == 0 {
            let most = SearchRequest { match_mode: MatchMode::Most, ..request.clone() };
            (answer, took) = self.query_index_once("suggest", &most).await?;
        }
        let suggestions = Suggestions::of(&request, &answer, limit, self.settings.language);
        let json = suggestions.json(search, took)?;
        Ok(RenderedResponse::new(json, Some(answer.snapshot)))
    }
}

/// The suggestions that follow from the answer to a search.
#[derive(Default)]
struct Suggestions<'a> {
    completions: Vec<String>,
    categories: Vec<&'a FacetValue>,
    products: Vec<&'a Product>,
}

impl<'a> Suggestions<'a> {
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

    fn json(&self, search: &ParsedSearch, took: Duration) -> Result<Vec<u8>, Problem> {
        let json = wire::Suggestions {
            completions: Cow::Borrowed(&self.completions),
            categories: self.categories.iter().map(|category| Cow::Borrowed(*category)).collect(),
            products: self.products.iter().take(search.limit).map(|product| (*product).into()).collect(),
            took: milliseconds(took),
            truncated: search.is_truncated,
        };
        server_timing::measure(Phase::Json, || serde_json::to_vec(&json))
            .map_err(|error| serialization_failed(&error))
    }
}

/// Returns the most frequent categories, without those that have at least half of their products in one subcategory.
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
