//! Recommendations: products that are similar to one.

use std::sync::Arc;

use algolia_protocol::answer;
use algolia_protocol::request::{read_product_query, read_requests};
use api::problems::serialization_failed;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ProductId;
use domain::search::{MAX_PAGE_SIZE, SearchAnswer};
use runtime::Problem;
use runtime::body::UntypedBody;
use search_parameters::ParsedSearch;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::reply::{Results, json, refused, text};
use crate::reader::Reader;
use crate::search_service::SearchService;

/// The most requests in one body.
const MAX_REQUESTS: usize = 20;
/// The default number of products.
const DEFAULT_LIMIT: usize = 30;
/// The models, each of which returns similar products.
const MODELS: [&str; 2] = ["related-products", "looking-similar"];

/// Answers several requests for recommendations.
pub(super) async fn recommendations(
    State(service): State<Arc<SearchService>>,
    reader: Reader,
    UntypedBody(body): UntypedBody,
) -> Result<Response, Problem> {
    let requests = read_requests(&body, MAX_REQUESTS).map_err(refused)?;
    let mut results = Vec::with_capacity(requests.len());
    for mut request in requests {
        results.push(service.recommend(&mut request, &reader).await?);
    }
    json(&Results { results })
}

impl SearchService {
    async fn recommend(
        &self,
        request: &mut Map<String, Value>,
        reader: &Reader,
    ) -> Result<Box<RawValue>, Problem> {
        let model = text(request, "model")?;
        if !MODELS.contains(&model) {
            let detail = format!("model: {model:?} is not supported; use {}", MODELS.join(" or "));
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        let limit = match request.get("maxRecommendations").map(|limit| (limit.is_null(), limit.as_u64())) {
            None | Some((true, _)) => DEFAULT_LIMIT,
            // Algolia defines 0 as "as many as possible".
            Some((_, Some(0))) => MAX_PAGE_SIZE,
            Some((_, Some(limit))) => usize::try_from(limit).unwrap_or(MAX_PAGE_SIZE).min(MAX_PAGE_SIZE),
            Some((_, None)) => {
                return Err(Problem::new(StatusCode::BAD_REQUEST, "maxRecommendations: must be a number"));
            }
        };
        let parameters = match request.remove("queryParameters") {
            Some(Value::Object(parameters)) => parameters,
            None | Some(Value::Null) => Map::new(),
            Some(_) => {
                return Err(Problem::new(StatusCode::BAD_REQUEST, "queryParameters: must be an object"));
            }
        };
        let index = text(request, "indexName")?;
        let mut query = read_product_query(index, parameters, self.settings.currency).map_err(refused)?;
        (query.view.page, query.view.hits_per_page, query.view.is_out_of_reach) = (0, limit, false);
        let mut search = ParsedSearch::of(query.request);
        search.request.restriction = reader.restriction.clone();
        search.limit = limit;
        let search = self.apply_rules(search);
        let similar = match ProductId::parse(text(request, "objectID")?) {
            Ok(id) => self.find_similar(&id, &search).await?,
            Err(_) => None,
        };
        let (hits, took) = similar.map(|similar| (similar.hits, similar.took)).unwrap_or_default();
        let answer = SearchAnswer { total: hits.len() as u64, hits, ..SearchAnswer::default() };
        answer::products(&search.request, &query.view, &answer, took, None)
            .map_err(|error| serialization_failed(&error))
    }
}
