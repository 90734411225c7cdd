//! `GET /products/facets/{field}`.

use std::sync::Arc;

use api::problems::{bad_request, serialization_failed};
use api::responses::{NotIndexed, NotModified, ServiceFailed};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::FaultKind;
use domain::search::{FacetRequest, Field};
use runtime::Problem;
use runtime::server_timing::{self, Phase};

use crate::answer;
use crate::execute::cache_key;
use crate::extract::{FacetValues, Parameters};
use crate::metrics::Kind;
use crate::respond::{Cached, RenderedResponse};
use crate::search_service::SearchService;
use search_parameters::{Endpoint, ParsedSearch, read_facet_field};

/// List the values of a facet
///
/// The values of one field with the number of products that have each: all brands, for example, or those that begin with what
/// was typed, also with typos. Words and filters select the products that count, as in a search; filters of the field itself
/// do not.
///
/// The field is `brand`, `category`, `tags` or `attributes.KEY`. For `price`, search with `facets=price`, which returns a
/// range and a histogram.
#[utoipa::path(
    get,
    path = "/products/facets/{field}",
    tag = "search",
    operation_id = "listFacetValues",
    params(
        (
            "field" = String,
            Path,
            description = "`brand`, `category`, `tags` or `attributes.KEY` with the key of an attribute, \
                           percent-encoded if necessary. A key that no product has gives an empty list.",
            example = "brand"
        ),
        Parameters<FacetValues>,
    ),
    responses(
        (
            status = 200,
            description = "The values, those that fit `prefix` best first, of those the most frequent.",
            body = api::wire::facets::FacetValues<'static>,
            headers(
                ("ETag" = String, description = "Changes with the answer; send it back as `If-None-Match`."),
                ("Cache-Control" = String, description = "`public, max-age=` the configured seconds, or `no-cache`."),
                ("X-Cache" = String, description = "`HIT` or `MISS` in the memory of the service; `STALE` if the index does not respond, then with `Age`."),
            ),
            example = json!({
                "field": "brand",
                "values": [{"value": "HP", "count": 12}, {"value": "Dell", "count": 7}]
            })
        ),
        NotModified,
        ServiceFailed,
        NotIndexed,
        (
            status = 400,
            description = "Parameters are unknown, malformed or out of bounds, or the field is `price`.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (
            status = 404,
            description = "There is no facet of this name.",
            body = Problem,
            content_type = "application/problem+json"
        ),
    )
)]
pub(crate) async fn facet_values(
    State(service): State<Arc<SearchService>>,
    field: Result<Path<String>, PathRejection>,
    Parameters { search, reader, .. }: Parameters<FacetValues>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let field = read_field(field)?;
    let key = cache_key(&format!("facets/{field}"), Endpoint::FacetValues, &search);
    let ParsedSearch { request, prefix, limit, .. } = search.clone();
    let request = FacetRequest { search: request, field, prefix, limit };
    let render = async {
        let (values, snapshot) = service.facet_values(&request).await?;
        let json = server_timing::measure(Phase::Json, || {
            answer::facet_values_json(&request.field, &values, search.is_truncated)
        });
        Ok(RenderedResponse::new(json.map_err(|error| serialization_failed(&error))?, snapshot))
    };
    let cached = Cached { kind: Kind::Facet, key: &key };
    service.respond(&headers, &search, &reader, cached, render).await
}

fn read_field(field: Result<Path<String>, PathRejection>) -> Result<Field, Problem> {
    let Ok(Path(text)) = field else {
        let detail = "the name of the facet must be valid UTF-8 after percent-decoding";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    };
    match read_facet_field(&text) {
        Ok(Field::Price) => {
            let message = "has no list of values; search with `facets=price` for its range and histogram";
            Err(bad_request("field", FaultKind::Malformed, message))
        }
        Ok(field) => Ok(field),
        Err(_) => {
            let detail =
                "there is no facet of this name; there are `brand`, `category`, `tags` and `attributes.KEY`";
            Err(Problem::new(StatusCode::NOT_FOUND, detail))
        }
    }
}
