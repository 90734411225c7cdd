//! `GET /products/{id}/explain`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use domain::ports::{Indexed, IndexedState};
use domain::search::Field;
use domain::search::{Hit, MAX_PAGE_SIZE, Page, PageStart, SearchAnswer, SearchRequest};
use domain::{AttributeValue, Content, ProductId, Version};
use runtime::Problem;
use serde::Serialize;
use text::explain::Explanation;
use utoipa::ToSchema;

use crate::awaited::Awaited;
use crate::cache::Made;
use crate::explanation::ExplanationJson;
use crate::http::{bad_request, index_failed, read_id, unwritable};
use crate::parameter_docs::ExplainParameters;
use crate::{Service, asking, params};

/// How far the product is looked for in the list.
const PRODUCTS_LOOKED_AT: usize = 1000;

/// Where a product is in a search, and why.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProductExplanation)]
struct ExplainJson<'a> {
    /// The product.
    #[schema(value_type = String, examples("lamp-1"))]
    id: &'a str,
    /// What search makes of it: it is `active`, or `hidden`, being a draft or archived, or `deleted`, or `unknown` to the
    /// index.
    #[schema(value_type = String, examples("active"))]
    state: &'static str,
    /// The version that is indexed; absent where the product is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, examples(3))]
    version: Option<Version>,
    /// Its place in the list by relevance, from 1; absent where it is not found, or not among the first 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples(12))]
    rank: Option<usize>,
    /// How many products are found.
    #[schema(examples(40))]
    total: u64,
    /// Every filter that keeps it out, with what it has instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<ExcludingFilter>>)]
    excluded_by: Vec<ExcludingFilter>,
    /// True where a rule of the shop hides it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = Option<bool>)]
    hidden_by_rule: bool,
    /// How its words are found; absent where it is not active.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ExplanationJson<'static>>)]
    explanation: Option<ExplanationJson<'a>>,
    /// The search with its misspelt words corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    corrected_query: Option<&'a str>,
    /// Words that the products listed need not have, because few have all of them.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Option<Vec<String>>)]
    relaxed: &'a [String],
}

/// A filter that keeps a product out.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
struct ExcludingFilter {
    /// The parameter.
    #[schema(examples("brand"))]
    filter: String,
    /// What it asks for.
    #[schema(example = json!(["HP"]))]
    wanted: Vec<String>,
    /// What the product has; nothing where it has none.
    #[schema(example = json!(["Dell"]))]
    has: Vec<String>,
}

/// Explain why a search finds a product, or does not
///
/// Says what the index holds of the product, which filters keep it out and what it has instead, how each word is found in
/// it, whether a rule of the shop hides or moves it, and its place among the first 1,000 products found. It is for the
/// people of the shop: it also tells of drafts.
#[utoipa::path(
    get,
    path = "/products/{id}/explain",
    tag = "search",
    operation_id = "explain",
    params(
        ("id" = String, Path, description = "The product.", example = "lamp-1"), ExplainParameters,
        ("Noren-Sync-Token" = Option<String>, Header, description = "A write that the answer must have seen, as it was answered; repeated or separated by commas, at most 100. Waits for it 2 s at most."),
    ),
    responses(
        (
            status = 200,
            description = "What is known of the product, also where the index does not know it.",
            body = ExplainJson<'static>,
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
        (
            status = 400,
            description = "Parameters are unknown, malformed or out of bounds. `errors` names each.",
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
pub(crate) async fn explain(
    State(service): State<Arc<Service>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    awaited: Awaited,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = read_id(id)?;
    let request = params::read_explain(query.as_deref().unwrap_or_default(), service.settings.currency)
        .map_err(|faults| bad_request(&faults))?;
    let request = service.tuned(request);
    let name = asking::name(&format!("explain/{id}"), &params::write_explain(&request), &request.tuning);
    service.respond(&headers, &awaited, &name, service.explained(&id, request)).await
}

impl Service {
    async fn explained(&self, id: &ProductId, request: SearchRequest) -> Result<Made, Problem> {
        let held = self.index.get(std::slice::from_ref(id)).await.map_err(|error| index_failed(&error))?;
        let held = held.into_iter().next().flatten();
        let product = match &held {
            Some(Indexed { state: IndexedState::Active(product), .. }) => Some(&**product),
            _ => None,
        };
        let excluded_by = product.map(|product| excluding(&request, &product.content)).unwrap_or_default();
        let hidden_by_rule = request.tuning.hidden.contains(id);
        let may_be_found = product.is_some() && excluded_by.is_empty() && !hidden_by_rule;
        let (found, answer) = self.look_for(id, &request, may_be_found).await?;
        let score = found.as_ref().map(|(_, hit)| hit.score);
        let explanation: Option<Explanation> =
            product.map(|product| self.explainer(&request).explain(product, score));
        let json = ExplainJson {
            id: id.as_str(),
            state: state_name(held.as_ref()),
            version: held.as_ref().map(|held| held.version),
            rank: found.map(|(rank, _)| rank),
            total: answer.total,
            excluded_by,
            hidden_by_rule,
            explanation: explanation.as_ref().map(ExplanationJson::from),
            corrected_query: answer.corrected_query.as_deref(),
            relaxed: &answer.relaxed,
        };
        let json = serde_json::to_vec(&json).map_err(|error| unwritable(&error))?;
        // It is made of several calls, which need not see one state, and nobody asks for it often.
        Ok(Made { json, is_empty: false, snapshot: None })
    }

    /// Walks through the list until the product comes, from the first page on, and answers its place and that page.
    async fn look_for(
        &self,
        id: &ProductId,
        request: &SearchRequest,
        may_be_found: bool,
    ) -> Result<(Option<(usize, Hit)>, SearchAnswer), Problem> {
        let size = if may_be_found { MAX_PAGE_SIZE } else { 1 };
        let page = Page { start: PageStart::Number(1), size };
        let mut request = SearchRequest { page, ..request.clone() };
        let (first, _) = self.ask_one("explain", &request).await?;
        if !may_be_found {
            return Ok((None, first));
        }
        let (mut before, mut page) = (0, first.clone());
        loop {
            if let Some(at) = page.hits.iter().position(|hit| hit.product.id == *id) {
                return Ok((Some((before + at + 1, page.hits.swap_remove(at))), first));
            }
            before += page.hits.len();
            let Some(next) = page.next.filter(|_| before < PRODUCTS_LOOKED_AT) else {
                return Ok((None, first));
            };
            request.page.start = PageStart::After(next);
            (page, _) = self.ask_one("explain", &request).await?;
        }
    }
}

fn state_name(held: Option<&Indexed>) -> &'static str {
    match held.map(|held| &held.state) {
        None => "unknown",
        Some(IndexedState::Active(_)) => "active",
        Some(IndexedState::Hidden) => "hidden",
        Some(IndexedState::Deleted) => "deleted",
    }
}

fn excluding(request: &SearchRequest, content: &Content) -> Vec<ExcludingFilter> {
    let failed = request.filters.failed_by(content, request.currency);
    let excluding = |field: Field| ExcludingFilter {
        filter: field.to_string(),
        wanted: params::wanted(request, &field),
        has: has(content, &field),
    };
    failed.into_iter().map(excluding).collect()
}

/// What a product has in a field that is filtered by.
fn has(content: &Content, field: &Field) -> Vec<String> {
    match field {
        Field::Category => content.category.iter().map(ToString::to_string).collect(),
        Field::Brand => content.brand.clone().into_iter().collect(),
        Field::Tags => content.tags.clone(),
        Field::Price => content.price.iter().map(|price| format!("{price} {}", price.currency())).collect(),
        Field::Stock => content.stock.iter().map(ToString::to_string).collect(),
        Field::Attribute(key) => {
            let values = content.attributes.get(key).into_iter().flat_map(AttributeValue::facet_values);
            values.map(std::borrow::Cow::into_owned).collect()
        }
    }
}
