//! API keys and errors in the form that clients of Algolia expect, for the paths of its protocol.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde_json::{Value, json};

use crate::problem::PROBLEM_JSON;

/// The beginning of the paths of the protocol.
const PREFIX: &str = "/1/";
/// The header and the query parameter of the API key.
const API_KEY: &str = "x-algolia-api-key";
/// The placeholder of requests without credentials, because clients require a key.
const NO_KEY: &str = "anonymous";
/// The largest body of a problem, in bytes.
const MAX_PROBLEM_BYTES: usize = 64 * 1024;

/// Returns true for a request of the protocol.
pub(crate) fn is_protocol(uri: &Uri) -> bool {
    uri.path().starts_with(PREFIX)
}

/// Returns every API key of a request of the protocol: browsers send it in the query string, other clients in a header.
pub(crate) fn api_keys<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
    let query = uri.query().filter(|_| is_protocol(uri)).unwrap_or_default();
    // Keys and tokens consist of characters that need no encoding.
    let in_query =
        query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(name, _)| *name == API_KEY);
    let in_headers =
        headers.get_all(HeaderName::from_static(API_KEY)).iter().filter(move |_| is_protocol(uri));
    // A key that is not ASCII becomes an empty one, which is refused.
    let in_headers = in_headers.map(|value| value.to_str().unwrap_or_default());
    in_query.map(|(_, key)| key).chain(in_headers).filter(|key| *key != NO_KEY)
}

/// Converts problems in responses to requests of the protocol into `{"message", "status"}`.
pub(crate) async fn convert_problems(request: Request, next: Next) -> Response {
    let is_protocol = is_protocol(request.uri());
    let response = next.run(request).await;
    let is_problem = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON);
    if !is_protocol || !is_problem {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, MAX_PROBLEM_BYTES).await.unwrap_or_default();
    let problem = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let message = problem["detail"].as_str().or_else(|| parts.status.canonical_reason()).unwrap_or("error");
    let body = json!({"message": message, "status": parts.status.as_u16()}).to_string();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (parts, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_query_string_or_a_header_of_the_protocol() {
        let keys = |uri: &'static str, header: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers
                .extend(header.map(|key| (HeaderName::from_static(API_KEY), HeaderValue::from_static(key))));
            let uri = Uri::from_static(uri);
            api_keys(&uri, &headers).map(str::to_owned).collect::<Vec<_>>()
        };
        let path = "/1/indexes/*/queries?x-algolia-agent=a&x-algolia-api-key=nrn_1";
        assert_eq!(keys(path, None), ["nrn_1"]);
        assert_eq!(keys(path, Some("nrn_2")), ["nrn_1", "nrn_2"]);
        assert_eq!(keys("/1/indexes/*/queries", Some("nrn_2")), ["nrn_2"]);
        assert_eq!(keys("/1/indexes/*/queries", Some("anonymous")), [""; 0]);
        assert_eq!(keys("/products/search?x-algolia-api-key=nrn_1", Some("nrn_2")), [""; 0], "elsewhere");
    }
}
