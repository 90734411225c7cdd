//! Answers requests from memory or from the index, and adds the headers for caches.

use std::future::Future;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use api::problems::{OrProblem as _, SEARCH_INDEX};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use runtime::Problem;

use crate::http::{CachePolicy, EntityTag, Source, not_modified, with_tag};
use crate::metrics::{self, Kind, Outcome};
use crate::reader::Reader;
use crate::response_cache::CachedResponse;
use crate::search_service::SearchService;
use search_parameters::ParsedSearch;
use search_parameters::RequiredVersions;

/// A response body that was just rendered.
pub(crate) struct RenderedResponse {
    /// The body.
    pub(crate) json: Vec<u8>,
    /// The result of the search, for metrics.
    pub(crate) outcome: Outcome,
    /// The snapshot of the index that the whole body reflects; `None` if it is unknown, or if there may be two.
    pub(crate) snapshot: Option<String>,
    /// False if the response depends on more than its cache key.
    pub(crate) may_be_kept: bool,
}

impl RenderedResponse {
    /// Creates the response to a request other than a search.
    pub(crate) fn new(json: Vec<u8>, snapshot: Option<String>) -> Self {
        Self { json, outcome: Outcome::Found, snapshot, may_be_kept: true }
    }

    /// Returns a response that is not kept in memory.
    pub(crate) fn unkept(json: Vec<u8>) -> Self {
        Self { may_be_kept: false, ..Self::new(json, None) }
    }
}

/// The cache key of a search, and its kind for metrics.
#[derive(Clone, Copy)]
pub(crate) struct Cached<'a> {
    pub(crate) kind: Kind,
    pub(crate) key: &'a str,
}

/// The result of a search for one response.
enum Found {
    /// The tag of the response, which the client has already.
    Known(EntityTag),
    /// The response.
    Response(CachedResponse, Source),
}

impl SearchService {
    /// Answers a GET once the index holds the required versions: with 304 if the client already has the response, from memory, or by
    /// `render`. While the index is unavailable, a search without required versions gets its last response.
    ///
    /// # Errors
    /// If the required versions are not indexed in time, or if the index or `render` fails.
    pub(crate) async fn respond(
        &self,
        headers: &HeaderMap,
        search: &ParsedSearch,
        reader: &Reader,
        cached: Cached<'_>,
        render: impl Future<Output = Result<RenderedResponse, Problem>>,
    ) -> Result<Response, Problem> {
        let required = &search.required;
        let policy = match required.is_empty() && reader.restriction.is_none() {
            true => self.shared_policy(),
            false => CachePolicy::Private,
        };
        let (response, source) = match self.find(headers, cached.key, required, reader, render).await {
            Ok(Found::Response(response, source)) => (response, source),
            Ok(Found::Known(tag)) => {
                metrics::count(cached.kind, Outcome::Found);
                return Ok(not_modified(&tag, policy, Source::Memory { age: None }));
            }
            Err(problem) => self.last_response(cached.key, required, problem)?,
        };
        metrics::count(cached.kind, response.outcome);
        let policy = if source.is_stale() { CachePolicy::Stale } else { policy };
        Ok(match response.tag.is_known(headers) {
            true => not_modified(&response.tag, policy, source),
            false => with_tag(response.json, &response.tag, policy, source),
        })
    }

    /// Answers the requests of one body once the index holds the required versions: all from memory, or all by `render`, so
    /// that they reflect one snapshot. Returns them with their source, which has the age of the oldest.
    ///
    /// # Errors
    /// As [`respond`](Self::respond).
    pub(crate) async fn respond_to_all(
        &self,
        required: &RequiredVersions,
        reader: &Reader,
        cache_keys: &[String],
        render: impl Future<Output = Result<Vec<RenderedResponse>, Problem>>,
    ) -> Result<(Vec<CachedResponse>, Source), Problem> {
        let found = async {
            self.wait_until_indexed(required, reader).await?;
            let snapshot = self.newest_snapshot().await?;
            let kept = cache_keys.iter().map(|key| self.kept(key, snapshot.as_deref(), required));
            if let Some(kept) = kept.collect::<Option<Vec<_>>>() {
                let source = oldest(&kept, |age| Self::hit(snapshot.as_deref(), age));
                return Ok((kept, source));
            }
            let rendered = cache_keys.iter().zip(render.await?);
            let all = rendered.map(|(key, rendered)| self.remember(key, rendered, snapshot.as_deref()));
            Ok((all.collect(), Source::Index))
        };
        let (responses, source) = match found.await {
            Ok(found) => found,
            Err(problem) if may_be_stale(&problem, required) => {
                let last: Option<Vec<_>> = cache_keys.iter().map(|key| self.responses.last(key)).collect();
                let last = last.ok_or(problem)?;
                let source = oldest(&last, Source::Stale);
                self.note_stale();
                (last, source)
            }
            Err(problem) => return Err(problem),
        };
        responses.iter().for_each(|response| metrics::count(Kind::Search, response.outcome));
        Ok((responses, source))
    }

    /// Returns the newest snapshot of the index, or `None` if the index does not identify its snapshots.
    pub(crate) async fn newest_snapshot(&self) -> Result<Option<String>, Problem> {
        self.index.snapshot().await.or_problem(SEARCH_INDEX)
    }

    /// Returns the tag if the client already has the response on the newest snapshot, which takes no search. Otherwise returns the
    /// response from memory, or renders it.
    async fn find(
        &self,
        headers: &HeaderMap,
        cache_key: &str,
        required: &RequiredVersions,
        reader: &Reader,
        render: impl Future<Output = Result<RenderedResponse, Problem>>,
    ) -> Result<Found, Problem> {
        self.wait_until_indexed(required, reader).await?;
        let snapshot = self.newest_snapshot().await?;
        let newest = snapshot.as_deref().map(|snapshot| EntityTag::of_request(snapshot, cache_key));
        if let Some(tag) = newest.filter(|tag| tag.is_known(headers)) {
            return Ok(Found::Known(tag));
        }
        if let Some(kept) = self.kept(cache_key, snapshot.as_deref(), required) {
            let source = Self::hit(snapshot.as_deref(), kept.age());
            return Ok(Found::Response(kept, source));
        }
        let rendered = self.remember(cache_key, render.await?, snapshot.as_deref());
        Ok(Found::Response(rendered, Source::Index))
    }

    /// Returns the response in memory, if it may be used. If the client requires versions, it may not be used with an index that does
    /// not identify its snapshots.
    fn kept(
        &self,
        cache_key: &str,
        snapshot: Option<&str>,
        required: &RequiredVersions,
    ) -> Option<CachedResponse> {
        if snapshot.is_none() && !required.is_empty() {
            return None;
        }
        self.responses.get(cache_key, snapshot.map(|snapshot| EntityTag::of_request(snapshot, cache_key)))
    }

    /// Returns the source of a response from memory. A response on the newest snapshot equals a new one, so it has no age.
    fn hit(snapshot: Option<&str>, age: Duration) -> Source {
        Source::Memory { age: snapshot.is_none().then_some(age) }
    }

    /// Returns the last response to a search that the index cannot answer now.
    ///
    /// # Errors
    /// `problem` unless it is a 503, no versions are required, and a response is kept.
    fn last_response(
        &self,
        cache_key: &str,
        required: &RequiredVersions,
        problem: Problem,
    ) -> Result<(CachedResponse, Source), Problem> {
        if !may_be_stale(&problem, required) {
            return Err(problem);
        }
        let response = self.responses.last(cache_key).ok_or(problem)?;
        self.note_stale();
        let source = Source::Stale(response.age());
        Ok((response, source))
    }

    /// Counts a stale response. The log has one warning a second, so that many requests do not fill it.
    fn note_stale(&self) {
        ::metrics::counter!(metrics::STALE_ANSWERS).increment(1);
        let now = Instant::now();
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|last| now.duration_since(last).as_secs() >= 1) {
            *warned = Some(now);
            tracing::warn!("the index is unavailable; answering searches with their last response");
        }
    }

    fn shared_policy(&self) -> CachePolicy {
        CachePolicy::Shared {
            max_age_seconds: self.settings.cache_seconds,
            stale_seconds: self.settings.stale_seconds,
        }
    }

    /// Keeps a response if it reflects `before`, the newest snapshot before rendering, or if the index does not identify its
    /// snapshots. A response of a later snapshot would be valid, but is rarely requested again under steady writes.
    fn remember(&self, cache_key: &str, rendered: RenderedResponse, before: Option<&str>) -> CachedResponse {
        let RenderedResponse { mut json, outcome, snapshot, may_be_kept } = rendered;
        // Otherwise the cache would keep the spare capacity as well.
        json.shrink_to_fit();
        let tag = match &snapshot {
            Some(snapshot) => EntityTag::of_request(snapshot, cache_key),
            None => EntityTag::of_body(&json),
        };
        let response = CachedResponse::new(json.into(), outcome, tag);
        if may_be_kept && (before.is_none() || snapshot.as_deref() == before) {
            self.responses.insert(cache_key, response.clone());
        }
        response
    }
}

/// Returns true if the last response may replace the problem: no versions are required, and it is any 503, even from an index that
/// throttles.
fn may_be_stale(problem: &Problem, required: &RequiredVersions) -> bool {
    problem.status() == StatusCode::SERVICE_UNAVAILABLE && required.is_empty()
}

/// Applies `source` to the age of the oldest response.
fn oldest(responses: &[CachedResponse], source: impl FnOnce(Duration) -> Source) -> Source {
    source(responses.iter().map(CachedResponse::age).max().unwrap_or_default())
}
