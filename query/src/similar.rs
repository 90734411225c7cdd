//! `GET /products/{id}/similar`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::ports::{Indexed, IndexedState};
use domain::search::{Hit, MatchMode, Page, PageStart, SearchAnswer, SearchRequest};
use domain::{Product, ProductId};
use runtime::Problem;
use serde::Serialize;
use text::similar::distinctive_words;
use utoipa::ToSchema;

use crate::awaited::Awaited;
use crate::cache::Made;
use crate::http::{bad_request, index_failed, read_id, unwritable};
use crate::parameter_docs::SimilarParameters;
use crate::params::Limited;
use crate::{Service, asking, params};

/// Products that are like one.
#[derive(Serialize, ToSchema)]
#[schema(as = SimilarProducts)]
struct SimilarJson<'a> {
    /// The products, the most similar first, those of the same category before all others.
    #[schema(value_type = Vec<SimilarProduct<'static>>)]
    products: Vec<SimilarProduct<'a>>,
}

/// A product that is like another.
#[derive(Serialize, ToSchema)]
struct SimilarProduct<'a> {
    #[serde(flatten)]
    #[schema(value_type = Product)]
    product: &'a Product,
    /// How much it has in common with the other; higher is more.
    #[schema(examples(7.31))]
    score: f32,
}

/// List products that are like one
///
/// Products that share words with the name (codes and sizes do not count), the brand, the category or the tags of this
/// one: those of its category first, and among them those that share the most. Filters narrow the choice, as
/// `inStock=true` does; where they name categories, its own is not preferred.
#[utoipa::path(
    get,
    path = "/products/{id}/similar",
    tag = "search",
    operation_id = "similar",
    params(
        ("id" = String, Path, description = "The product.", example = "lamp-1"), SimilarParameters,
        ("Noren-Sync-Token" = Option<String>, Header, description = "A write that the answer must have seen, as it was answered; repeated or separated by commas, at most 100. Waits for it 2 s at most."),
    ),
    responses(
        (
            status = 200,
            description = "The products.",
            body = SimilarJson<'static>,
            headers(
                ("ETag" = String, description = "Changes with the index; send it back as `If-None-Match`."),
                ("Cache-Control" = String, description = "`public, max-age=` the configured seconds, or `no-cache`."),
            )
        ),
        (status = 304, description = "The client has this answer already: `If-None-Match` named its `ETag`."),
        (
            status = 400,
            description = "Parameters are unknown, malformed or out of bounds. `errors` names each.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (
            status = 404,
            description = "Search finds no product of this id: there is none, it is not active, or it is not indexed yet.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (
            status = 422,
            description = "The id is none that a product can have.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (
            status = 500,
            description = "A defect; the log has the details under the request's id.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (
            status = 503,
            description = "The index is not available or has too much to do.",
            body = Problem,
            content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "When to try again, in seconds."))
        ),
        (
            status = 504,
            description = "What a sync token names is not indexed yet: `notIndexed`.",
            body = Problem,
            content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "When to try again, in seconds."))
        ),
    )
)]
pub(crate) async fn similar(
    State(service): State<Arc<Service>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    awaited: Awaited,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = read_id(id)?;
    let mut limited = params::read_similar(query.as_deref().unwrap_or_default(), service.settings.currency)
        .map_err(|faults| bad_request(&faults))?;
    limited.search = service.tuned(limited.search);
    let path = format!("similar/{id}");
    let name = asking::name(&path, &params::write_limited(&limited), &limited.search.tuning);
    service.respond(&headers, &awaited, &name, service.similar_to(&id, limited)).await
}

impl Service {
    async fn similar_to(&self, id: &ProductId, limited: Limited) -> Result<Made, Problem> {
        // What is read and what is searched are on one state where it is the same before and after.
        let before = self.index.snapshot().await.map_err(|error| index_failed(&error))?;
        let held = self.index.get(std::slice::from_ref(id)).await.map_err(|error| index_failed(&error))?;
        let Some(Some(Indexed { state: IndexedState::Active(product), .. })) = held.into_iter().next() else {
            let detail = format!("search finds no product {id}");
            return Err(Problem::new(StatusCode::NOT_FOUND, detail));
        };
        let limit = limited.limit;
        let requests = requests(&product, limited);
        if requests.is_empty() {
            return Ok(Made { json: similar_json(&[], limit)?, is_empty: false, snapshot: None });
        }
        let (answers, _) = self.ask("similar", &requests).await?;
        let json = similar_json(&answers, limit)?;
        let is_same = |snapshot: &String| answers.iter().all(|answer| answer.snapshot == *snapshot);
        Ok(Made { json, is_empty: false, snapshot: before.filter(is_same) })
    }
}

/// What to search for: products of the same category, then any. None for a product without words.
fn requests(product: &Product, limited: Limited) -> Vec<SearchRequest> {
    let Limited { search, limit } = limited;
    let words = distinctive_words(&product.content);
    if words.is_empty() {
        return Vec::new();
    }
    let page = Page { start: PageStart::Number(1), size: limit };
    let mut any = SearchRequest { words, match_mode: MatchMode::Any, page, ..search };
    any.tuning.hidden.push(product.id.clone());
    // What comes first in searches is not more similar.
    any.tuning.pinned.clear();
    let mut requests = Vec::with_capacity(2);
    if let Some(category) = product.content.category.as_ref().filter(|_| any.filters.category.is_empty()) {
        let mut same = any.clone();
        same.filters.category.push(category.clone());
        requests.push(same);
    }
    requests.push(any);
    requests
}

/// The first products of the first answer, then those of the next one that are not there yet.
fn similar_json(answers: &[SearchAnswer], limit: usize) -> Result<Vec<u8>, Problem> {
    let mut hits = Vec::<&Hit>::with_capacity(limit);
    for hit in answers.iter().flat_map(|answer| &answer.hits) {
        if hits.len() < limit && hits.iter().all(|known| known.product.id != hit.product.id) {
            hits.push(hit);
        }
    }
    let products = hits.into_iter().map(|hit| SimilarProduct { product: &hit.product, score: hit.score });
    let json = SimilarJson { products: products.collect() };
    serde_json::to_vec(&json).map_err(|error| unwritable(&error))
}
