//! What all answers share: caching and problems.

use std::fmt;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::input::InputError;
use domain::ports::{PortError, PortErrorKind};
use domain::{Fault, FaultKind, Faults, ProductId};
use runtime::Problem;
use sha2::{Digest, Sha256};

/// The validator of an answer. It is weak: an answer to the same request on the same state of the index differs
/// only in how long it took and in how it is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct EntityTag(u128);

impl EntityTag {
    /// Of what a request gets: the state of the index and the canonical request. The program's version is part of it
    /// too, as the next one may write the same answer otherwise.
    pub(crate) fn of_request(snapshot: &str, request: &str) -> Self {
        Self::new(&[env!("CARGO_PKG_VERSION"), snapshot, request])
    }

    /// Of the answer itself, where the state of the index is not known.
    pub(crate) fn of_answer(json: &[u8]) -> Self {
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

    /// Whether the client has this answer already.
    pub(crate) fn is_known(&self, headers: &HeaderMap) -> bool {
        let own = self.to_string();
        let tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        tags.flat_map(|list| list.split(',')).map(str::trim).any(|tag| {
            let opaque = tag.strip_prefix("W/").unwrap_or(tag);
            tag == "*" || opaque.trim_matches('"') == own
        })
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Who may keep an answer, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Any cache, for so many seconds; with 0 it asks each time.
    Shared { max_age_seconds: u32 },
    /// The client alone, and it asks each time: the answer was to see a write of its own.
    Private,
}

/// The answer to a GET.
pub(crate) fn with_tag(json: Bytes, tag: &EntityTag, keeping: Keeping) -> Response {
    cacheable(plain(json), tag, keeping)
}

/// 304: the client has the answer.
pub(crate) fn not_modified(tag: &EntityTag, keeping: Keeping) -> Response {
    cacheable(StatusCode::NOT_MODIFIED.into_response(), tag, keeping)
}

fn cacheable(mut response: Response, tag: &EntityTag, keeping: Keeping) -> Response {
    let cache_control = match keeping {
        Keeping::Private => "private, no-cache".to_owned(),
        Keeping::Shared { max_age_seconds: 0 } => "no-cache".to_owned(),
        Keeping::Shared { max_age_seconds } => format!("public, max-age={max_age_seconds}"),
    };
    let headers = response.headers_mut();
    for (name, value) in [(ETAG, format!("W/\"{tag}\"")), (CACHE_CONTROL, cache_control)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    // Compression says so only of answers that are worth compressing; a cache must know it of all. And what it keeps for
    // everybody may be older than the write that a client wants to see.
    headers.insert(VARY, HeaderValue::from_static("accept-encoding, noren-sync-token"));
    response
}

/// The answer to a method whose answers nobody keeps.
pub(crate) fn plain(json: impl Into<Bytes>) -> Response {
    let kind = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    ([kind], json.into()).into_response()
}

/// 400, with every fault.
pub(crate) fn bad_request(faults: &Faults) -> Problem {
    let detail = match faults.0.as_slice() {
        [fault] => fault.to_string(),
        faults => format!("{} invalid parameters", faults.len()),
    };
    Problem::of_faults(StatusCode::BAD_REQUEST, detail, &faults.0)
}

/// 400 for a body that is no JSON; 422, with every fault, for one that is no search.
pub(crate) fn bad_body(error: &InputError) -> Problem {
    match error {
        InputError::Syntax(detail) => Problem::new(StatusCode::BAD_REQUEST, detail),
        InputError::Faults(faults) => {
            let detail = match faults.0.as_slice() {
                [fault] => fault.to_string(),
                faults => format!("{} things are wrong with the search", faults.len()),
            };
            Problem::of_faults(StatusCode::UNPROCESSABLE_ENTITY, detail, &faults.0)
        }
    }
}

/// The id in an address.
pub(crate) fn read_id(id: Result<Path<String>, PathRejection>) -> Result<ProductId, Problem> {
    let Ok(Path(text)) = id else {
        let fault = Fault::new("id", FaultKind::Malformed, "must be UTF-8 under its percent-encoding");
        return Err(bad_request(&fault.into()));
    };
    ProductId::parse(&text).map_err(|message| {
        let fault = Fault::new("id", FaultKind::Malformed, message);
        Problem::of_faults(StatusCode::UNPROCESSABLE_ENTITY, fault.to_string(), &[fault])
    })
}

/// What to say of an index that failed. The cause goes to the log and nowhere else.
pub(crate) fn index_failed(error: &PortError) -> Problem {
    tracing::error!(error.kind = ?error.kind, error.chain = error.chain(), "the search index failed");
    match error.kind {
        PortErrorKind::Throttled => Problem::unavailable("there are too many searches now; try again later"),
        PortErrorKind::Unavailable => {
            Problem::unavailable("the search index is not available now; try again")
        }
        PortErrorKind::Full => {
            let detail = "the search index has no room left; someone must make some";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
        PortErrorKind::Internal => Problem::internal(),
    }
}

/// What to say of an answer that could not be written.
pub(crate) fn unwritable(error: &serde_json::Error) -> Problem {
    tracing::error!(error.chain = %error, "the answer could not be written as JSON");
    Problem::internal()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::RETRY_AFTER;

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
        assert_ne!(EntityTag::of_answer(b"{}"), EntityTag::of_answer(b"[]"));
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
        let keeping = Keeping::Shared { max_age_seconds: 60 };
        for response in [with_tag(Bytes::new(), &tag, keeping), not_modified(&tag, keeping)] {
            assert_eq!(response.headers()[ETAG], weak);
            assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=60");
            assert_eq!(response.headers()[VARY], "accept-encoding, noren-sync-token");
        }
        for (keeping, told) in
            [(Keeping::Shared { max_age_seconds: 0 }, "no-cache"), (Keeping::Private, "private, no-cache")]
        {
            assert_eq!(with_tag(Bytes::new(), &tag, keeping).headers()[CACHE_CONTROL], told);
        }
    }

    #[test]
    fn a_failed_index_is_told_without_its_cause() {
        let cases = [
            (PortErrorKind::Throttled, 503, true),
            (PortErrorKind::Unavailable, 503, true),
            (PortErrorKind::Full, 503, false),
            (PortErrorKind::Internal, 500, false),
        ];
        for (kind, status, retry) in cases {
            let problem = index_failed(&PortError::new(kind, "searching", "secret.path: broken"));
            assert!(!problem.detail().contains("secret"));
            let response = problem.into_response();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().contains_key(RETRY_AFTER), retry);
        }
    }
}
