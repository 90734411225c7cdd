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
use domain::search::{Cursor, MAX_PAGE_SIZE, Page, PageStart, Restriction, SearchAnswer, SearchRequest};
use runtime::Problem;
use storefront::Storefront;
use storefront::sitemap::{self, MAX_PRODUCTS, Sitemap};
use tokio::sync::Mutex;

use super::visit::base;
use crate::reader::Reader;
use crate::search_service::SearchService;

/// The products of a part when its end is found. Half of what the protocol allows, because products are added later.
const PART_PRODUCTS: usize = MAX_PRODUCTS / 2;
/// The most parts.
const MAX_PARTS: usize = 40;

/// The last product of each part but the last one, as far as they are known. One request at a time reads many products.
#[derive(Debug, Default)]
pub(super) struct Parts(Mutex<Vec<End>>);

/// The end of a part.
#[derive(Debug, Clone)]
struct End {
    last: ProductId,
    next: Cursor,
}

/// Returns the sitemap, or the list of its parts.
pub(super) async fn list(
    storefront: &Storefront,
    parts: &Parts,
    State(service): State<Arc<SearchService>>,
    reader: Reader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let base = address(storefront, &headers)?;
    let total = service.products_from(None, &reader.restriction).await?.total;
    let by_total = usize::try_from(total).unwrap_or(usize::MAX).div_ceil(PART_PRODUCTS);
    let known = parts.lock()?.len();
    match by_total.max(known + 1).min(MAX_PARTS) {
        1 => service.write_part(&base, &mut Vec::new(), 1, &reader.restriction).await.map(xml),
        count => Ok(xml(sitemap::index(&base, count))),
    }
}

/// Returns a part of the sitemap, by its number from 1.
pub(super) async fn part(
    storefront: &Storefront,
    parts: &Parts,
    State(service): State<Arc<SearchService>>,
    Path(number): Path<String>,
    reader: Reader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let number = number.parse().ok().filter(|number| (1..=MAX_PARTS).contains(number));
    let Some(number) = number else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "the sitemap has no such part; see /sitemap.xml"));
    };
    let base = address(storefront, &headers)?;
    service.write_part(&base, &mut *parts.lock()?, number, &reader.restriction).await.map(xml)
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

impl Parts {
    /// Locks the ends.
    ///
    /// # Errors
    /// 503 if another request reads products at this moment.
    fn lock(&self) -> Result<tokio::sync::MutexGuard<'_, Vec<End>>, Problem> {
        let busy = |_| Problem::unavailable("another part of the sitemap is being made; try again");
        self.0.try_lock().map_err(busy)
    }
}

impl SearchService {
    /// Writes the part with this number, and adds the ends that it finds to `ends`.
    async fn write_part(
        &self,
        base: &str,
        ends: &mut Vec<End>,
        number: usize,
        restriction: &Restriction,
    ) -> Result<Vec<u8>, Problem> {
        while ends.len() + 1 < number {
            let start = ends.last().map(|end| end.next.clone());
            let Some(end) = self.find_end(start, restriction).await? else { break };
            ends.push(end);
        }
        let mut sitemap = Sitemap::new(base);
        let mut start = number.checked_sub(2).and_then(|before| ends.get(before)).map(|end| end.next.clone());
        if number > 1 && start.is_none() {
            return Ok(sitemap.finish());
        }
        let last = ends.get(number - 1).map(|end| end.last.clone());
        let mut room = if last.is_some() { MAX_PRODUCTS } else { PART_PRODUCTS };
        loop {
            let answer = self.products_from(start, restriction).await?;
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

    /// Returns the end of the part that begins at a cursor; `None` if it is the last one.
    async fn find_end(
        &self,
        mut start: Option<Cursor>,
        restriction: &Restriction,
    ) -> Result<Option<End>, Problem> {
        let mut count = 0;
        loop {
            let answer = self.products_from(start, restriction).await?;
            count += answer.hits.len();
            let (Some(next), Some(last)) = (answer.next, answer.hits.last()) else { return Ok(None) };
            if count >= PART_PRODUCTS {
                return Ok(Some(End { last: last.product.id.clone(), next }));
            }
            start = Some(next);
        }
    }

    /// Returns the active products after a cursor, in the order of their ids.
    async fn products_from(
        &self,
        start: Option<Cursor>,
        restriction: &Restriction,
    ) -> Result<SearchAnswer, Problem> {
        let start = start.map_or(PageStart::Number(1), PageStart::After);
        let request = SearchRequest {
            restriction: restriction.clone(),
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
