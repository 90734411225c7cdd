//! A circuit breaker before the index: while the index does not respond, no request waits for it.
//!
//! Three consecutive failures open the circuit. A call that its client abandoned after at least a second counts as a failure. Calls then
//! fail immediately, and a background task searches until the index answers, which closes the circuit, so no client's request serves as
//! a probe. The pattern is described in M. Nygard, Release It!, chapter 5.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::ports::{IndexStats, Indexed, PortError, PortErrorKind, SearchIndex};
use domain::search::{FacetRequest, FacetValue, Page, PageStart, SearchAnswer, SearchRequest};
use domain::{Currency, ProductId, Version};

use crate::metrics::CIRCUIT_OPEN;

/// The number of consecutive failures that open the circuit.
const MAX_FAILURES: u32 = 3;
/// The pause between two attempts to reach the index.
const PAUSE: Duration = Duration::from_millis(500);
/// The minimum duration of a call that its client abandoned to count as a failure of the index.
const SLOW_CALL: Duration = Duration::from_secs(1);
/// The time limit for an attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// An index behind a circuit breaker.
pub(crate) struct Circuit(Arc<State>);

struct State {
    index: Arc<dyn SearchIndex>,
    failures: AtomicU32,
    is_open: AtomicBool,
}

impl Circuit {
    pub(crate) fn before(index: Arc<dyn SearchIndex>) -> Arc<dyn SearchIndex> {
        metrics::gauge!(CIRCUIT_OPEN).set(0.0);
        Arc::new(Self(Arc::new(State {
            index,
            failures: AtomicU32::new(0),
            is_open: AtomicBool::new(false),
        })))
    }

    async fn call<T>(&self, call: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
        let state = &self.0;
        if state.is_open.load(Ordering::Acquire) {
            let context = "the index failed several times in a row; it is asked again until it answers";
            return Err(PortError::bare(PortErrorKind::Suspended, context));
        }
        let pending = Pending { state, begun: Some(Instant::now()) };
        let result = call.await;
        pending.end();
        match &result {
            Err(error) if error.kind == PortErrorKind::Unavailable => state.count_failure(error),
            // An index that throttles or rejects calls does respond.
            _ => state.failures.store(0, Ordering::Relaxed),
        }
        result
    }
}

/// A call without a result yet. If it is dropped before [`end`](Self::end), its client has abandoned it.
struct Pending<'a> {
    state: &'a Arc<State>,
    begun: Option<Instant>,
}

impl Pending<'_> {
    fn end(mut self) {
        self.begun = None;
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if self.begun.is_some_and(|begun| begun.elapsed() >= SLOW_CALL) {
            let context = "the index did not answer until the client gave up";
            self.state.count_failure(&PortError::bare(PortErrorKind::Unavailable, context));
        }
    }
}

impl State {
    fn count_failure(self: &Arc<Self>, error: &PortError) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures < MAX_FAILURES || self.is_open.swap(true, Ordering::AcqRel) {
            return;
        }
        metrics::gauge!(CIRCUIT_OPEN).set(1.0);
        tracing::warn!(
            error = error.chain(),
            "the index is unavailable; searches that were answered before are answered from memory, others get 503"
        );
        tokio::spawn(Arc::clone(self).close_when_ready());
    }

    /// Succeeds if the index is ready and answers a search.
    async fn attempt(&self) -> Result<(), PortError> {
        self.index.ready().await?;
        let page = Page { start: PageStart::Number(1), size: 1 };
        let search = SearchRequest { page, ..SearchRequest::all(Currency::USD) };
        self.index.search(&search).await.map(drop)
    }

    async fn close_when_ready(self: Arc<Self>) {
        loop {
            if matches!(tokio::time::timeout(ATTEMPT_TIMEOUT, self.attempt()).await, Ok(Ok(()))) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.failures.store(0, Ordering::Relaxed);
        self.is_open.store(false, Ordering::Release);
        metrics::gauge!(CIRCUIT_OPEN).set(0.0);
        tracing::info!("the index is available again");
    }
}

#[async_trait]
impl SearchIndex for Circuit {
    async fn search_all(&self, requests: &[SearchRequest]) -> Result<Vec<SearchAnswer>, PortError> {
        self.call(self.0.index.search_all(requests)).await
    }

    async fn get(&self, ids: &[ProductId]) -> Result<Vec<Option<Indexed>>, PortError> {
        self.call(self.0.index.get(ids)).await
    }

    async fn versions(&self, ids: &[ProductId]) -> Result<Vec<Option<Version>>, PortError> {
        self.call(self.0.index.versions(ids)).await
    }

    async fn facet_values(&self, request: &FacetRequest) -> Result<Vec<FacetValue>, PortError> {
        self.call(self.0.index.facet_values(request)).await
    }

    // Reads the open snapshot without asking the index.
    async fn snapshot(&self) -> Result<Option<String>, PortError> {
        self.0.index.snapshot().await
    }

    async fn stats(&self) -> Result<IndexStats, PortError> {
        self.0.index.stats().await
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.0.index.ready().await
    }

    fn back_end(&self) -> &'static str {
        self.0.index.back_end()
    }
}
