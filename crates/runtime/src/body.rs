//! Request bodies that are read as a whole, most of them with a checked content type.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::Problem;
use crate::body_budget::read_whole;

/// The most bytes of a [`SmallJsonBody`].
pub const MAX_SMALL_BODY_BYTES: usize = 64 * 1024;

/// The bytes of a body with the content type of JSON, not parsed.
pub struct JsonBody(pub Bytes);

/// A [`JsonBody`] for requests that are never large, such as searches: at most [`MAX_SMALL_BODY_BYTES`].
pub struct SmallJsonBody(pub Bytes);

/// The bytes of a body of any content type, not parsed.
pub struct UntypedBody(pub Bytes);

/// The bytes of a body with the content type of a merge patch or of JSON, not parsed.
pub struct PatchBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Response;
    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        body_of_type(request, &["application/json"]).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for SmallJsonBody {
    type Rejection = Response;
    async fn from_request(mut request: Request, _: &S) -> Result<Self, Response> {
        DefaultBodyLimit::max(MAX_SMALL_BODY_BYTES).apply(&mut request);
        let body = body_of_type(request, &["application/json"]).await;
        body.map(Self).map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large_for_a_small_body().into_response(),
            _ => rejection,
        })
    }
}

fn too_large_for_a_small_body() -> Problem {
    let detail = format!(
        "the body is larger than {} KiB, the most for this request; make it shorter, or send several",
        MAX_SMALL_BODY_BYTES / 1024
    );
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

impl<S: Send + Sync> FromRequest<S> for UntypedBody {
    type Rejection = Response;
    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        read_whole(request).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for PatchBody {
    type Rejection = Response;
    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        body_of_type(request, &["application/merge-patch+json", "application/json"]).await.map(Self)
    }
}

async fn body_of_type(request: Request, types: &[&str]) -> Result<Bytes, Response> {
    check_content_type(request.headers(), types).map_err(Problem::into_response)?;
    read_whole(request).await
}

/// Checks that the content type is one of `types`, ignoring parameters such as a charset, and that the body is not encoded.
///
/// # Errors
/// 415 for any other content type, and for a content encoding.
pub fn check_content_type(headers: &HeaderMap, types: &[&str]) -> Result<(), Problem> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim();
    if !types.iter().any(|allowed| kind.eq_ignore_ascii_case(allowed)) {
        let detail = format!("the body must have the header `content-type: {}`", types.join("` or `"));
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    check_content_encoding(headers)
}

/// Checks that the body is sent as it is. A compressed body would be read as text, and a small one can hold gigabytes.
///
/// # Errors
/// 415 for a content encoding.
pub fn check_content_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    if encodings.all(|encoding| encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    let detail = "the body must not be compressed: the only supported content encoding is `identity`; send the body as it is, \
                  without the header `content-encoding`";
    let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
    // RFC 7694: tells the client which encodings it may use.
    Err(problem.with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(http::HeaderName, &'static str)]) -> Result<(), String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        check_content_type(&map, &["application/json"]).map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn a_body_is_of_its_type_and_not_encoded() {
        let json = (CONTENT_TYPE, "Application/JSON; charset=utf-8");
        assert_eq!(check(std::slice::from_ref(&json)), Ok(()));
        assert_eq!(check(&[json.clone(), (CONTENT_ENCODING, "Identity")]), Ok(()));
        for encoding in ["gzip", "br", "gzip, identity", "", "x"] {
            let detail = check(&[json.clone(), (CONTENT_ENCODING, encoding)]).unwrap_err();
            assert!(detail.contains("`identity`"), "{encoding}: {detail}");
        }
        let twice = [json, (CONTENT_ENCODING, "identity"), (CONTENT_ENCODING, "gzip")];
        assert!(check(&twice).is_err());
        assert!(check(&[]).unwrap_err().contains("content-type"));
    }
}
