//! What all answers share: caching and problems.

use std::fmt::Write as _;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::Faults;
use domain::input::InputError;
use domain::ports::{PortError, PortErrorKind};
use runtime::Problem;
use sha2::{Digest, Sha256};

/// The validator of an answer. It is weak: an answer to the same request on the same state of the index differs
/// only in how long it took and in how it is compressed.
pub(crate) struct EntityTag(String);

impl EntityTag {
    /// Of a search: the state of the index and the canonical request. The program's version is part of it too, as
    /// the next one may write the same answer otherwise.
    pub(crate) fn of_search(snapshot: &str, request: &str) -> Self {
        Self::new(&[env!("CARGO_PKG_VERSION"), snapshot, request])
    }

    /// Of the answer itself, where the index does not name its state.
    pub(crate) fn of_answer(json: &[u8]) -> Self {
        Self::new(&[json])
    }

    fn new(parts: &[impl AsRef<[u8]>]) -> Self {
        let mut hash = Sha256::new();
        for part in parts.iter().map(AsRef::as_ref) {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let mut tag = String::with_capacity(32);
        for byte in &hash.finalize()[..16] {
            // Writing into a `String` cannot fail.
            let _ = write!(tag, "{byte:02x}");
        }
        Self(tag)
    }

    /// Whether the client has this answer already.
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        tags.flat_map(|list| list.split(',')).map(str::trim).any(|tag| {
            let opaque = tag.strip_prefix("W/").unwrap_or(tag);
            tag == "*" || opaque.trim_matches('"') == self.0
        })
    }
}

/// The answer, or 304 without one where the client has it.
pub(crate) fn cached(headers: &HeaderMap, tag: &EntityTag, max_age_seconds: u32, json: Vec<u8>) -> Response {
    let mut response = match tag.is_known(headers) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => plain(json),
    };
    let cache_control = match max_age_seconds {
        0 => "no-cache".to_owned(),
        seconds => format!("public, max-age={seconds}"),
    };
    let headers = response.headers_mut();
    for (name, value) in [(ETAG, format!("W/\"{}\"", tag.0)), (CACHE_CONTROL, cache_control)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    // Compression says so only of answers that are worth compressing; a cache must know it of all.
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    response
}

/// The answer to a method whose answers nobody keeps.
pub(crate) fn plain(json: Vec<u8>) -> Response {
    let kind = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    ([kind], json).into_response()
}

/// 400, with every fault.
pub(crate) fn bad_request(faults: &Faults) -> Problem {
    let detail = match faults.0.as_slice() {
        [fault] => fault.to_string(),
        faults => format!("{} things are wrong with the parameters", faults.len()),
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
        let tag = |snapshot, request| EntityTag::of_search(snapshot, request).0;
        let first = tag("1", "brand=HP");
        assert_eq!(first, tag("1", "brand=HP"));
        assert_ne!(first, tag("2", "brand=HP"));
        assert_ne!(first, tag("1", "brand=H"));
        assert_ne!(tag("12", "3"), tag("1", "23"), "parts do not run together");
        assert_ne!(EntityTag::of_answer(b"{}").0, EntityTag::of_answer(b"[]").0);
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let tag = EntityTag::of_search("1", "");
        let weak = format!("W/\"{}\"", tag.0);
        let status = |headers: &[&str]| cached(&sent(headers), &tag, 60, b"{}".to_vec()).status();
        assert_eq!(status(&[]), StatusCode::OK);
        assert_eq!(status(&["\"x\""]), StatusCode::OK);
        assert_eq!(status(&[&weak[..10]]), StatusCode::OK);
        for headers in
            [&[weak.as_str()][..], &[&weak[2..]], &[&format!("\"x\", {weak}")], &["*"], &["\"x\"", &weak]]
        {
            assert_eq!(status(headers), StatusCode::NOT_MODIFIED, "{headers:?}");
        }
        let response = cached(&sent(&["*"]), &tag, 60, b"{}".to_vec());
        assert_eq!(response.headers()[ETAG], weak);
        assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=60");
        assert_eq!(response.headers()[VARY], "accept-encoding");
        assert_eq!(cached(&sent(&[]), &tag, 0, Vec::new()).headers()[CACHE_CONTROL], "no-cache");
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
