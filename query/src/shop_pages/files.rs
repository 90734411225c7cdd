//! The files that pages load, and the drawn pictures of products.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::RawQuery;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use runtime::{Requirement, Routes};
use storefront::files::{FILES, File};
use storefront::picture::Picture;

use crate::search_service::SearchService;

/// The caching of an address that names the version of a file.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// The caching of a picture, which another version of the program may draw differently.
const A_DAY: &str = "public, max-age=86400";
/// The caching of an address that names no version.
const REVALIDATE: &str = "no-cache";

/// Adds the routes of the files.
pub(super) fn add(routes: Routes<Arc<SearchService>>) -> Routes<Arc<SearchService>> {
    let routes = FILES.iter().fold(routes, |routes, file| {
        let handler =
            get(async move |RawQuery(query), headers: HeaderMap| serve(file, query.as_deref(), &headers));
        routes.undocumented(&format!("/{}", file.path), Method::GET, Requirement::Public, handler)
    });
    routes.undocumented("/shop/picture.svg", Method::GET, Requirement::Public, get(picture))
}

fn serve(file: &'static File, query: Option<&str>, headers: &HeaderMap) -> Response {
    let names_version = query.and_then(|query| query.strip_prefix("v=")) == Some(&file.version);
    let caching = if names_version { FOREVER } else { REVALIDATE };
    let head = [(CONTENT_TYPE, file.content_type), (CACHE_CONTROL, caching), (VARY, "accept-encoding")];
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_gzip = |coding: &str| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim() == "gzip"
            && !matches!(weight.replace(' ', "").as_str(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    };
    // Files are compressed in advance: the layer around all routes would compress the same bytes for each request.
    match accepted.split(',').any(is_gzip) {
        true => (head, [(CONTENT_ENCODING, "gzip")], &*file.gzip).into_response(),
        false => (head, file.bytes).into_response(),
    }
}

/// Draws a picture by the parameters `name`, `category` and `colour`.
async fn picture(RawQuery(query): RawQuery) -> Response {
    let mut picture = Picture { name: Cow::Borrowed(""), category: None, colour: None };
    let query = query.unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "name" => picture.name = value,
            "category" => picture.category = Some(value),
            "colour" => picture.colour = Some(value),
            _ => {}
        }
    }
    ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, A_DAY)], picture.svg()).into_response()
}
