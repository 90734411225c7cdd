//! Extractors for requests that concern products.

mod conditions;
mod entity_tag;

use axum::body::{HttpBody as _, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use domain::{Fault, FaultKind, ProductId, SyncToken};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use runtime::Problem;
use runtime::http::SYNC_TOKEN;

pub use conditions::{
    IDEMPOTENCY_KEY, IMPORT_KEY_PREFIX, IdempotencyHeader, IdempotencyKey, IfMatchHeader, Precondition,
    TRACEPARENT, WriteConditions, WriteRequest, traceparent,
};
pub use entity_tag::{has_entity_tag, version_tag};

use crate::parameters::ParameterReader;
use crate::problems::{bad_parameters, bad_request, of_fault};

/// The product id in the path parameter `id`.
///
/// Rejects ids that are not UTF-8 with 400, and ids that no product can have with 422.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdInPath(pub ProductId);

impl<S: Send + Sync> FromRequestParts<S> for IdInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(Path(text)) = Path::<String>::from_request_parts(parts, state).await else {
            let message = "must be valid UTF-8 after percent-decoding";
            return Err(bad_request("id", FaultKind::Malformed, message));
        };
        let id = ProductId::parse(&text).map_err(|message| {
            of_fault(StatusCode::UNPROCESSABLE_ENTITY, Fault::new("id", FaultKind::Malformed, message))
        })?;
        Ok(Self(id))
    }
}

/// An extractor for addresses without parameters: rejects every query parameter with 400.
#[derive(Debug, Clone, Copy)]
pub struct NoParameters;

impl<S: Send + Sync> FromRequestParts<S> for NoParameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let reader = ParameterReader::of_query(parts.uri.query().unwrap_or_default());
        let unknown = |_: &str| "is not a parameter of this address, which has none".to_owned();
        reader.finish(unknown).map_err(|faults| bad_parameters(&faults))?;
        Ok(Self)
    }
}

/// The size limit of a body without content, such as `{}` between whitespace, in bytes.
const MAX_EMPTY_BODY_BYTES: usize = 64;

/// An extractor for addresses that take no body: rejects a body with 400, because its options would be ignored. Accepts `{}` and `null`,
/// because some clients always send a body.
#[derive(Debug, Clone, Copy)]
pub struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self);
        }
        let path = request.uri().path().to_owned();
        let body = to_bytes(request.into_body(), MAX_EMPTY_BODY_BYTES).await;
        if body.is_ok_and(|body| [&b""[..], b"{}", b"null"].contains(&body.trim_ascii())) {
            return Ok(Self);
        }
        let detail = format!(
            "the request has a body, which {path} does not take; options are parameters: {path}?NAME=VALUE"
        );
        Err(Problem::new(StatusCode::BAD_REQUEST, detail))
    }
}

/// The query parameters of a request, not read yet.
pub struct Parameters(pub ParameterReader);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(ParameterReader::of_query(parts.uri.query().unwrap_or_default())))
    }
}

/// Returns the value of the header [`SYNC_TOKEN`] for the response to a write.
pub fn sync_token_header(token: &SyncToken) -> HeaderValue {
    // A token is a number, a full stop and an id of visible ASCII characters.
    HeaderValue::from_str(&token.to_string()).unwrap_or(HeaderValue::from_static(""))
}

/// Returns the texts of all sync tokens in the headers [`SYNC_TOKEN`], which may be repeated and contain lists.
///
/// A value that is not ASCII is returned as a text that is not a token.
pub fn sync_tokens(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all(SYNC_TOKEN).iter();
    let lists = values.map(|value| value.to_str().unwrap_or("\u{fffd}"));
    lists.flat_map(|list| list.split(',')).map(str::trim).filter(|token| !token.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    async fn no_parameters(address: &str) -> Result<NoParameters, Problem> {
        let (mut parts, ()) = Request::get(address).body(()).unwrap().into_parts();
        NoParameters::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn any_parameter_is_rejected_where_there_are_none() {
        assert!(no_parameters("/products/a").await.is_ok());
        assert!(no_parameters("/products/a?").await.is_ok());
        assert_eq!(no_parameters("/products/a?x=1").await.unwrap_err().status(), StatusCode::BAD_REQUEST);
        assert_eq!(no_parameters("/products/a?x=1&y").await.unwrap_err().detail(), "2 invalid parameters");
    }

    #[test]
    fn sync_tokens_are_read_from_repeated_headers_and_lists() {
        let mut headers = HeaderMap::new();
        for value in ["1.a, 2.b", "", " , ", "3.c"] {
            headers.append(SYNC_TOKEN, HeaderValue::from_static(value));
        }
        assert_eq!(sync_tokens(&headers), ["1.a", "2.b", "3.c"]);
    }
}
