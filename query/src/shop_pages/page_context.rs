//! The language of a page, and the address of the service as the browser sees it.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, HOST};
use axum::http::request::Parts;
use domain::Currency;
use storefront::{PageContext, Storefront, UiLanguage};

/// Reads the language from the parameter `language`, or else from the browser's preference, and the address.
pub(super) fn read(storefront: &Storefront, currency: Currency, parts: &Parts) -> PageContext {
    let query = parts.uri.query().unwrap_or_default();
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let chosen =
        parameters.find(|(name, _)| name == "language").and_then(|(_, code)| UiLanguage::parse(&code));
    let preferred = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    PageContext {
        language: chosen.unwrap_or_else(|| UiLanguage::of_header(preferred.unwrap_or_default())),
        names_language: chosen.is_some(),
        base: base(storefront, &parts.headers),
        currency,
    }
}

/// Returns the address of the service without a slash at the end: the configured one, or else that of the request's `Host` header.
pub(super) fn base(storefront: &Storefront, headers: &HeaderMap) -> Option<String> {
    let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let of_request = || {
        let host = headers.get(HOST)?.to_str().ok()?;
        (!host.is_empty() && host.bytes().all(is_of_host)).then(|| format!("http://{host}"))
    };
    storefront.url.clone().or_else(of_request)
}
