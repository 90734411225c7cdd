//! Parts that all responses share: entity tags and the headers for caches.

use std::fmt;

use api::extract::has_entity_tag;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sha2::{Digest, Sha256};

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
    Shared { max_age_seconds: u32 },
    /// The client's cache only, and it always revalidates: the response reflects a write of this client, or what it may find.
    Private,
}

/// Returns the response to a GET.
pub(crate) fn with_tag(json: Bytes, tag: &EntityTag, policy: CachePolicy) -> Response {
    cacheable(json_response(json), tag, policy)
}

/// Returns 304: the client has the response already.
pub(crate) fn not_modified(tag: &EntityTag, policy: CachePolicy) -> Response {
    cacheable(StatusCode::NOT_MODIFIED.into_response(), tag, policy)
}

fn cacheable(mut response: Response, tag: &EntityTag, policy: CachePolicy) -> Response {
    let cache_control = match policy {
        CachePolicy::Private => "private, no-cache".to_owned(),
        CachePolicy::Shared { max_age_seconds: 0 } => "no-cache".to_owned(),
        CachePolicy::Shared { max_age_seconds } => format!("public, max-age={max_age_seconds}"),
    };
    let headers = response.headers_mut();
    for (name, value) in [(ETAG, format!("W/\"{tag}\"")), (CACHE_CONTROL, cache_control)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    // The compression layer names `accept-encoding` only in responses that it compresses; a cache needs it in all. A request
    // with a sync token must see its write, and a response in a shared cache may be older than that.
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
        let policy = CachePolicy::Shared { max_age_seconds: 60 };
        for response in [with_tag(Bytes::new(), &tag, policy), not_modified(&tag, policy)] {
            assert_eq!(response.headers()[ETAG], weak);
            assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=60");
            assert_eq!(response.headers()[VARY], "accept-encoding, noren-sync-token");
        }
        for (policy, told) in [
            (CachePolicy::Shared { max_age_seconds: 0 }, "no-cache"),
            (CachePolicy::Private, "private, no-cache"),
        ] {
            assert_eq!(with_tag(Bytes::new(), &tag, policy).headers()[CACHE_CONTROL], told);
        }
    }
}
