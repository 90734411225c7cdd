//! The search page with the first results. The page's script does all further searches.

use std::sync::Arc;

use axum::extract::FromRequestParts as _;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use domain::Product;
use domain::search::Restriction;
use runtime::Problem;
use search_parameters::{self as parameters, Endpoint};
use storefront::{FirstResults, Storefront};

use super::html::page;
use super::page_context;
use crate::execute::Executed;
use crate::metrics::{Kind, Outcome, count};
use crate::reader::Reader;
use crate::search_service::SearchService;

/// The number of products on a page; the script has the same.
const PAGE_SIZE: &str = "24";
/// The order of a search without words; the script has the same.
const WITHOUT_WORDS: &str = "newest";
/// The parameters of the page that have another name in the search API.
const RENAMED: [(&str, &str); 2] = [("price", "priceRange"), ("sort", "sortBy")];

/// Returns the search page.
pub(super) async fn search_page(
    storefront: &Storefront,
    service: &Arc<SearchService>,
    mut parts: Parts,
) -> Result<Response, Problem> {
    let reader = Reader::from_request_parts(&mut parts, service).await?;
    let context = page_context::read(storefront, service.settings.currency, &parts);
    let query = parts.uri.query().unwrap_or_default();
    let products = service.first_products(query, &reader.restriction).await;
    let first = products.as_deref().map(|products| FirstResults { parameters: query, products });
    Ok(page(storefront, StatusCode::OK, storefront.search_page(&context, first.as_ref())))
}

impl SearchService {
    /// Returns the first products for the parameters of a page. Returns `None` if the search is invalid or fails: the script
    /// searches again, and shows the error.
    async fn first_products(&self, query: &str, restriction: &Restriction) -> Option<Vec<Arc<Product>>> {
        let search = parameters::read(Endpoint::Search, &search_query(query), self.settings.currency).ok()?;
        let search = search.restricted_to(restriction).ok()?;
        let (executed, _) = self.execute_all(&[self.apply_rules(search)]).await.ok()?;
        let Executed { request, answer, .. } = executed.into_iter().next()?;
        count(Kind::Storefront, Outcome::of(&request, &answer));
        Some(answer.hits.into_iter().map(|hit| hit.product).collect())
    }
}

/// Converts the query string of a page to that of the search API.
fn search_query(page: &str) -> String {
    let mut search = form_urlencoded::Serializer::new(String::new());
    search.append_pair("pageSize", PAGE_SIZE);
    let (mut has_words, mut has_order) = (false, false);
    for (name, value) in form_urlencoded::parse(page.as_bytes()) {
        let renamed = RENAMED.iter().find(|(known, _)| *known == name);
        match (&*name, renamed) {
            ("language", _) => continue,
            ("sort", _) => has_order = true,
            ("query", _) => has_words |= !value.trim().is_empty(),
            _ => {}
        }
        search.append_pair(renamed.map_or(&name, |(_, known)| known), &value);
    }
    if !has_words && !has_order {
        search.append_pair("sortBy", WITHOUT_WORDS);
    }
    search.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_search() {
        for (page, search) in [
            ("", "pageSize=24&sortBy=newest"),
            ("language=de", "pageSize=24&sortBy=newest"),
            ("query=+&price=10-", "pageSize=24&query=+&priceRange=10-&sortBy=newest"),
            ("query=tea&language=ja&page=2", "pageSize=24&query=tea&page=2"),
            ("category=A+%3E+B&sort=name", "pageSize=24&category=A+%3E+B&sortBy=name"),
            (
                "attributes.w=1..2&attributes.c=red",
                "pageSize=24&attributes.w=1..2&attributes.c=red&sortBy=newest",
            ),
        ] {
            assert_eq!(search_query(page), search, "{page}");
        }
    }
}
