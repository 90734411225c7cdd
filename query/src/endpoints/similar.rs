//! `GET /products/{id}/similar`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use api::extract::IdInPath;
use api::problems::serialization_failed;
use api::responses::{BadParameters, InvalidId, NotIndexed, NotModified, ServiceFailed};
use api::wire::fields::Chosen;
use api::wire::search::{SimilarProduct, SimilarProducts};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::search::{Hit, MatchMode, Page, PageStart, SearchAnswer, SearchRequest};
use domain::{Language, Product, ProductId};
use runtime::Problem;
use runtime::server_timing::{self, Phase};
use text::similar::distinctive_words;

use crate::execute::cache_key;
use crate::extract::{self, Parameters};
use crate::metrics::Kind;
use crate::respond::{Cached, RenderedResponse};
use crate::search_service::SearchService;
use search_parameters::{Endpoint, ParsedSearch};

/// List similar products
///
/// Products that share words with the name (except codes and sizes), the brand, the categories or the tags of this one: those
/// of one of its categories first, and among them those that share the most. Filters such as `inStock=true` narrow the choice;
/// if they name categories, its own are not preferred.
#[utoipa::path(
    get,
    path = "/products/{id}/similar",
    tag = "search",
    operation_id = "listSimilarProducts",
    params(
        ("id" = inline(ProductId), Path, description = "The id of the product.", example = "ket-0004"), Parameters<extract::Similar>,
    ),
    responses(
        (
            status = 200,
            description = "The products.",
            body = SimilarProducts<'static>,
            headers(
                ("ETag" = String, description = "Changes with the index; send it back as `If-None-Match`."),
                ("Cache-Control" = String, description = "`public, max-age=` the configured seconds, or `no-cache`."),
                ("X-Cache" = String, description = "`HIT` or `MISS` in the memory of the service; `STALE` if the index does not respond, then with `Age`."),
            )
        ),
        NotModified,
        BadParameters,
        InvalidId,
        ServiceFailed,
        NotIndexed,
        (
            status = 404,
            description = "Search cannot find a product with this id: it does not exist, is not active, or is not indexed yet.",
            body = Problem,
            content_type = "application/problem+json"
        ),
    )
)]
pub(crate) async fn similar(
    State(service): State<Arc<SearchService>>,
    IdInPath(id): IdInPath,
    Parameters { search, reader, .. }: Parameters<extract::Similar>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = cache_key(&format!("similar/{id}"), Endpoint::Similar, &search);
    let cached = Cached { kind: Kind::Similar, key: &key };
    service.respond(&headers, &search, &reader, cached, service.similar_to(&id, &search)).await
}

/// The products that are similar to one.
pub(crate) struct Similar {
    pub(crate) hits: Vec<Hit>,
    pub(crate) took: Duration,
    /// The snapshot that product and hits reflect; `None` if it is unknown, or if they may reflect different ones.
    snapshot: Option<String>,
}

impl SearchService {
    async fn similar_to(&self, id: &ProductId, search: &ParsedSearch) -> Result<RenderedResponse, Problem> {
        let Some(similar) = self.find_similar(id, search).await? else {
            let detail = format!("search finds no product {id}");
            return Err(Problem::new(StatusCode::NOT_FOUND, detail));
        };
        Ok(RenderedResponse::new(similar_json(&similar.hits, search)?, similar.snapshot))
    }

    /// Returns at most `search.limit` products that are similar to this one; `None` if searches do not find it.
    pub(crate) async fn find_similar(
        &self,
        id: &ProductId,
        search: &ParsedSearch,
    ) -> Result<Option<Similar>, Problem> {
        // The product and the hits reflect one snapshot if the snapshot is the same before and after.
        let before = self.newest_snapshot().await?;
        let found = self.active_products(std::slice::from_ref(id), &search.request.restriction).await?;
        let Some(product) = found.into_iter().next().flatten() else { return Ok(None) };
        let mut similar = self.similar_to_product(&product, search).await?;
        similar.snapshot = before.filter(|before| similar.snapshot.as_ref() == Some(before));
        Ok(Some(similar))
    }

    /// Returns at most `search.limit` products that are similar to this one.
    pub(crate) async fn similar_to_product(
        &self,
        product: &Product,
        search: &ParsedSearch,
    ) -> Result<Similar, Problem> {
        let requests = requests(product, search, self.settings.language);
        if requests.is_empty() {
            return Ok(Similar { hits: Vec::new(), took: Duration::ZERO, snapshot: None });
        }
        let (answers, took) = self.query_index("similar", &requests).await?;
        let first = answers.first().map(|answer| answer.snapshot.clone());
        let snapshot = first.filter(|first| answers.iter().all(|answer| answer.snapshot == *first));
        Ok(Similar { hits: merge(answers, search.limit), took, snapshot })
    }
}

/// Returns the searches for similar products: of one of the same categories, then of any. Returns none for a product without words.
fn requests(product: &Product, search: &ParsedSearch, language: Language) -> Vec<SearchRequest> {
    let words = distinctive_words(&product.content, language);
    if words.is_empty() {
        return Vec::new();
    }
    let page = Page { start: PageStart::Number(1), size: search.limit };
    let mut any =
        SearchRequest { words, match_mode: MatchMode::Any, operators: false, page, ..search.request.clone() };
    any.tuning.hidden.push(product.id.clone());
    // Pinned products are not more similar than others.
    any.tuning.pinned.clear();
    let mut requests = Vec::with_capacity(2);
    let categories = &product.content.categories;
    if !categories.is_empty() && any.filters.category.is_empty() {
        let mut same = any.clone();
        same.filters.category.clone_from(categories);
        requests.push(same);
    }
    requests.push(any);
    requests
}

/// Returns at most `limit` products: those of the first answer, then those of the second that are not in the first.
fn merge(answers: Vec<SearchAnswer>, limit: usize) -> Vec<Hit> {
    let mut hits = Vec::<Hit>::with_capacity(limit);
    for hit in answers.into_iter().flat_map(|answer| answer.hits) {
        if hits.len() < limit && hits.iter().all(|known| known.product.id != hit.product.id) {
            hits.push(hit);
        }
    }
    hits
}

fn similar_json(hits: &[Hit], search: &ParsedSearch) -> Result<Vec<u8>, Problem> {
    let products =
        hits.iter().map(|hit| SimilarProduct { product: Cow::Borrowed(&*hit.product), score: hit.score });
    let json = SimilarProducts {
        products: Chosen { hits: products.collect(), fields: Cow::Borrowed(&search.fields) },
    };
    server_timing::measure(Phase::Json, || serde_json::to_vec(&json))
        .map_err(|error| serialization_failed(&error))
}
