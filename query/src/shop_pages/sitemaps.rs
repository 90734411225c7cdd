//! The sitemap: the pages of all active products, for search engines. A large catalogue has a list of parts.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use runtime::Problem;
use storefront::Storefront;
use storefront::sitemap;

use super::page_context::base;
use super::sitemap_parts::SitemapParts;
use crate::search_service::SearchService;

/// Returns the sitemap, or the list of its parts. It lists the same products for every client.
pub(super) async fn list(
    storefront: &Storefront,
    parts: &SitemapParts,
    State(service): State<Arc<SearchService>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let base = address(storefront, &headers)?;
    match parts.count(&service).await? {
        1 => Ok(xml(parts.write(&service, &base, 1).await?.unwrap_or_default())),
        count => Ok(xml(sitemap::index(&base, count))),
    }
}

/// Returns a part of the sitemap, by its number from 1.
pub(super) async fn part(
    storefront: &Storefront,
    parts: &SitemapParts,
    State(service): State<Arc<SearchService>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let base = address(storefront, &headers)?;
    let number = name.parse().ok().filter(|number: &usize| number.to_string() == name);
    let part = parts.write(&service, &base, number.unwrap_or_default()).await?;
    let missing = || Problem::new(StatusCode::NOT_FOUND, "the sitemap has no such part; see /sitemap.xml");
    part.map(xml).ok_or_else(missing)
}

/// Returns the rules for robots, which name the sitemap.
pub(super) fn robots(storefront: &Storefront, headers: &HeaderMap) -> Response {
    let mut rules = "User-agent: *\n".to_owned();
    for path in ["/admin/", "/docs", "/imports", "/products"] {
        rules.push_str(&format!("Disallow: {path}\n"));
    }
    if let Some(base) = base(storefront, headers) {
        rules.push_str(&format!("Sitemap: {base}/sitemap.xml\n"));
    }
    rules.into_response()
}

/// Returns the address of the service, because a sitemap consists of absolute URLs.
fn address(storefront: &Storefront, headers: &HeaderMap) -> Result<String, Problem> {
    base(storefront, headers).ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "the request names no host; set NOREN_STOREFRONT_URL")
    })
}

fn xml(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/xml")], bytes).into_response()
}
