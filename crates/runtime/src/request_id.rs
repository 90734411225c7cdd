//! The id of a request, under which it is logged: the client's own, if it is harmless, otherwise a new one.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use tower_http::request_id::{MakeRequestId as _, MakeRequestUuid, RequestId};

/// The header of a request and its response with the id under which the request is logged.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most characters of an id that a client sends.
const MAX_CHARS: usize = 128;

/// Gives the request its id as an extension and as a header, and the response the same header.
///
/// An id of a client is kept if it is the only one and has 1 to 128 ASCII letters, digits and `._:/+=-`, such as a UUID or a
/// trace id. Any other is replaced, so that a client can neither fill the log nor write control characters into it.
pub(crate) async fn assign(mut request: Request, next: Next) -> Response {
    let own = id_of(request.headers()).cloned().map(RequestId::new);
    let Some(id) = own.or_else(|| MakeRequestUuid.make_request_id(&request)) else {
        // A UUID can always be made.
        return next.run(request).await;
    };
    let header = id.header_value().clone();
    request.headers_mut().insert(REQUEST_ID, header.clone());
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    response.headers_mut().insert(REQUEST_ID, header);
    response
}

/// Returns the id that the client sent, if it may be kept.
fn id_of(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut ids = headers.get_all(REQUEST_ID).iter();
    let id = ids.next().filter(|_| ids.next().is_none())?;
    let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"._:/+=-".contains(byte);
    let length = 1..=MAX_CHARS;
    (length.contains(&id.len()) && id.as_bytes().iter().all(is_safe)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(ids: &[&[u8]]) -> bool {
        let mut headers = HeaderMap::new();
        for id in ids {
            headers.append(REQUEST_ID, HeaderValue::from_bytes(id).unwrap());
        }
        id_of(&headers).is_some()
    }

    #[test]
    fn harmless_ids_are_kept() {
        let longest = "a".repeat(128);
        for id in
            ["1", "018f3c1e-9a7b-7c00-8000-0123456789ab", "Root=1-67891233:abc/def+x._", longest.as_str()]
        {
            assert!(kept(&[id.as_bytes()]), "{id}");
        }
    }

    #[test]
    fn other_ids_are_replaced() {
        let long = "a".repeat(129);
        for id in ["", "a b", "a\tb", "a\"b", "<script>", "a,b", "é", "{}", long.as_str()] {
            assert!(!kept(&[id.as_bytes()]), "{id}");
        }
        assert!(!kept(&[b"\xff"]) && !kept(&[]));
        assert!(!kept(&[b"a", b"b"]), "two ids");
    }
}
