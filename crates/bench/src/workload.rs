//! A list of searches and the place they are sent to.

use std::sync::Arc;

use domain::Currency;
use domain::ports::SearchIndex;
use domain::search::SearchRequest;

use crate::args::BenchArgs;
use crate::client::{Connection, Endpoint};
use crate::error::BenchError;
use crate::queries::{self, Facets, Query};
use crate::request::BenchRequest;
use crate::sample::Sample;

/// A list of searches and the place they are sent to.
#[derive(Clone)]
pub enum Workload {
    /// HTTP requests to an endpoint.
    Requests(Endpoint, Requests),
    /// Calls of an index in this process. They return values; no JSON is written.
    Index(Arc<dyn SearchIndex>, Arc<[SearchRequest]>),
}

/// HTTP requests that can be sent any number of times.
#[derive(Clone)]
pub struct Requests(Arc<[BenchRequest]>);

impl Workload {
    /// Creates searches by `GET /products/search`.
    ///
    /// # Errors
    /// If a query does not form a valid URL.
    pub fn searches(endpoint: Endpoint, queries: &[Query], facets: Facets) -> Result<Self, BenchError> {
        let requests: Result<Vec<_>, _> =
            queries.iter().map(|query| BenchRequest::search(query, facets)).collect();
        Ok(Self::requests(endpoint, requests?))
    }

    /// Creates the same searches, with two facets, as calls of the index.
    ///
    /// # Errors
    /// If a price range is invalid.
    pub fn index(
        index: Arc<dyn SearchIndex>,
        queries: &[Query],
        currency: Currency,
    ) -> Result<Self, BenchError> {
        let requests = queries.iter().map(|query| query.request(Facets::Two, currency));
        Ok(Self::Index(index, requests.collect::<Result<_, _>>()?))
    }

    pub(crate) fn requests(endpoint: Endpoint, requests: Vec<BenchRequest>) -> Self {
        Self::Requests(endpoint, Requests(requests.into()))
    }

    /// Returns the number of different searches.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Requests(_, Requests(requests)) => requests.len(),
            Self::Index(_, requests) => requests.len(),
        }
    }

    /// Opens a connection for the searches.
    ///
    /// # Errors
    /// If there is no server.
    pub(crate) async fn connect(&self) -> Result<Searcher, BenchError> {
        Ok(match self {
            Self::Requests(endpoint, Requests(requests)) => {
                Searcher::Requests(endpoint.connect().await?, Arc::clone(requests))
            }
            Self::Index(index, requests) => Searcher::Index(Arc::clone(index), Arc::clone(requests)),
        })
    }
}

/// Returns the searches of a running service that the arguments ask for, and their queries. Bodies to post have no queries.
///
/// # Errors
/// If a file cannot be read, or the service cannot be searched or has no products.
pub(crate) async fn service_searches(
    endpoint: &Endpoint,
    args: &BenchArgs,
) -> Result<(Workload, Vec<Query>), BenchError> {
    if let (Some(path), Some(file)) = (&args.post, &args.queries) {
        let bodies = queries::lines_of_file(file)?;
        let requests: Result<Vec<_>, _> = bodies.iter().map(|body| BenchRequest::post(path, body)).collect();
        return Ok((Workload::requests(endpoint.clone(), requests?), Vec::new()));
    }
    let queries = match &args.queries {
        Some(file) => queries::queries_of_file(file)?,
        None => Sample::of(endpoint).await?.queries(),
    };
    Ok((Workload::searches(endpoint.clone(), &queries, Facets::Two)?, queries))
}

/// A client that makes one search of a workload after the other.
pub(crate) enum Searcher {
    Requests(Connection, Arc<[BenchRequest]>),
    Index(Arc<dyn SearchIndex>, Arc<[SearchRequest]>),
}

impl Searcher {
    /// Makes the search with this number, counted round and round, and waits for the complete response.
    ///
    /// # Errors
    /// If the search fails.
    pub(crate) async fn search(&mut self, number: usize) -> Result<(), BenchError> {
        match self {
            Self::Requests(connection, requests) => {
                connection.send(&requests[number % requests.len()]).await.map(drop)
            }
            Self::Index(index, requests) => {
                Ok(index.search(&requests[number % requests.len()]).await.map(drop)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::http::{StatusCode, Uri};
    use axum::routing::get;

    /// Finds tea, and nothing else.
    fn router() -> Router {
        let search = async |uri: Uri| match uri.query() {
            Some("query=green+tea&facets=brand%2Ccategory") => Ok("tea"),
            _ => Err(StatusCode::NOT_FOUND),
        };
        Router::new().route("/products/search", get(search))
    }

    #[tokio::test]
    async fn the_same_search_goes_over_http_and_through_the_router() {
        let listener = runtime::server::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(runtime::server::serve(listener, router(), std::future::pending()));
        let queries = ["green tea", "ink"].map(Query::of_words);
        for endpoint in [Endpoint::Http(host), Endpoint::Router(router())] {
            let workload = Workload::searches(endpoint, &queries, Facets::Two).unwrap();
            assert_eq!(workload.len(), 2);
            let mut searcher = workload.connect().await.unwrap();
            searcher.search(0).await.unwrap();
            let error = searcher.search(1).await.unwrap_err().to_string();
            assert!(error.contains("query=ink") && error.contains("404"), "{error}");
            searcher.search(2).await.unwrap();
        }
    }
}
