//! `GET /products/search` and `POST /products/search`.

use std::sync::Arc;

use api::extract::NoParameters;
use api::problems::{bad_body, of_fault};
use api::responses::{BadJsonBody, BadParameters, NotIndexed, NotModified, ServiceFailed};
use api::wire::search::{AnswerToBody, SearchAnswer};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::Fault;
use runtime::body::SmallJsonBody;
use runtime::{Problem, off_thread};

use crate::answer;
use crate::execute::cache_key;
use crate::extract::{Parameters, Search};
use crate::http::{Source, json_response, with_source};
use crate::metrics::Kind;
use crate::reader::Reader;
use crate::respond::Cached;
use crate::response_cache::CachedResponse;
use crate::search_service::SearchService;
use search_parameters::RequiredVersions;
use search_parameters::openapi::SearchesBody;
use search_parameters::{self as parameters, Endpoint, ParsedSearch, Searches};

/// Search the catalogue
///
/// Finds active products by words, with typos, and by filters; counts facets in the same call.
///
/// **Words** are found in name, brand, sku, category, tags, attributes and description. A word matches exactly, with one
/// typo in words of 3 to 5 letters and two in longer ones (none in words with digits), or, for the last word, as a prefix.
/// Products with all words come first. If few have all of them, products follow that lack some; `relaxed` names these words and
/// `relaxedTotal` counts these products. Without words everything matches. `-red` leaves out products with a word, and `"new
/// balance"` are words that follow each other, unless `operators=false`. A query beyond its bounds is cut at them, and the answer
/// has `truncated: true`.
///
/// **Filters**: a repeated parameter matches products that have one of its values (`brand=HP&brand=Dell`); different parameters
/// must all match. There may be 20 values in all. Values are case-sensitive.
///
/// **Attributes** have free keys, so their parameters have free names: `attributes.colour=red` matches a value,
/// `attributes.width=10..20` a number from 10 to 20; either side may be open, as in `attributes.width=10..`, and `10..<20` leaves
/// out the upper bound. `attributes.released=2026-01-01..2026-06-30` is a range of dates. Anything that does not have the form
/// `min..max` with numbers or dates is a value, and so is everything that `attributes.KEY.is=` names, such as `100..240`.
///
/// **Facets** are counted exactly, each with every filter but its own, over the products that `total` counts: those with all
/// words, unless none has all. `category` is a list and also a `tree` for drilling
/// down: the top categories, and the subcategories of each category that is filtered by or contains one that is. `facets=*`
/// selects the facets that matter for the products found, judged by the 100 best: brand, category and price if these have them,
/// the attributes that are filtered by, and up to 6 more that a fifth of them have and that divide them most evenly; at most 20.
///
/// An unknown parameter is an error, and so is a value out of its bounds; all errors are reported at once.
#[utoipa::path(
    get,
    path = "/products/search",
    tag = "search",
    operation_id = "searchProducts",
    params(Parameters<Search>),
    responses(
        (
            status = 200,
            description = "The page of products, the total and the facets.",
            body = SearchAnswer<'static>,
            headers(
                ("ETag" = String, description = "Changes with the index; send it back as `If-None-Match`."),
                ("Cache-Control" = String, description = "`public, max-age=` the configured seconds, or `no-cache`."),
                ("X-Cache" = String, description = "`HIT` or `MISS` in the memory of the service; `STALE` if the index does not respond, then with `Age`."),
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
    Parameters { search, reader, .. }: Parameters<Search>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let render = async {
        let rendered = service.search_all(std::slice::from_ref(&search)).await?;
        rendered.into_iter().next().ok_or_else(Problem::internal)
    };
    let key = cache_key("search", Endpoint::Search, &search);
    let cached = Cached { kind: Kind::Search, key: &key };
    service.respond(&headers, &search, &reader, cached, render).await
}

/// Search the catalogue by a JSON body
///
/// The same search as `GET /products/search`, with the same names, for filters that are too long for a URL and for
/// **several searches in one call**: up to 10 in `{"searches": […]}`, answered in their order on one snapshot of the catalogue.
///
/// The field of a parameter that may be repeated takes a list, or one value alone. Attributes are an object:
/// `{"attributes": {"colour": ["red", "blue"], "width": "10..20"}}`. Null is the same as leaving a field out.
///
/// A body has at most 64 KiB, a search in it at most 100 fields and values.
///
/// Responses have no `ETag`, because caches do not keep responses to a POST.
#[utoipa::path(
    post,
    path = "/products/search",
    tag = "search",
    operation_id = "searchProductsByBody",
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
            description = "The answer of `GET /products/search`, or `results` with one answer for each search.",
            body = AnswerToBody<'static>
        ),
        BadJsonBody,
        ServiceFailed,
        NotIndexed,
        (
            status = 413, description = "The body is larger than 64 KiB.", body = Problem,
            content_type = "application/problem+json"
        ),
        (
            status = 422,
            description = "Fields are unknown, malformed or out of range; `errors` names each, with the position of its \
                           search if there are several.",
            body = Problem,
            content_type = "application/problem+json",
            example = json!({
                "type": "about:blank", "title": "Unprocessable Entity", "status": 422,
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
    reader: Reader,
    mut required: RequiredVersions,
    SmallJsonBody(body): SmallJsonBody,
) -> Result<Response, Problem> {
    let currency = service.settings.currency;
    let searches = off_thread(body.len(), move || parameters::read_searches(&body, currency)).await;
    match searches.map_err(|error| bad_body(&error, "the body"))? {
        Searches::One(search) => {
            required = required.and(search.required.clone())?;
            let search = search.restricted_to(&reader.restriction).map_err(invalid)?;
            let (answers, source) = service.answer_all(&required, &reader, vec![search]).await?;
            let json = answers.into_iter().next().ok_or_else(Problem::internal)?.json;
            Ok(with_source(json_response(json), source))
        }
        Searches::Several(searches) => {
            let mut all = Vec::with_capacity(searches.len());
            for (at, search) in searches.into_iter().enumerate() {
                required = required.and(search.required.clone())?;
                let restricted = search.restricted_to(&reader.restriction).map_err(|fault| {
                    let field = format!("searches[{at}].{}", fault.field);
                    invalid(Fault { field, ..fault })
                });
                all.push(restricted?);
            }
            let (answers, source) = service.answer_all(&required, &reader, all).await?;
            let json = answer::results_json(answers.iter().map(|answer| &*answer.json));
            Ok(with_source(json_response(json), source))
        }
    }
}

/// Returns 422 for a fault of a search.
fn invalid(fault: Fault) -> Problem {
    of_fault(StatusCode::UNPROCESSABLE_ENTITY, fault)
}

impl SearchService {
    /// Answers the searches of one body, in their order, on one snapshot.
    async fn answer_all(
        &self,
        required: &RequiredVersions,
        reader: &Reader,
        searches: Vec<ParsedSearch>,
    ) -> Result<(Vec<CachedResponse>, Source), Problem> {
        let searches: Vec<ParsedSearch> =
            searches.into_iter().map(|search| self.apply_rules(search)).collect();
        let keys: Vec<String> =
            searches.iter().map(|search| cache_key("search", Endpoint::Search, search)).collect();
        self.respond_to_all(required, reader, &keys, self.search_all(&searches)).await
    }
}
