//! The routes of Algolia's search protocol, for clients that speak it. `docs/INSTANTSEARCH.md` describes them; the crate
//! `algolia-protocol` translates.
//!
//! Browsers send JSON as `text/plain`, which needs no CORS preflight request, so the handlers ignore the content type.

mod events;
mod objects;
mod recommendations;
mod reply;
mod searches;

use std::sync::Arc;

use access::Scope;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};
use runtime::{Requirement, Routes};
use tower_http::decompression::RequestDecompressionLayer;
use utoipa::openapi::OpenApi;

use crate::search_service::SearchService;

/// Returns the routes, all of which need the scope of searches.
pub(crate) fn routes() -> Routes<Arc<SearchService>> {
    let needs = Requirement::Scope(Scope::Search);
    let posts = [
        ("/1/indexes/{index}/queries", post(searches::queries)),
        ("/1/indexes/{index}/query", post(searches::query)),
        ("/1/indexes/{index}/facets/{facet}/query", post(searches::facet_query)),
        ("/1/indexes/{index}/objects", post(objects::objects)),
        ("/1/indexes/{index}/recommendations", post(recommendations::recommendations)),
        ("/1/events", post(events::events)),
    ];
    let routes = Routes::with_openapi(OpenApi::default()).undocumented(
        "/1/indexes/{index}/{object}",
        Method::GET,
        needs,
        get(objects::object),
    );
    // Clients in Node.js compress bodies. The size limit applies to the decompressed body.
    let add = |routes: Routes<_>, (path, handler): (_, MethodRouter<_>)| {
        routes.undocumented(path, Method::POST, needs, handler.layer(RequestDecompressionLayer::new()))
    };
    posts.into_iter().fold(routes, add)
}
