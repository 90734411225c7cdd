//! Both sides of the index, observed.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Change;
use domain::ports::{Applied, IndexStats, IndexWriter, Indexed, PortError, SearchIndex};
use domain::search::{FacetRequest, FacetValue, SearchAnswer, SearchRequest};
use domain::{ProductId, Version};
use runtime::server_timing::Phase;
use tracing::Span;
use tracing::field::Empty;

use crate::call::{call_span, span_of_call, watched};

/// An index whose searches are observed.
pub struct ObservedIndex(Arc<dyn SearchIndex>);

impl ObservedIndex {
    /// Observes the searches of an index.
    pub fn around(index: Arc<dyn SearchIndex>) -> Arc<dyn SearchIndex> {
        Arc::new(Self(index))
    }

    fn span(&self, operation: &'static str, searches: usize) -> Span {
        span_of_call(|| {
            call_span!(
                "index.search",
                "client",
                db.system = self.0.back_end(),
                db.operation.name = operation,
                noren.searches = searches,
                noren.found = Empty,
            )
        })
    }
}

#[async_trait]
impl SearchIndex for ObservedIndex {
    async fn search_all(&self, requests: &[SearchRequest]) -> Result<Vec<SearchAnswer>, PortError> {
        let span = self.span("search", requests.len());
        let answers = watched(Phase::Index, &span, self.0.search_all(requests)).await?;
        span.record("noren.found", answers.iter().map(|answer| answer.total).sum::<u64>());
        Ok(answers)
    }

    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Indexed>>, PortError> {
        watched(Phase::Index, &self.span("get", ids.len()), self.0.get(ids)).await
    }

    // No span: requests that wait for a write poll this every few milliseconds, and their wait has a span of its own.
    async fn versions(&self, ids: &[ProductId]) -> Result<Vec<Option<Version>>, PortError> {
        self.0.versions(ids).await
    }

    async fn facet_values(&self, request: &FacetRequest) -> Result<Vec<FacetValue>, PortError> {
        watched(Phase::Index, &self.span("facet_values", 1), self.0.facet_values(request)).await
    }

    async fn snapshot(&self) -> Result<Option<String>, PortError> {
        self.0.snapshot().await
    }

    async fn stats(&self) -> Result<IndexStats, PortError> {
        self.0.stats().await
    }

    fn back_end(&self) -> &'static str {
        self.0.back_end()
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.0.ready().await
    }
}

/// An index whose writes are observed.
pub struct ObservedWriter(Arc<dyn IndexWriter>);

impl ObservedWriter {
    /// Observes the writes of an index.
    pub fn around(index: Arc<dyn IndexWriter>) -> Arc<dyn IndexWriter> {
        Arc::new(Self(index))
    }
}

#[async_trait]
impl IndexWriter for ObservedWriter {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        let span = span_of_call(|| {
            call_span!(
                "index.apply",
                "client",
                db.system = self.0.back_end(),
                db.operation.name = "apply",
                noren.changes = changes.len(),
                noren.applied = Empty,
                noren.stale = Empty,
                noren.refused = Empty,
            )
        });
        let applied = watched(Phase::Index, &span, self.0.apply(changes)).await?;
        if !span.is_none() {
            let count = |of: fn(&Applied) -> bool| applied.iter().filter(|applied| of(applied)).count();
            span.record("noren.applied", count(|applied| *applied == Applied::Done));
            span.record("noren.stale", count(|applied| *applied == Applied::Stale));
            span.record("noren.refused", count(|applied| matches!(applied, Applied::Refused(_))));
        }
        Ok(applied)
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.0.ready().await
    }

    fn back_end(&self) -> &'static str {
        self.0.back_end()
    }

    async fn optimize(&self) -> Result<(), PortError> {
        self.0.optimize().await
    }
}
