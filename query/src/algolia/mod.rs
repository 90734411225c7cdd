//! The routes of Algolia's search protocol, for clients that speak it. `docs/INSTANTSEARCH.md` describes them; the crate
//! `algolia-protocol` translates.
//!
//! Clients send JSON with other content types, so that browsers ask for no permission first; the bodies are read whatever their type.

mod events;
mod objects;
mod recommendations;
mod searches;

use std::sync::Arc;

use access::Scope;
use algolia_protocol::request::RequestError;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use runtime::{Problem, Requirement, Routes};
use serde_json::Value;
use utoipa::openapi::OpenApi;

use crate::http::json_response;
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
    let add = |routes: Routes<_>, (path, handler)| routes.undocumented(path, Method::POST, needs, handler);
    posts.into_iter().fold(routes, add)
}

/// Returns the problem of a request that cannot be answered.
#[expect(clippy::needless_pass_by_value, reason = "a function for `map_err`")]
fn refused(error: RequestError) -> Problem {
    let status = match error {
        RequestError::Invalid(_) => StatusCode::BAD_REQUEST,
        RequestError::UnknownIndex(_) => StatusCode::NOT_FOUND,
    };
    Problem::new(status, error.to_string())
}

fn json(value: &Value) -> Response {
    json_response(value.to_string())
}
