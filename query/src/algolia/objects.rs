//! Products by their ids.

use std::sync::Arc;

use algolia_protocol::hit::Object;
use algolia_protocol::request::{read_requests, sort_of};
use api::problems::serialization_failed;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Product, ProductId};
use runtime::Problem;
use runtime::body::UntypedBody;
use serde_json::value::to_raw_value;

use super::reply::{Results, json, refused, text};
use crate::reader::Reader;
use crate::search_service::SearchService;

/// The most products in one body.
const MAX_OBJECTS: usize = 1000;

/// Returns a product that searches find, with the members that the parameter `attributesToRetrieve` lists, separated by commas.
pub(super) async fn object(
    State(service): State<Arc<SearchService>>,
    Path((index, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    reader: Reader,
) -> Result<Response, Problem> {
    sort_of(&index).map_err(refused)?;
    let ids = ProductId::parse(&id).into_iter().collect::<Vec<_>>();
    let found = service.active_products(&ids, &reader.restriction).await?.into_iter().next().flatten();
    let product = found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "ObjectID does not exist"))?;
    let query = query.unwrap_or_default();
    let wanted = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "attributesToRetrieve");
    let wanted: Option<Vec<String>> =
        wanted.map(|(_, names)| names.split(',').map(|name| name.trim().to_owned()).collect());
    json(&Object { product: &product, attributes: wanted.as_deref() })
}

/// Returns the product for each request, in order; null if no active product has the id.
pub(super) async fn objects(
    State(service): State<Arc<SearchService>>,
    reader: Reader,
    UntypedBody(body): UntypedBody,
) -> Result<Response, Problem> {
    let requests = read_requests(&body, MAX_OBJECTS).map_err(refused)?;
    let mut ids = Vec::with_capacity(requests.len());
    for request in &requests {
        sort_of(text(request, "indexName")?).map_err(refused)?;
        ids.push(ProductId::parse(text(request, "objectID")?).ok());
    }
    let known: Vec<ProductId> = ids.iter().flatten().cloned().collect();
    let mut products = service.active_products(&known, &reader.restriction).await?.into_iter();
    let mut found = Vec::with_capacity(requests.len());
    for (mut request, id) in requests.into_iter().zip(ids) {
        let wanted: Option<Vec<String>> = match request.remove("attributesToRetrieve") {
            None => None,
            Some(names) => serde_json::from_value(names).map_err(|_| {
                Problem::new(StatusCode::BAD_REQUEST, "attributesToRetrieve: must be a list of strings")
            })?,
        };
        found.push((id.and_then(|_| products.next()).flatten(), wanted));
    }
    let object = |(product, wanted): &'_ (Option<Arc<Product>>, Option<Vec<String>>)| {
        let attributes = wanted.as_deref();
        product.as_ref().map(|product| to_raw_value(&Object { product, attributes })).transpose()
    };
    let results = found.iter().map(object).collect::<Result<Vec<_>, _>>();
    json(&Results { results: results.map_err(|error| serialization_failed(&error))? })
}
