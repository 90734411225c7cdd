//! Parts that all responses share: entity tags and the headers for caches.

use std::fmt;
use std::time::Duration;

use api::extract::has_entity_tag;
use axum::http::header::{AGE, CACHE_CONTROL, CONTENT_TYPE, ETAG, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use runtime::http::{CACHE_STATUS, X_CACHE};
use sha2::{Digest, Sha256};

/// The longest time for which caches may use a response while they fetch a new one, in seconds (RFC 5861).
const MAX_REVALIDATION_SECONDS: u32 = 60;

/// The validator of a response. It is weak, because responses to the same request on the same snapshot of the index differ in
/// the duration of the search and in their compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct EntityTag(u128);

impl EntityTag {
    /// Returns the tag of the response to a request on a snapshot of the index. It includes the program's version, because
    /// another version may render the same answer differently.
    pub(crate) fn of_request(snapshot: &str, cache_key: &str) -> Self {
        Self::new(&[env!("CARGO_PKG_VERSION"), snapshot, cache_key])
    }

    /// Returns the tag of a response body, for an unknown snapshot.
    pub(crate) fn of_body(json: &[u8]) -> Self {
        Self::new(&[json])
    }

    fn new(parts: &[impl AsRef<[u8]>]) -> Self {
        let mut hash = Sha256::new();
        for part in parts.iter().map(AsRef::as_ref) {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let first = hash.finalize().into_iter().take(16);
        Self(first.fold(0, |tag, byte| tag << 8 | u128::from(byte)))
    }

    /// Returns true if the client has this response already: `If-None-Match` names its tag.
    pub(crate) fn is_known(&self, headers: &HeaderMap) -> bool {
        has_entity_tag(headers, &self.to_string())
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The caches that may keep a response, and the time for which they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CachePolicy {
    /// Any cache, for this many seconds; with 0 it always revalidates.
    Shared {
        max_age_seconds: u32,
        /// The further seconds for which they may use it instead of an error.
        stale_seconds: u32,
    },
    /// Any cache, and it always revalidates: the index is unavailable, and the next response may be newer.
    Stale,
    /// The client's cache only, and it always revalidates: the response depends on the client's writes or rights.
    Private,
}

/// The origin of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The index.
    Index,
    /// Memory. The age is absent if the response reflects the newest snapshot, so that it equals a new one.
    Memory { age: Option<Duration> },
    /// Memory, because the index is unavailable.
    Stale(Duration),
}

impl Source {
    pub(crate) fn is_stale(self) -> bool {
        matches!(self, Self::Stale(_))
    }
}

/// Adds the headers `X-Cache`, `Cache-Status` (RFC 9211) and, if the source has an age, `Age`.
pub(crate) fn with_source(mut response: Response, source: Source) -> Response {
    let seconds = |age: Duration| age.as_secs().to_string();
    let (short, status, age) = match source {
        Source::Index => ("MISS", "noren; fwd=miss".to_owned(), None),
        Source::Memory { age } => ("HIT", "noren; hit".to_owned(), age.map(seconds)),
        Source::Stale(age) => {
            let age = seconds(age);
            ("STALE", format!("noren; hit; ttl=-{age}; detail=index-away"), Some(age))
        }
    };
    let headers = response.headers_mut();
    headers.insert(X_CACHE, HeaderValue::from_static(short));
    let others = [(CACHE_STATUS, Some(status)), (AGE, age)];
    for (name, value) in others.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Returns the response to a GET.
pub(crate) fn with_tag(json: Bytes, tag: &EntityTag, policy: CachePolicy, source: Source) -> Response {
    with_source(cacheable(json_response(json), tag, policy), source)
}

/// Returns 304: the client has the response already.
pub(crate) fn not_modified(tag: &EntityTag, policy: CachePolicy, source: Source) -> Response {
    with_source(cacheable(StatusCode::NOT_MODIFIED.into_response(), tag, policy), source)
}

fn cacheable(mut response: Response, tag: &EntityTag, policy: CachePolicy) -> Response {
    let cache_control = match policy {
        CachePolicy::Private => "private, no-cache".to_owned(),
        CachePolicy::Stale | CachePolicy::Shared { max_age_seconds: 0, .. } => "no-cache".to_owned(),
        CachePolicy::Shared { max_age_seconds, stale_seconds } => {
            let revalidate = max_age_seconds.min(MAX_REVALIDATION_SECONDS);
            let fresh = format!("public, max-age={max_age_seconds}, stale-while-revalidate={revalidate}");
            match stale_seconds {
                0 => fresh,
                seconds => format!("{fresh}, stale-if-error={seconds}"),
            }
        }
    };
    let headers = response.headers_mut();
    for (name, value) in [(ETAG, format!("W/\"{tag}\"")), (CACHE_CONTROL, cache_control)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    // The compression layer names `accept-encoding` only in responses that it compresses, but caches need it in all. A response in a
    // shared cache may be older than the write that a sync token names.
    headers.insert(VARY, HeaderValue::from_static("accept-encoding, noren-sync-token"));
    response
}

/// Returns a JSON response without headers for caches.
pub(crate) fn json_response(json: impl Into<Bytes>) -> Response {
    let kind = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    ([kind], json.into()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::IF_NONE_MATCH;

    fn sent(if_none_match: &[&str]) -> HeaderMap {
        let values = if_none_match.iter().map(|value| (IF_NONE_MATCH, HeaderValue::from_str(value).unwrap()));
        let mut headers = HeaderMap::new();
        values.for_each(|(name, value)| {
            headers.append(name, value);
        });
        headers
    }

    #[test]
    fn a_tag_changes_with_everything_that_changes_the_answer() {
        let tag = EntityTag::of_request;
        let first = tag("1", "brand=HP");
        assert_eq!(first, tag("1", "brand=HP"));
        assert_ne!(first, tag("2", "brand=HP"));
        assert_ne!(first, tag("1", "brand=H"));
        assert_ne!(tag("12", "3"), tag("1", "23"), "parts do not run together");
        assert_ne!(EntityTag::of_body(b"{}"), EntityTag::of_body(b"[]"));
        assert_eq!(first.to_string().len(), 32);
    }

    #[test]
    fn a_client_says_what_it_has() {
        let tag = EntityTag::of_request("1", "");
        let weak = format!("W/\"{tag}\"");
        let is_known = |headers: &[&str]| tag.is_known(&sent(headers));
        for headers in [&[][..], &["\"x\""], &[&weak[..10]]] {
            assert!(!is_known(headers), "{headers:?}");
        }
        for headers in
            [&[weak.as_str()][..], &[&weak[2..]], &[&format!("\"x\", {weak}")], &["*"], &["\"x\"", &weak]]
        {
            assert!(is_known(headers), "{headers:?}");
        }
        let policy = CachePolicy::Shared { max_age_seconds: 300, stale_seconds: 3600 };
        let answered = |policy| with_tag(Bytes::new(), &tag, policy, Source::Index);
        for response in [answered(policy), not_modified(&tag, policy, Source::Index)] {
            assert_eq!(response.headers()[ETAG], weak);
            assert_eq!(
                response.headers()[CACHE_CONTROL],
                "public, max-age=300, stale-while-revalidate=60, stale-if-error=3600"
            );
            assert_eq!(response.headers()[VARY], "accept-encoding, noren-sync-token");
        }
        for (policy, told) in [
            (CachePolicy::Shared { max_age_seconds: 0, stale_seconds: 3600 }, "no-cache"),
            (CachePolicy::Stale, "no-cache"),
            (CachePolicy::Private, "private, no-cache"),
        ] {
            assert_eq!(answered(policy).headers()[CACHE_CONTROL], told);
        }
    }
    #[test]
    fn a_response_says_where_it_comes_from() {
        let said = |source| {
            let response = with_source(StatusCode::OK.into_response(), source);
            let text = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            (text(X_CACHE).unwrap(), text(CACHE_STATUS).unwrap(), text(AGE))
        };
        let told = |short: &str, status: &str, age: Option<&str>| {
            (short.to_owned(), status.to_owned(), age.map(str::to_owned))
        };
        let (age, seconds) = (Duration::from_millis(7900), Some("7"));
        assert_eq!(said(Source::Index), told("MISS", "noren; fwd=miss", None));
        assert_eq!(said(Source::Memory { age: None }), told("HIT", "noren; hit", None));
        assert_eq!(said(Source::Memory { age: Some(age) }), told("HIT", "noren; hit", seconds));
        assert_eq!(said(Source::Stale(age)), told("STALE", "noren; hit; ttl=-7; detail=index-away", seconds));
    }
}
