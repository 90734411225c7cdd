//! Answers requests from memory or by asking the index, with the headers for caches.

use std::future::Future;

use api::problems::{OrProblem as _, SEARCH_INDEX};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;

use crate::http::{CachePolicy, EntityTag, not_modified, with_tag};
use crate::metrics::EMPTY_SEARCHES;
use crate::reader::Reader;
use crate::response_cache::CachedResponse;
use crate::search_service::SearchService;
use search_parameters::ParsedSearch;
use search_parameters::RequiredVersions;

/// A response body that was just rendered.
pub(crate) struct RenderedResponse {
    /// The body.
    pub(crate) json: Vec<u8>,
    /// True for a search with words that found nothing.
    pub(crate) found_nothing: bool,
    /// The snapshot of the index that all of it reflects; `None` if it is unknown, or there may be two.
    pub(crate) snapshot: Option<String>,
}

impl RenderedResponse {
    /// Returns a response other than that of a search.
    pub(crate) fn new(json: Vec<u8>, snapshot: Option<String>) -> Self {
        Self { json, found_nothing: false, snapshot }
    }
}

impl SearchService {
    /// Answers the GET of a search once the index holds the required versions: with 304 if the client has the response already, from memory,
    /// or by `render`.
    ///
    /// # Errors
    /// If the required versions are not indexed in time, the index fails, or `render` does.
    pub(crate) async fn respond(
        &self,
        headers: &HeaderMap,
        search: &ParsedSearch,
        reader: &Reader,
        cache_key: &str,
        render: impl Future<Output = Result<RenderedResponse, Problem>>,
    ) -> Result<Response, Problem> {
        let required = &search.required;
        self.wait_until_indexed(required, reader).await?;
        let snapshot = self.newest_snapshot().await?;
        let policy = match required.is_empty() && reader.restriction.is_none() {
            true => CachePolicy::Shared { max_age_seconds: self.settings.cache_seconds },
            false => CachePolicy::Private,
        };
        let expected = snapshot.as_ref().map(|snapshot| EntityTag::of_request(snapshot, cache_key));
        if let Some(tag) = expected.filter(|tag| tag.is_known(headers)) {
            return Ok(not_modified(&tag, policy));
        }
        let (tag, response) = match expected.and_then(|tag| Some((tag, self.responses.get(&tag)?))) {
            Some(cached) => cached,
            None => self.remember(cache_key, render.await?, snapshot.as_deref()),
        };
        count_if_empty(&response);
        Ok(if tag.is_known(headers) {
            not_modified(&tag, policy)
        } else {
            with_tag(response.json, &tag, policy)
        })
    }

    /// Answers the requests of one body once the index holds the required versions: all from memory, or all by `render`, so
    /// that they reflect one snapshot.
    ///
    /// # Errors
    /// As [`respond`](Self::respond).
    pub(crate) async fn respond_to_all(
        &self,
        required: &RequiredVersions,
        reader: &Reader,
        cache_keys: &[String],
        render: impl Future<Output = Result<Vec<RenderedResponse>, Problem>>,
    ) -> Result<Vec<CachedResponse>, Problem> {
        self.wait_until_indexed(required, reader).await?;
        let snapshot = self.newest_snapshot().await?;
        let cached = snapshot.as_ref().and_then(|snapshot| {
            let tags = cache_keys.iter().map(|key| EntityTag::of_request(snapshot, key));
            tags.map(|tag| self.responses.get(&tag)).collect::<Option<Vec<_>>>()
        });
        let responses = match cached {
            Some(cached) => cached,
            None => {
                let rendered = cache_keys.iter().zip(render.await?);
                rendered.map(|(key, rendered)| self.remember(key, rendered, snapshot.as_deref()).1).collect()
            }
        };
        responses.iter().for_each(count_if_empty);
        Ok(responses)
    }

    /// Returns the newest snapshot of the index, or `None` if the index does not identify its snapshots.
    pub(crate) async fn newest_snapshot(&self) -> Result<Option<String>, Problem> {
        self.index.snapshot().await.or_problem(SEARCH_INDEX)
    }

    /// Caches a response if it reflects `before`, the newest snapshot before rendering. A response of a later snapshot would
    /// be valid as well, but under steady writes few requests repeat on one snapshot.
    fn remember(
        &self,
        cache_key: &str,
        rendered: RenderedResponse,
        before: Option<&str>,
    ) -> (EntityTag, CachedResponse) {
        let RenderedResponse { mut json, found_nothing, snapshot } = rendered;
        // The cache would keep spare capacity too.
        json.shrink_to_fit();
        let response = CachedResponse { json: json.into(), found_nothing };
        let tag = match &snapshot {
            Some(snapshot) => EntityTag::of_request(snapshot, cache_key),
            None => EntityTag::of_body(&response.json),
        };
        if let Some(snapshot) = snapshot.as_deref().filter(|snapshot| Some(*snapshot) == before) {
            self.responses.insert(snapshot, tag, response.clone());
        }
        (tag, response)
    }
}

/// Counts every request that found nothing, also those answered from memory.
fn count_if_empty(response: &CachedResponse) {
    if response.found_nothing {
        metrics::counter!(EMPTY_SEARCHES).increment(1);
    }
}
