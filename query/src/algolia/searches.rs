//! Searches for products and for values of facets.

use std::sync::Arc;
use std::time::Instant;

use algolia_protocol::answer;
use algolia_protocol::request::{
    FacetQuery, ProductQuery, Query, read_facet_query, read_object, read_product_query, read_queries,
};
use api::problems::serialization_failed;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::search::Restriction;
use runtime::body::UntypedBody;
use runtime::{Problem, off_thread};
use search_parameters::ParsedSearch;
use serde_json::value::RawValue;

use super::reply::{Results, json, refused};
use crate::execute::Executed;
use crate::metrics::{Kind, Outcome, count};
use crate::reader::Reader;
use crate::search_service::SearchService;

/// Answers several searches, those for products on one snapshot.
pub(super) async fn queries(
    State(service): State<Arc<SearchService>>,
    reader: Reader,
    UntypedBody(body): UntypedBody,
) -> Result<Response, Problem> {
    let currency = service.settings.currency;
    let queries = off_thread(body.len(), move || read_queries(&body, currency)).await.map_err(refused)?;
    let results = service.answer_queries(queries, &reader.restriction).await?;
    json(&Results { results })
}

/// Answers one search for products.
pub(super) async fn query(
    State(service): State<Arc<SearchService>>,
    Path(index): Path<String>,
    reader: Reader,
    UntypedBody(body): UntypedBody,
) -> Result<Response, Problem> {
    let members = read_object(&body).map_err(refused)?;
    let query = read_product_query(&index, members, service.settings.currency).map_err(refused)?;
    let results = service.answer_queries(vec![Query::Products(query.into())], &reader.restriction).await?;
    json(&results.into_iter().next().ok_or_else(Problem::internal)?)
}

/// Answers a search for values of a facet.
pub(super) async fn facet_query(
    State(service): State<Arc<SearchService>>,
    Path((index, facet)): Path<(String, String)>,
    reader: Reader,
    UntypedBody(body): UntypedBody,
) -> Result<Response, Problem> {
    let members = read_object(&body).map_err(refused)?;
    let query = read_facet_query(&index, &facet, members, service.settings.currency).map_err(refused)?;
    json(&service.answer_facet_query(query, &reader.restriction).await?)
}

impl SearchService {
    /// Returns the answer to each query, in their order.
    async fn answer_queries(
        &self,
        queries: Vec<Query>,
        restriction: &Restriction,
    ) -> Result<Vec<Box<RawValue>>, Problem> {
        let products = queries.iter().filter_map(|query| match query {
            Query::Products(query) => Some(self.parsed(query, restriction)),
            Query::FacetValues(_) => None,
        });
        let searches: Vec<ParsedSearch> = products.collect();
        let (executed, took) = self.execute_all(&searches).await?;
        let mut executed = executed.into_iter();
        let mut results = Vec::with_capacity(queries.len());
        for query in queries {
            results.push(match query {
                Query::FacetValues(query) => self.answer_facet_query(*query, restriction).await?,
                Query::Products(query) => {
                    let Executed { request, answer, .. } = executed.next().ok_or_else(Problem::internal)?;
                    if query.view.hits_per_page > 0 {
                        count(Kind::Algolia, Outcome::of(&request, &answer));
                    }
                    let id = query.view.has_query_id.then(query_id);
                    answer::products(&request, &query.view, &answer, took, id.as_deref())
                        .map_err(|error| serialization_failed(&error))?
                }
            });
        }
        Ok(results)
    }

    /// Returns the search of a query, with the rules in effect.
    fn parsed(&self, query: &ProductQuery, restriction: &Restriction) -> ParsedSearch {
        let mut parsed = ParsedSearch::of(query.request.clone());
        parsed.request.restriction = restriction.clone();
        parsed.auto_facets = query.auto_facets;
        self.apply_rules(parsed)
    }

    async fn answer_facet_query(
        &self,
        mut query: FacetQuery,
        restriction: &Restriction,
    ) -> Result<Box<RawValue>, Problem> {
        let start = Instant::now();
        query.request.search.restriction = restriction.clone();
        query.request.search = self.apply_rules(ParsedSearch::of(query.request.search)).request;
        let (values, _) = self.facet_values(&query.request).await?;
        count(Kind::Algolia, Outcome::Found);
        answer::facet_values(&query, &values, start.elapsed()).map_err(|error| serialization_failed(&error))
    }
}

/// Returns a new id of a search, which clients send back with events.
fn query_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}
