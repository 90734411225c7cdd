//! `GET /products/search`.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;

use crate::answer::{self, SearchJson};
use crate::http::{EntityTag, bad_request, cached, index_failed, unwritable};
use crate::parameter_docs::SearchParameters;
use crate::{EMPTY_SEARCHES, SEARCH_SECONDS, Service, params};

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
/// **Facets** are counted exactly, each with every filter but its own.
///
/// A parameter that is not listed here is an error, and so is any value out of its bounds; all are reported at once.
#[utoipa::path(
    get,
    path = "/products/search",
    tag = "search",
    operation_id = "search",
    params(SearchParameters),
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
                "detail": "2 things are wrong with the parameters",
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
    )
)]
pub(crate) async fn search(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Service { index, settings } = service.as_ref();
    let request = params::read_search(query.as_deref().unwrap_or_default(), settings.currency)
        .map_err(|faults| bad_request(&faults))?;
    let start = Instant::now();
    let answer = index.search(&request).await.map_err(|error| index_failed(&error))?;
    let took = start.elapsed();
    metrics::histogram!(SEARCH_SECONDS, "kind" => "search").record(took.as_secs_f64());
    if answer.total == 0 && !request.words.is_empty() {
        metrics::counter!(EMPTY_SEARCHES).increment(1);
    }
    let tag = EntityTag::of_search(&answer.snapshot, &params::write_search(&request));
    let json = answer::search_json(&request, &answer, took).map_err(|error| unwritable(&error))?;
    Ok(cached(&headers, &tag, settings.cache_seconds, json))
}
