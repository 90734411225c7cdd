//! `GET /products/search` and `POST /products/search`.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;
use runtime::body::JsonBody;

use crate::answer::{self, AnswerToBody, SearchJson};
use crate::awaited::Awaited;
use crate::body::{self, Searches};
use crate::cache::Made;
use crate::http::{bad_body, bad_request, plain};
use crate::parameter_docs::{SearchParameters, SearchesBody};
use crate::params::Asked;
use crate::{Service, asking, params};

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
    params(
        SearchParameters,
        ("Noren-Sync-Token" = Option<String>, Header, description = "A write that the answer must have seen, as it was answered; repeated or separated by commas, at most 100. Those of `syncToken` count as well."),
    ),
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
        (status = 304, description = "The client has this answer already: `If-None-Match` named its `ETag`."),
        (
            status = 400,
            description = "Parameters are unknown, malformed or out of bounds. `errors` names each.",
            body = Problem,
            content_type = "application/problem+json",
            example = json!({
                "type": "about:blank", "title": "Bad Request", "status": 400,
                "detail": "2 invalid parameters",
                "errors": [
                    {"field": "pageSize", "message": "must be a whole number from 1 to 100", "type": "out_of_range"},
                    {"field": "pricerange", "message": "is not a parameter here; did you mean `priceRange`?",
                     "type": "unknown"}
                ]
            })
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
pub(crate) async fn search(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    awaited: Awaited,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = params::read_search(query.as_deref().unwrap_or_default(), service.settings.currency)
        .map_err(|faults| bad_request(&faults))?;
    let awaited = awaited.and(asked.awaited.clone())?;
    let asked = service.tuned_search(asked);
    let make = async { service.search_all(std::slice::from_ref(&asked)).await.and_then(only) };
    service.respond(&headers, &awaited, &name_of(&asked), make).await
}

fn only(made: Vec<Made>) -> Result<Made, Problem> {
    made.into_iter().next().ok_or_else(Problem::internal)
}

/// What names the answer of a search among all answers.
fn name_of(asked: &Asked) -> String {
    asking::name("search", &params::write_search(asked), &asked.request.tuning)
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
    params(("Noren-Sync-Token" = Option<String>, Header, description = "A write that the answer must have seen, as it was answered; repeated or separated by commas, at most 100. Waits for it 2 s at most.")),
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
        (
            status = 400,
            description = "The body is not JSON, or the address has parameters.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (
            status = 413,
            description = "The body is larger than 1 MiB.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (
            status = 415,
            description = "The body is not `application/json`.",
            body = Problem,
            content_type = "application/problem+json"
        ),
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
pub(crate) async fn search_by_body(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    mut awaited: Awaited,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    params::read_none(query.as_deref().unwrap_or_default()).map_err(|faults| bad_request(&faults))?;
    let searches = body::read_searches(&body, service.settings.currency).map_err(|error| bad_body(&error))?;
    let (asked, is_list) = match searches {
        Searches::One(asked) => (vec![*asked], false),
        Searches::Several(asked) => (asked, true),
    };
    for asked in &asked {
        awaited = awaited.and(asked.awaited.clone())?;
    }
    let asked: Vec<Asked> = asked.into_iter().map(|asked| service.tuned_search(asked)).collect();
    let names: Vec<String> = asked.iter().map(name_of).collect();
    let mut answers = service.answers(&awaited, &names, service.search_all(&asked)).await?;
    match answers.pop() {
        Some(answer) if !is_list => Ok(plain(answer.json)),
        last => {
            let all = answers.iter().chain(&last).map(|answer| &*answer.json);
            Ok(plain(answer::results_json(all)))
        }
    }
}
