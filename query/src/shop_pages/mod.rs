//! The pages of the storefront: the search page, pages of products, their pictures, and the sitemap.

mod files;
mod html;
mod page_context;
mod products;
mod searches;
mod sitemap_parts;
mod sitemaps;

use std::sync::Arc;

use access::Scope;
use axum::http::{HeaderMap, Method};
use axum::response::IntoResponse as _;
use axum::routing::get;
use futures::FutureExt as _;
use runtime::http::HomePage;
use runtime::{Requirement, Routes};
use storefront::Storefront;
use storefront::sitemap::MAX_PRODUCTS;
use utoipa::openapi::OpenApi;

use crate::search_service::SearchService;

/// Returns the routes of a storefront; none if there is no storefront. The OpenAPI document does not describe pages.
pub(crate) fn routes(storefront: Option<&Storefront>) -> Routes<Arc<SearchService>> {
    let routes = Routes::with_openapi(OpenApi::default());
    let Some(storefront) = storefront else { return routes };
    let storefront = Arc::new(storefront.clone());
    let searching = Requirement::Scope(Scope::Search);
    let parts = Arc::new(sitemap_parts::SitemapParts::of_size(MAX_PRODUCTS / 2));
    let (of_product, of_list, of_part, of_robots) =
        (storefront.clone(), storefront.clone(), storefront.clone(), storefront);
    let parts_of_list = parts.clone();
    let product = get(async move |service, id, reader, parts| {
        products::product(&of_product, service, id, reader, parts).await
    });
    let list =
        get(async move |service, headers| sitemaps::list(&of_list, &parts_of_list, service, headers).await);
    let part = get(async move |service, number, headers| {
        sitemaps::part(&of_part, &parts, service, number, headers).await
    });
    let robots = get(async move |headers: HeaderMap| sitemaps::robots(&of_robots, &headers));
    files::add(routes)
        .undocumented("/shop/products/{id}", Method::GET, searching, product)
        .undocumented("/sitemap.xml", Method::GET, searching, list)
        .undocumented("/sitemap/{number}", Method::GET, searching, part)
        .undocumented("/robots.txt", Method::GET, Requirement::Public, robots)
}

/// Returns the page at `/`, with the first results of the search that its address describes.
pub(crate) fn home_page(storefront: Storefront, service: Arc<SearchService>) -> HomePage {
    let storefront = Arc::new(storefront);
    Arc::new(move |parts| {
        let (storefront, service) = (storefront.clone(), service.clone());
        async move { searches::search_page(&storefront, &service, parts).await.into_response() }.boxed()
    })
}
