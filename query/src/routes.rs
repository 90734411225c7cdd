//! The routes of the read side.

use std::sync::Arc;

use api::responses::Components;
use domain::ports::SearchIndex;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::endpoints::{explain, facets, search, similar, suggest};
use crate::metrics;
use crate::search_service::{SearchService, Settings};

/// Returns the routes that search an index, with their part of the OpenAPI document.
pub fn routes(index: Arc<dyn SearchIndex>, settings: Settings) -> OpenApiRouter {
    metrics::describe();
    OpenApiRouter::with_openapi(Components::openapi())
        .routes(routes!(search::search, search::search_by_body))
        .routes(routes!(facets::facet_values))
        .routes(routes!(suggest::suggest))
        .routes(routes!(similar::similar))
        .routes(routes!(explain::explain))
        .with_state(Arc::new(SearchService::new(index, settings)))
}
