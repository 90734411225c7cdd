//! `GET /products/facets/{field}`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::Fault;
use domain::FaultKind;
use domain::search::Field;
use runtime::Problem;

use crate::answer::{self, FacetValuesJson};
use crate::awaited::Awaited;
use crate::cache::Made;
use crate::http::{bad_request, unwritable};
use crate::parameter_docs::FacetValuesParameters;
use crate::{Service, asking, params};

/// List the values of a facet
///
/// The values of one field with the number of products that have each, for a list to choose from: all brands, say,
/// or those that go on from what was typed, also with typos. Words and filters say which products count, as in a search; the filters
/// of the field itself do not.
///
/// The field is `brand`, `category`, `tags` or `attributes.KEY`. For `price`, ask the search for `facets=price`, which
/// answers with a range and a histogram.
#[utoipa::path(
    get,
    path = "/products/facets/{field}",
    tag = "search",
    operation_id = "facetValues",
    params(
        (
            "field" = String,
            Path,
            description = "`brand`, `category`, `tags` or `attributes.KEY` with the key of an attribute, \
                           percent-encoded where it must be. A key that no product has is an empty list.",
            example = "brand"
        ),
        FacetValuesParameters,
        ("Noren-Sync-Token" = Option<String>, Header, description = "A write that the answer must have seen, as it was answered; repeated or separated by commas, at most 100. Waits for it 2 s at most."),
    ),
    responses(
        (
            status = 200,
            description = "The values, those that fit `prefix` best first, of those the most frequent.",
            body = FacetValuesJson<'static>,
            headers(
                ("ETag" = String, description = "Changes with the answer; send it back as `If-None-Match`."),
                ("Cache-Control" = String, description = "`public, max-age=` the configured seconds, or `no-cache`."),
            ),
            example = json!({
                "field": "brand",
                "values": [{"value": "HP", "count": 12}, {"value": "Dell", "count": 7}]
            })
        ),
        (status = 304, description = "The client has this answer already: `If-None-Match` named its `ETag`."),
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
pub(crate) async fn facet_values(
    State(service): State<Arc<Service>>,
    field: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    awaited: Awaited,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let field = read_field(field)?;
    let query = query.as_deref().unwrap_or_default();
    let mut request = params::read_facet_values(field, query, service.settings.currency)
        .map_err(|faults| bad_request(&faults))?;
    request.search = service.tuned(request.search);
    let path = format!("facets/{}", request.field);
    let name = asking::name(&path, &params::write_facet_values(&request), &request.search.tuning);
    let make = async {
        let (values, snapshot) = service.facet_values(&request).await?;
        let json = answer::facet_values_json(&request.field, &values).map_err(|error| unwritable(&error))?;
        Ok(Made { json, is_empty: false, snapshot })
    };
    service.respond(&headers, &awaited, &name, make).await
}

fn read_field(field: Result<Path<String>, PathRejection>) -> Result<Field, Problem> {
    let Ok(Path(text)) = field else {
        let detail = "the name of the facet must be UTF-8 under its percent-encoding";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    };
    match params::read_facet_field(&text) {
        Ok(Field::Price) => {
            let message = "has no list of values; search with `facets=price` for its range and histogram";
            Err(bad_request(&Fault::new("field", FaultKind::Malformed, message).into()))
        }
        Ok(field) => Ok(field),
        Err(_) => {
            let detail =
                "there is no facet of this name; there are `brand`, `category`, `tags` and `attributes.KEY`";
            Err(Problem::new(StatusCode::NOT_FOUND, detail))
        }
    }
}
