//! Products by their ids.

use std::sync::Arc;

use algolia_protocol::hit;
use algolia_protocol::request::{read_requests, sort_of};
use api::problems::{OrProblem as _, SEARCH_INDEX, serialization_failed};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use domain::ports::{Indexed, IndexedState};
use domain::search::Restriction;
use domain::{Product, ProductId};
use runtime::Problem;
use serde_json::{Value, json};

use super::reply::{json, refused, text};
use crate::reader::Reader;
use crate::search_service::SearchService;

/// The most products in one body.
const MAX_OBJECTS: usize = 1000;

/// Returns a product that searches find.
pub(super) async fn object(
    State(service): State<Arc<SearchService>>,
    Path((index, id)): Path<(String, String)>,
    reader: Reader,
) -> Result<Response, Problem> {
    sort_of(&index).map_err(refused)?;
    let ids = ProductId::parse(&id).into_iter().collect::<Vec<_>>();
    let found = service.active_products(&ids, &reader.restriction).await?.into_iter().next().flatten();
    let product = found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "ObjectID does not exist"))?;
    let object = hit::object(&product, None).map_err(|error| serialization_failed(&error))?;
    Ok(json(&object.into()))
}

/// Returns several products; null for those that searches do not find.
pub(super) async fn objects(
    State(service): State<Arc<SearchService>>,
    reader: Reader,
    body: Bytes,
) -> Result<Response, Problem> {
    let requests = read_requests(&body, MAX_OBJECTS).map_err(refused)?;
    let mut ids = Vec::with_capacity(requests.len());
    for request in &requests {
        sort_of(text(request, "indexName")?).map_err(refused)?;
        ids.push(ProductId::parse(text(request, "objectID")?).ok());
    }
    let known: Vec<ProductId> = ids.iter().flatten().cloned().collect();
    let mut products = service.active_products(&known, &reader.restriction).await?.into_iter();
    let mut results = Vec::with_capacity(requests.len());
    for (request, id) in requests.iter().zip(ids) {
        let product = id.and_then(|_| products.next()).flatten();
        let wanted: Option<Vec<String>> =
            request.get("attributesToRetrieve").and_then(|names| serde_json::from_value(names.clone()).ok());
        let object = product.map(|product| hit::object(&product, wanted.as_deref()));
        let object = object.transpose().map_err(|error| serialization_failed(&error))?;
        results.push(object.map_or(Value::Null, Value::from));
    }
    Ok(json(&json!({ "results": results })))
}

impl SearchService {
    /// Returns the products with these ids, in their order; `None` for one that searches do not find.
    pub(super) async fn active_products(
        &self,
        ids: &[ProductId],
        restriction: &Restriction,
    ) -> Result<Vec<Option<Arc<Product>>>, Problem> {
        let indexed = self.index.get(ids).await.or_problem(SEARCH_INDEX)?;
        let active = indexed.into_iter().map(|indexed| match indexed {
            Some(Indexed { state: IndexedState::Active(product), .. }) => {
                Some(product).filter(|product| restriction.accepts(&product.content))
            }
            _ => None,
        });
        Ok(active.collect())
    }
}
