//! Responses with a page.

use axum::http::header::{CONTENT_SECURITY_POLICY, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use storefront::Storefront;

/// Returns a page with the policy of the storefront.
pub(super) fn page(storefront: &Storefront, status: StatusCode, html: String) -> Response {
    // Origins consist of characters that headers allow. Otherwise the page would load no scripts, styles or images.
    let policy = HeaderValue::try_from(storefront.content_security_policy())
        .unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers = [(VARY, HeaderValue::from_static("accept-language")), (CONTENT_SECURITY_POLICY, policy)];
    (status, headers, Html(html)).into_response()
}
