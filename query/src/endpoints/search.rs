//! `GET /products/search` and `POST /products/search`.

use std::sync::Arc;

use api::extract::NoParameters;
use api::problems::bad_body;
use api::responses::{BadJsonBody, BadParameters, NotIndexed, NotModified, ServiceFailed};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;
use runtime::body::JsonBody;

use crate::answer::{self, AnswerToBody, SearchJson};
use crate::execute::cache_key;
use crate::extract::{Parameters, Search};
use crate::http::json_response;
use crate::parameters::openapi::SearchesBody;
use crate::parameters::{self, Endpoint, ParsedSearch, Searches};
use crate::required_versions::RequiredVersions;
use crate::search_service::SearchService;

/// Search the catalogue
///
/// Finds active products by words, with typos, and by filters; counts facets in the same call.
///
/// **Words** are found in name, brand, sku, category, tags, attributes and description. Every word must be found:
/// exactly, with one typo in words of 3 to 5 letters and two in longer ones (none in words with digits), or, for the
/// last word, as a beginning. Without words everything is found.
///
/// **Filters**: a parameter that is repeated lets through what has one of its values (`brand=HP&brand=Dell`);
/// different parameters must all be satisfied. There may be 20 values in all. Values are compared as they stand, with
/// capitals.
///
/// **Attributes** have free keys, so their parameters have free names: `attributes.colour=red` asks for a value,
/// `attributes.width=10..20` for a number from 10 to 20, `attributes.width=10..` and `attributes.width=..20` for one
/// that is open to a side. What is not of the form `min..max` with numbers is a value.
///
/// **Facets** are counted exactly, each with every filter but its own. `category` comes as a list and as a `tree` to
/// drill down in: the top categories, and below those that are filtered by, and those above them, their children.
/// `facets=*` picks what matters for this result, by the 100 best products: brand, category and price where they have
/// them, the attributes that are filtered by, and up to 6 more that most of them have and that divide them most evenly;
/// 20 at most.
///
/// A parameter that is not listed here is an error, and so is any value out of its bounds; all are reported at once.
#[utoipa::path(
    get,
    path = "/products/search",
    tag = "search",
    operation_id = "search",
    params(Parameters<Search>),
    responses(
        (
            status = 200,
            description = "The page of products, the total and the facets.",
            body = SearchJson<'static>,
            headers(
                ("ETag" = String, description = "Changes with the index; send it back as `If-None-Match`."),
                ("Cache-Control" = String, description = "`public, max-age=` the configured seconds, or `no-cache`."),
            ),
            example = json!({
                "products": [{
                    "id": "lamp-1", "name": "Desk lamp", "brand": "Akari", "category": "Home > Lamps",
                    "tags": ["new"], "price": 19.90, "currency": "USD", "attributes": {"colour": "red"},
                    "images": [], "stock": 4, "status": "active", "version": 3,
                    "createdAt": "2026-01-05T09:30:00Z", "updatedAt": "2026-02-01T12:00:00Z",
                    "score": 7.31, "highlights": {"name": "Desk <em>lamp</em>"}
                }],
                "total": 1,
                "took": 0.84,
                "facets": {
                    "brand": {"values": [{"value": "Akari", "count": 1}], "distinct": 1},
                    "price": {
                        "min": 19.90, "max": 19.90, "count": 1, "currency": "USD",
                        "histogram": [{"from": 19.90, "to": 19.90, "count": 1}]
                    }
                },
                "page": 1,
                "pageSize": 20,
                "correctedQuery": "lamp"
            })
        ),
        NotModified,
        BadParameters,
        ServiceFailed,
        NotIndexed,
    )
)]
pub(crate) async fn search(
    State(service): State<Arc<SearchService>>,
    Parameters { search, .. }: Parameters<Search>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let render = async {
        let rendered = service.search_all(std::slice::from_ref(&search)).await?;
        rendered.into_iter().next().ok_or_else(Problem::internal)
    };
    let key = cache_key("search", Endpoint::Search, &search);
    service.respond(&headers, &search.required, &key, render).await
}

/// Search the catalogue by a JSON body
///
/// The same search as `GET /products/search`, with the same names, for filters that are too long for an address, and
/// for **several searches in one call**: up to 10 in `{"searches": […]}`, which are all answered on one state of the
/// catalogue, in their order.
///
/// Where a parameter may be repeated, its field takes a list, or one value alone. Attributes are an object:
/// `{"attributes": {"colour": ["red", "blue"], "width": "10..20"}}`. Null is the same as leaving a field out.
///
/// Caches between here and the client do not keep answers to a POST, and so they have no `ETag`.
#[utoipa::path(
    post,
    path = "/products/search",
    tag = "search",
    operation_id = "searchByBody",
    params(RequiredVersions),
    request_body(
        content = SearchesBody,
        description = "One search, or `searches` with several.",
        example = json!({"searches": [
            {"query": "lamp", "brand": ["Akari", "Hikari"], "priceRange": "10-50", "facets": ["brand", "price"]},
            {"query": "lamp", "attributes": {"colour": "red"}, "sortBy": "newest", "pageSize": 4}
        ]})
    ),
    responses(
        (
            status = 200,
            description = "The answer as of `GET /products/search`, or `results` with one for each search.",
            body = AnswerToBody<'static>
        ),
        BadJsonBody,
        ServiceFailed,
        NotIndexed,
        (
            status = 422,
            description = "Fields are unknown, malformed or out of bounds. `errors` names each, of several searches \
                           with the place of its search.",
            body = Problem,
            content_type = "application/problem+json",
            example = json!({
                "type": "about:blank", "title": "Unprocessable Content", "status": 422,
                "detail": "searches[1].priceRange: must be `min-max`, `min-` or `-max`",
                "errors": [
                    {"field": "searches[1].priceRange", "message": "must be `min-max`, `min-` or `-max`",
                     "type": "malformed"}
                ]
            })
        ),
    )
)]
pub(crate) async fn search_by_body(
    State(service): State<Arc<SearchService>>,
    _: NoParameters,
    mut required: RequiredVersions,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let searches = parameters::read_searches(&body, service.settings.currency);
    let (searches, is_list) = match searches.map_err(|error| bad_body(&error, "the body"))? {
        Searches::One(search) => (vec![*search], false),
        Searches::Several(searches) => (searches, true),
    };
    for search in &searches {
        required = required.and(search.required.clone())?;
    }
    let searches: Vec<ParsedSearch> =
        searches.into_iter().map(|search| service.apply_rules(search)).collect();
    let keys: Vec<String> =
        searches.iter().map(|search| cache_key("search", Endpoint::Search, search)).collect();
    let mut responses = service.respond_to_all(&required, &keys, service.search_all(&searches)).await?;
    match responses.pop() {
        Some(response) if !is_list => Ok(json_response(response.json)),
        last => {
            let all = responses.iter().chain(&last).map(|response| &*response.json);
            Ok(json_response(answer::results_json(all)))
        }
    }
}
