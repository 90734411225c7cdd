//! The routes of the read side.

use std::sync::Arc;

use access::Scope;
use api::responses::Components;
use domain::ports::SearchIndex;
use runtime::Routes;
use utoipa::OpenApi as _;
use utoipa_axum::routes;

use crate::algolia;
use crate::endpoints::{explain, facets, search, similar, suggest};
use crate::metrics;
use crate::search_service::{SearchService, Settings};
use crate::shop_pages;

/// Returns the routes that search an index, with their part of the OpenAPI document.
pub fn routes(index: Arc<dyn SearchIndex>, settings: Settings) -> Routes {
    metrics::describe();
    Routes::with_openapi(Components::openapi())
        .routes(Scope::Search, routes!(search::search, search::search_by_body))
        .routes(Scope::Search, routes!(facets::facet_values))
        .routes(Scope::Search, routes!(suggest::suggest))
        .routes(Scope::Search, routes!(similar::similar))
        .routes(Scope::Search, routes!(explain::explain))
        .merge(algolia::routes())
        .merge(shop_pages::routes(settings.storefront.as_ref()))
        .with_state(Arc::new(SearchService::new(index, settings)))
}
