//! Response headers that keep browsers from misusing what the service returns.
//!
//! They follow OWASP's Secure Headers Project. `Strict-Transport-Security` is left to whoever terminates TLS.

use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};

/// The policy of pages. The page at `/` has styles and an icon of its own, and so has Swagger UI, which also calls the service.
const OF_PAGES: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";
/// The policy of everything else, which loads nothing.
const OF_DATA: &str = "default-src 'none'; frame-ancestors 'none'";

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Adds the headers. A page may bring a stricter policy of its own. A response without `cache-control` gets `no-store`, or `no-cache`
/// if it has an `ETag` or is part of a page, so that it is revalidated before use.
pub(crate) async fn add_safe_headers(mut response: Response) -> Response {
    let status = response.status();
    let headers = response.headers_mut();
    let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let is_page = kind.starts_with(b"text/html");
    let is_part_of_page = ["text/", "image/", "application/javascript"];
    let is_part_of_page = is_part_of_page.iter().any(|start| kind.starts_with(start.as_bytes()));
    let is_metrics = kind.starts_with(b"text/plain");
    let may_be_stored = status == StatusCode::NOT_MODIFIED
        || status.is_success() && (is_part_of_page && !is_metrics || headers.contains_key(ETAG));
    let caching = if may_be_stored { "no-cache" } else { "no-store" };
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static(caching));
    let policy = if is_page { OF_PAGES } else { OF_DATA };
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(policy));
    for (name, value) in
        [(X_CONTENT_TYPE_OPTIONS, "nosniff"), (X_FRAME_OPTIONS, "DENY"), (REFERRER_POLICY, "no-referrer")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_page {
        headers.insert(CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin"));
        let none = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
        headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(none));
    }
    response
}
