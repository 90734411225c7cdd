//! The pages of active products.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use domain::search::SearchRequest;
use domain::{Product, ProductId};
use runtime::Problem;
use search_parameters::ParsedSearch;
use storefront::Storefront;

use super::html::page;
use super::page_context;
use crate::reader::Reader;
use crate::search_service::SearchService;

/// The number of related products on a page.
const RELATED: usize = 8;

/// Returns the page of a product, or a page that says that there is no such product.
pub(super) async fn product(
    storefront: &Storefront,
    State(service): State<Arc<SearchService>>,
    Path(id): Path<String>,
    reader: Reader,
    parts: Parts,
) -> Result<Response, Problem> {
    let context = page_context::read(storefront, service.settings.currency, &parts);
    let found = match ProductId::parse(&id) {
        Ok(id) => service.product_with_related(&id, &reader).await?,
        Err(_) => None,
    };
    Ok(match found {
        Some((product, related)) => {
            page(storefront, StatusCode::OK, storefront.product_page(&context, &product, &related))
        }
        None => page(storefront, StatusCode::NOT_FOUND, storefront.not_found_page(&context)),
    })
}

impl SearchService {
    /// Returns an active product and products that are similar to it; `None` if searches do not find it.
    async fn product_with_related(
        &self,
        id: &ProductId,
        reader: &Reader,
    ) -> Result<Option<(Arc<Product>, Vec<Arc<Product>>)>, Problem> {
        let found = self.active_products(std::slice::from_ref(id), &reader.restriction).await?;
        let Some(product) = found.into_iter().next().flatten() else { return Ok(None) };
        let request = SearchRequest {
            restriction: reader.restriction.clone(),
            ..SearchRequest::all(self.settings.currency)
        };
        let mut search = ParsedSearch::of(request);
        search.limit = RELATED;
        let similar = self.similar_to_product(&product, &self.apply_rules(search)).await?;
        Ok(Some((product, similar.hits.into_iter().map(|hit| hit.product).collect())))
    }
}
