//! The list of products: all of them, or those that pass filters.
//!
//! The store lists products in an order of its own and has no filters, so a filtered list is a scan. One request reads a bounded number
//! of products, and its page holds those of them that pass. The cursor of the page is one of the store.

use api::extract::Parameters;
use api::parameters::{ParameterReader, unknown_among};
use api::problems::{PRODUCT_STORE, bad_parameters, bad_request};
use api::responses::{BadParameters, ServiceFailed};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::input::{MAX_LABEL_CHARS, parse_label};
use domain::ports::{ListError, ProductPage};
use domain::{CategoryPath, FaultKind, Product, Selection, Status};
use jiff::Timestamp;
use runtime::Problem;
use runtime::server_timing::{self, Phase};
use serde::Serialize;
use utoipa::IntoParams;

use crate::Catalogue;

/// Products on a page of the list, unless the request says otherwise.
const DEFAULT_LIMIT: usize = 100;
/// The most products on a page of the list.
const MAX_LIMIT: usize = 500;
/// Products of one page of a scan.
const SCAN_PAGE: usize = 100;
/// The most products that one request scans.
const MAX_SCANNED: usize = 1000;
/// The most pages that one request reads. The pages of a store may be short.
const MAX_PAGES: usize = 20;

/// The names of the parameters.
const PARAMETERS: [&str; 7] = ["status", "category", "brand", "sku", "updatedSince", "cursor", "limit"];

/// The parameters of the list, for the OpenAPI document. [`ListRequest::read`] reads them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "its fields are only documented")]
pub(crate) struct ListParameters {
    /// The status of the products. Repeat it for several.
    #[param(nullable = false)]
    status: Option<Vec<Status>>,
    /// The category of the products, with everything below it. Repeat it for several.
    #[param(nullable = false)]
    category: Option<Vec<String>>,
    /// The brand of the products, as they write it. Repeat it for several.
    #[param(nullable = false)]
    brand: Option<Vec<String>>,
    /// The sku of the product. Repeat it for several.
    #[param(nullable = false)]
    sku: Option<Vec<String>>,
    /// Selects products that were last written at or after this time (RFC 3339).
    #[param(nullable = false, example = "2026-02-01T12:00:00Z")]
    updated_since: Option<String>,
    /// `nextCursor` of the previous page.
    #[param(nullable = false, min_length = 1)]
    cursor: Option<String>,
    /// The most products on a page; 100 by default.
    #[param(nullable = false, minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// A request for a page of the list.
struct ListRequest {
    filters: Selection,
    cursor: Option<String>,
    limit: usize,
}

impl ListRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// 400 with all faults.
    fn read(mut parameters: ParameterReader) -> Result<Self, Problem> {
        let label = |text: &str| parse_label(text, MAX_LABEL_CHARS);
        let malformed = |message: String| (FaultKind::Malformed, message);
        let filters = Selection {
            statuses: parameters.list("status", |text| Status::parse(text).map_err(malformed)),
            categories: parameters.list("category", |text| CategoryPath::parse(text).map_err(malformed)),
            brands: parameters.list("brand", label),
            skus: parameters.list("sku", label),
            updated_since: parameters.parsed("updatedSince", |text| {
                let example = "must be a time such as `2026-02-01T12:00:00Z`";
                text.parse::<Timestamp>().map_err(|_| malformed(example.to_owned()))
            }),
            ..Selection::default()
        };
        let cursor = parameters.one("cursor");
        let limit = parameters.whole_number("limit", 1..=MAX_LIMIT).unwrap_or(DEFAULT_LIMIT);
        parameters.finish(|_| unknown_among(&PARAMETERS)).map_err(|faults| bad_parameters(&faults))?;
        Ok(Self { filters, cursor, limit })
    }
}

/// A page of products.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProductList {
    products: Vec<Product>,
    /// The value of `cursor` for the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List products
///
/// From the store, including drafts and archived products, in a stable order. A product that exists from the first page to the last is
/// listed exactly once, whatever is written meanwhile.
///
/// Filters select products that pass all of them; of a filter that is given several times, one value suffices. A request with filters
/// reads at most 1,000 products of the store, so its page may have fewer products than `limit`, or none, and still have a `nextCursor`.
/// The list ends with the page that has none. Send the same filters with each page.
#[utoipa::path(
    get, path = "/products", tag = "products", operation_id = "listProducts",
    params(ListParameters),
    responses(
        BadParameters, ServiceFailed,
        (status = 200, description = "A page.", body = ProductList),
    )
)]
pub(crate) async fn list(
    State(catalogue): State<Catalogue>,
    Parameters(parameters): Parameters,
) -> Result<Response, Problem> {
    let ListRequest { filters, cursor, limit } = ListRequest::read(parameters)?;
    let page = match filters.is_everything() {
        true => catalogue.list(cursor.as_deref(), limit).await,
        false => scan(&catalogue, &filters, cursor, limit).await,
    };
    match page {
        Ok(page) => {
            let list = ProductList { products: page.products, next_cursor: page.next };
            Ok(server_timing::measure(Phase::Json, || axum::Json(list).into_response()))
        }
        Err(ListError::UnknownCursor) => {
            let message = "is not the `nextCursor` of a list";
            Err(bad_request("cursor", FaultKind::Malformed, message))
        }
        Err(ListError::Failed(error)) => Err(PRODUCT_STORE.problem(&error)),
    }
}

/// Returns the products that pass the filters among the next [`MAX_SCANNED`] of the store, at most `limit`.
///
/// The cursor of the store names the end of a page. If a page has more products that pass than there is room for, it is read again with
/// fewer products, so that it ends with the last one that there is room for.
async fn scan(
    catalogue: &Catalogue,
    filters: &Selection,
    cursor: Option<String>,
    limit: usize,
) -> Result<ProductPage, ListError> {
    let mut found = ProductPage { products: Vec::new(), next: cursor };
    let (mut unscanned, mut size) = (MAX_SCANNED, SCAN_PAGE);
    for _ in 0..MAX_PAGES {
        let page = catalogue.list(found.next.as_deref(), size).await?;
        let room = limit - found.products.len();
        let passes = |(_, product): &(usize, &Product)| filters.accepts(product);
        let mut passing = page.products.iter().enumerate().filter(passes).map(|(at, _)| at);
        if let Some(last) = passing.nth(room - 1)
            && passing.next().is_some()
        {
            size = last + 1;
            continue;
        }
        unscanned = unscanned.saturating_sub(page.products.len());
        found.products.extend(page.products.into_iter().filter(|product| filters.accepts(product)));
        found.next = page.next;
        if found.next.is_none() || found.products.len() == limit || unscanned == 0 {
            break;
        }
        size = SCAN_PAGE.min(unscanned);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_strictly() {
        let read = |query: &str| ListRequest::read(ParameterReader::of_query(query));
        let query = "status=draft&status=archived&category=Home+%3E+Lamps&brand=A%26B&sku=L-1&sku=L-2\
                     &updatedSince=2026-02-01T12:00:00Z&cursor=c&limit=7";
        let ListRequest { filters, cursor, limit } =
            read(query).unwrap_or_else(|problem| panic!("{problem:?}"));
        assert_eq!(filters.statuses, [Status::Draft, Status::Archived]);
        assert_eq!(filters.categories, [CategoryPath::parse("Home > Lamps").unwrap()]);
        assert_eq!(
            (filters.brands, filters.skus),
            (vec!["A&B".to_owned()], vec!["L-1".to_owned(), "L-2".to_owned()])
        );
        assert_eq!(filters.updated_since, Some("2026-02-01T12:00:00Z".parse().unwrap()));
        assert_eq!((cursor.as_deref(), limit), (Some("c"), 7));
        for (query, field) in [
            ("status=gone", "status"),
            ("category=%3E", "category"),
            ("brand=", "brand"),
            ("sku=", "sku"),
            ("updatedSince=yesterday", "updatedSince"),
            ("updatedBefore=2026-02-01T12:00:00Z", "updatedBefore"),
            ("limit=501", "limit"),
        ] {
            let Err(problem) = read(query) else { panic!("{query} is accepted") };
            let problem = serde_json::to_value(problem).unwrap();
            assert_eq!(
                (&problem["status"], &problem["errors"][0]["field"]),
                (&400.into(), &field.into()),
                "{query}"
            );
        }
    }
}
