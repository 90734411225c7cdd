//! Responses with a page.

use axum::http::header::{CONTENT_SECURITY_POLICY, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use storefront::Storefront;

/// Returns a page with the policy of the storefront.
pub(super) fn page(storefront: &Storefront, status: StatusCode, html: String) -> Response {
    let mut response = (status, [(VARY, "accept-language")], Html(html)).into_response();
    // Origins consist of characters that headers may have.
    if let Ok(policy) = HeaderValue::try_from(storefront.content_security_policy()) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}
