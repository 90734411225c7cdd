//! The routes of the read side.

use std::sync::Arc;

use access::Scope;
use api::responses::Components;
use domain::ports::SearchIndex;
use runtime::Routes;
use runtime::http::HomePage;
use utoipa::OpenApi as _;
use utoipa_axum::routes;

use crate::algolia;
use crate::endpoints::{explain, facets, search, similar, suggest};
use crate::metrics;
use crate::search_service::{SearchService, Settings};
use crate::shop_pages;

/// The read side: routes that search an index, and the home page of the storefront.
pub struct ReadSide(Arc<SearchService>);

impl ReadSide {
    /// Creates the read side of an index.
    pub fn new(index: Arc<dyn SearchIndex>, settings: Settings) -> Self {
        metrics::describe();
        Self(Arc::new(SearchService::new(index, settings)))
    }

    /// Returns the routes with their part of the OpenAPI document.
    pub fn routes(&self) -> Routes {
        Routes::with_openapi(Components::openapi())
            .routes(Scope::Search, routes!(search::search, search::search_by_body))
            .routes(Scope::Search, routes!(facets::facet_values))
            .routes(Scope::Search, routes!(suggest::suggest))
            .routes(Scope::Search, routes!(similar::similar))
            .routes(Scope::Search, routes!(explain::explain))
            .merge(algolia::routes())
            .merge(shop_pages::routes(self.0.settings.storefront.as_ref()))
            .with_state(self.0.clone())
    }

    /// Returns the page at `/`, if there is a storefront.
    pub fn home_page(&self) -> Option<HomePage> {
        let storefront = self.0.settings.storefront.clone()?;
        Some(shop_pages::home_page(storefront, self.0.clone()))
    }
}
