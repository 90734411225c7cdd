//! The sitemap: the pages of all active products, for search engines.
//!
//! A catalogue of more than [`PART_PRODUCTS`] products has a list of parts. Each part is a range of ids, so every product is in exactly
//! one, whatever is written meanwhile. The ends of the ranges are found when a part is first requested.

use std::sync::Arc;

use api::problems::{OrProblem as _, SEARCH_INDEX};
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use domain::ProductId;
use domain::search::{Cursor, MAX_PAGE_SIZE, Page, PageStart, SearchAnswer, SearchRequest};
use runtime::Problem;
use storefront::Storefront;
use storefront::sitemap::{self, MAX_PRODUCTS, Sitemap};
use tokio::sync::{Mutex, Semaphore};

use super::page_context::base;
use crate::search_service::SearchService;

/// The products of a part when its end is found. Half of what the protocol allows, because products are added later.
const PART_PRODUCTS: usize = MAX_PRODUCTS / 2;
/// The most parts.
const MAX_PARTS: usize = 40;

/// The state of the sitemap.
#[derive(Debug)]
pub(super) struct SitemapParts {
    /// The ends of all parts but the last, as far as they are known.
    ends: Mutex<Vec<PartEnd>>,
    /// Admits one request at a time to read the products of a part.
    reading: Semaphore,
}

/// The end of a part.
#[derive(Debug, Clone)]
struct PartEnd {
    /// The last product of the part.
    last: ProductId,
    /// The start of the next part.
    next: Cursor,
}

impl Default for SitemapParts {
    fn default() -> Self {
        Self { ends: Mutex::default(), reading: Semaphore::new(1) }
    }
}

/// Returns the sitemap, or the list of its parts. It has the products that everyone may find, whoever asks.
pub(super) async fn list(
    storefront: &Storefront,
    parts: &SitemapParts,
    State(service): State<Arc<SearchService>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let base = address(storefront, &headers)?;
    let total = service.products_from(None).await?.total;
    let by_total = usize::try_from(total).unwrap_or(usize::MAX).div_ceil(PART_PRODUCTS);
    let known = parts.ends.lock().await.len();
    match by_total.max(known + 1).min(MAX_PARTS) {
        1 => service.write_part(&base, parts, 1).await.map(xml),
        count => Ok(xml(sitemap::index(&base, count))),
    }
}

/// Returns a part of the sitemap, by its number from 1.
pub(super) async fn part(
    storefront: &Storefront,
    parts: &SitemapParts,
    State(service): State<Arc<SearchService>>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let number = number.parse().ok().filter(|number| (1..=MAX_PARTS).contains(number));
    let Some(number) = number else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "the sitemap has no such part; see /sitemap.xml"));
    };
    let base = address(storefront, &headers)?;
    service.write_part(&base, parts, number).await.map(xml)
}

/// Returns the rules for robots, which name the sitemap.
pub(super) fn robots(storefront: &Storefront, headers: &HeaderMap) -> Response {
    let mut rules = "User-agent: *\n".to_owned();
    for path in ["/1/", "/admin/", "/docs", "/imports", "/products"] {
        rules.push_str(&format!("Disallow: {path}\n"));
    }
    if let Some(base) = base(storefront, headers) {
        rules.push_str(&format!("Sitemap: {base}/sitemap.xml\n"));
    }
    rules.into_response()
}

impl SearchService {
    /// Writes the part with this number.
    async fn write_part(&self, base: &str, parts: &SitemapParts, number: usize) -> Result<Vec<u8>, Problem> {
        // The semaphore is never closed.
        let _permit = parts.reading.acquire().await.map_err(|_| Problem::internal())?;
        let ends = self.find_ends(parts, number).await?;
        let mut sitemap = Sitemap::new(base);
        let mut start = number.checked_sub(2).and_then(|before| ends.get(before)).map(|end| end.next.clone());
        if number > 1 && start.is_none() {
            return Ok(sitemap.finish());
        }
        let last = ends.get(number - 1).map(|end| end.last.clone());
        let mut room = if last.is_some() { MAX_PRODUCTS } else { PART_PRODUCTS };
        loop {
            let answer = self.products_from(start).await?;
            for hit in answer.hits.iter().take(room) {
                if last.as_ref().is_some_and(|last| hit.product.id > *last) {
                    return Ok(sitemap.finish());
                }
                sitemap.add(&hit.product);
            }
            room = room.saturating_sub(answer.hits.len());
            start = answer.next;
            if start.is_none() || room == 0 {
                return Ok(sitemap.finish());
            }
        }
    }

    /// Returns the ends of the parts before and at `number`, as far as there are so many.
    async fn find_ends(&self, parts: &SitemapParts, number: usize) -> Result<Vec<PartEnd>, Problem> {
        loop {
            let mut ends = parts.ends.lock().await.clone();
            if ends.len() + 1 < number
                && let Some(end) = self.find_end(ends.last().map(|end| end.next.clone())).await?
            {
                // What was found stays known if a later step runs into the time limit.
                parts.ends.lock().await.push(end);
                continue;
            }
            ends.truncate(number);
            return Ok(ends);
        }
    }

    /// Returns the end of the part that begins at a cursor; `None` if it is the last one.
    async fn find_end(&self, mut start: Option<Cursor>) -> Result<Option<PartEnd>, Problem> {
        let mut count = 0;
        loop {
            let answer = self.products_from(start).await?;
            count += answer.hits.len();
            let (Some(next), Some(last)) = (answer.next, answer.hits.last()) else { return Ok(None) };
            if count >= PART_PRODUCTS {
                return Ok(Some(PartEnd { last: last.product.id.clone(), next }));
            }
            start = Some(next);
        }
    }

    /// Returns the active products after a cursor, in the order of their ids.
    async fn products_from(&self, start: Option<Cursor>) -> Result<SearchAnswer, Problem> {
        let start = start.map_or(PageStart::Number(1), PageStart::After);
        let request = SearchRequest {
            page: Page { start, size: MAX_PAGE_SIZE },
            ..SearchRequest::all(self.settings.currency)
        };
        self.index.search(&request).await.or_problem(SEARCH_INDEX)
    }
}

/// Returns the address of the service. Sitemaps consist of whole addresses.
fn address(storefront: &Storefront, headers: &HeaderMap) -> Result<String, Problem> {
    base(storefront, headers).ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "the request names no host; set NOREN_STOREFRONT_URL")
    })
}

fn xml(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/xml")], bytes).into_response()
}
