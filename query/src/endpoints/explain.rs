//! `GET /products/{id}/explain`.

use std::borrow::Cow;
use std::sync::Arc;

use api::extract::IdInPath;
use api::problems::{OrProblem as _, SEARCH_INDEX, serialization_failed};
use api::responses::{BadParameters, InvalidId, NotIndexed, ServiceFailed};
use api::wire::explain::{ExcludingFilter, ProductExplanation};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::ports::{Indexed, IndexedState};
use domain::search::{Field, Hit, MAX_PAGE_SIZE, Page, PageStart, SearchAnswer, SearchRequest};
use domain::{AttributeValue, Content, ProductId};
use runtime::Problem;

use crate::execute::cache_key;
use crate::explanation;
use crate::extract::{Explain, Parameters};
use crate::metrics::Kind;
use crate::respond::{Cached, RenderedResponse};
use crate::search_service::SearchService;
use search_parameters::{Endpoint, ParsedSearch, wanted};

/// The highest rank that is determined.
const MAX_RANK: usize = 1000;

/// Explain why a search finds a product, or does not
///
/// Returns the product's state in the index, the filters that exclude it with the values it has instead, how each word is found
/// in it, whether a rule of the shop hides or moves it, and its rank among the first 1,000 products found. This endpoint is for
/// the shop's staff: it also reveals drafts.
#[utoipa::path(
    get,
    path = "/products/{id}/explain",
    tag = "search",
    operation_id = "explainProduct",
    params(
        ("id" = inline(ProductId), Path, description = "The id of the product.", example = "ket-0004"), Parameters<Explain>,
    ),
    responses(
        (
            status = 200,
            description = "The explanation; also for a product that the index does not know.",
            body = ProductExplanation<'static>,
            example = json!({
                "id": "lamp-1", "state": "active", "version": 3, "total": 40,
                "excludedBy": [{"filter": "brand", "wanted": ["Hikari"], "has": ["Akari"]}],
                "explanation": {
                    "base": 1.0,
                    "words": [
                        {"word": "lmap", "found": "oneTypo", "as": "lamp", "in": ["name"], "level": 24, "score": 6.21}
                    ]
                }
            })
        ),
        BadParameters,
        InvalidId,
        ServiceFailed,
        NotIndexed,
        (
            status = 404,
            description = "The credentials lack the scopes `read` and `write`, and may find no product with this id.",
            body = Problem,
            content_type = "application/problem+json"
        ),
    )
)]
pub(crate) async fn explain(
    State(service): State<Arc<SearchService>>,
    IdInPath(id): IdInPath,
    Parameters { search, reader, .. }: Parameters<Explain>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = cache_key(&format!("explain/{id}"), Endpoint::Explain, &search);
    let explained = service.explain_product(&id, &search, reader.knows_unpublished);
    let cached = Cached { kind: Kind::Explain, key: &key };
    service.respond(&headers, &search, &reader, cached, explained).await
}

impl SearchService {
    async fn explain_product(
        &self,
        id: &ProductId,
        search: &ParsedSearch,
        knows_unpublished: bool,
    ) -> Result<RenderedResponse, Problem> {
        let request = &search.request;
        let indexed = self.index.get(std::slice::from_ref(id)).await.or_problem(SEARCH_INDEX)?;
        let indexed = indexed.into_iter().next().flatten();
        let product = match &indexed {
            Some(Indexed { state: IndexedState::Active(product), .. }) => Some(&**product),
            _ => None,
        };
        let restriction = &request.restriction;
        if !knows_unpublished && !product.is_some_and(|product| restriction.accepts(&product.content)) {
            // Drafts and versions are as secret as products outside a filter.
            let detail = format!("there is no product {id} that you may find");
            return Err(Problem::new(StatusCode::NOT_FOUND, detail));
        }
        let mut explainer = self.explainer(request);
        let excluded_by = product.map_or_else(Vec::new, |product| {
            let mut excluding = excluding_filters(request, &product.content);
            let operands = explainer.excluding_operands(&product.content);
            excluding.extend(operands.into_iter().map(|(operand, has)| excluding_operand(&operand, has)));
            excluding
        });
        let hidden_by_rule = request.tuning.hidden.contains(id);
        let may_be_found = product.is_some() && excluded_by.is_empty() && !hidden_by_rule;
        let (found, answer) = self.find_rank(id, request, may_be_found).await?;
        let score = found.as_ref().map(|(_, hit)| hit.score);
        let explanation = product.map(|product| explainer.explain(product, score));
        let json = ProductExplanation {
            id: id.as_str().into(),
            state: state_name(indexed.as_ref()).into(),
            version: indexed.as_ref().map(|indexed| indexed.version),
            rank: found.map(|(rank, _)| rank),
            total: answer.total + answer.relaxed_total.unwrap_or(0),
            excluded_by,
            hidden_by_rule,
            explanation: explanation.as_ref().map(explanation::to_wire),
            truncated: search.is_truncated,
            corrected_query: answer.corrected_query.as_deref().map(Cow::Borrowed),
            relaxed: Cow::Borrowed(&answer.relaxed),
        };
        let json = serde_json::to_vec(&json).map_err(|error| serialization_failed(&error))?;
        // Not kept: it depends on the rights of the client, and its calls to the index may see different snapshots.
        Ok(RenderedResponse::unkept(json))
    }

    /// Pages through the list until it reaches the product. Returns its rank with its hit, and the first page.
    async fn find_rank(
        &self,
        id: &ProductId,
        request: &SearchRequest,
        may_be_found: bool,
    ) -> Result<(Option<(usize, Hit)>, SearchAnswer), Problem> {
        let size = if may_be_found { MAX_PAGE_SIZE } else { 1 };
        let page = Page { start: PageStart::Number(1), size };
        let mut request = SearchRequest { page, ..request.clone() };
        let (first, _) = self.query_index_once("explain", &request).await?;
        if !may_be_found {
            return Ok((None, first));
        }
        let (mut before, mut page) = (0, first.clone());
        loop {
            if let Some(at) = page.hits.iter().position(|hit| hit.product.id == *id) {
                return Ok((Some((before + at + 1, page.hits.swap_remove(at))), first));
            }
            before += page.hits.len();
            let Some(next) = page.next.filter(|_| before < MAX_RANK) else {
                return Ok((None, first));
            };
            request.page.start = PageStart::After(next);
            (page, _) = self.query_index_once("explain", &request).await?;
        }
    }
}

fn state_name(indexed: Option<&Indexed>) -> &'static str {
    match indexed.map(|indexed| &indexed.state) {
        None => "unknown",
        Some(IndexedState::Active(_)) => "active",
        Some(IndexedState::Hidden) => "hidden",
        Some(IndexedState::Deleted) => "deleted",
    }
}

fn excluding_filters(request: &SearchRequest, content: &Content) -> Vec<ExcludingFilter> {
    let failed = request.filters.failed_by(content, request.currency);
    let excluding = |field: Field| ExcludingFilter {
        filter: field.filter_name(),
        wanted: wanted(request, &field),
        has: field_values(content, &field),
    };
    failed.into_iter().map(excluding).collect()
}

/// Describes an operator of the query that excludes a product. `has` is true if the product has the operand after a minus, false if it
/// lacks the quoted one.
fn excluding_operand(operand: &str, has: bool) -> ExcludingFilter {
    let (wanted, has) = match has {
        true => (format!("-{operand}"), vec![operand.to_owned()]),
        false => (format!("\"{operand}\""), Vec::new()),
    };
    ExcludingFilter { filter: "query".to_owned(), wanted: vec![wanted], has }
}

/// Returns the values that a product has in a field.
fn field_values(content: &Content, field: &Field) -> Vec<String> {
    match field {
        Field::Category => content.categories.iter().map(ToString::to_string).collect(),
        Field::Brand => content.brand.clone().into_iter().collect(),
        Field::Tags => content.tags.clone(),
        Field::Price => content.price.iter().map(|price| format!("{price} {}", price.currency())).collect(),
        Field::Stock => content.stock.iter().map(ToString::to_string).collect(),
        Field::Attribute(key) => {
            let values = content.attributes.get(key).into_iter().flat_map(AttributeValue::facet_values);
            values.map(Cow::into_owned).collect()
        }
    }
}
