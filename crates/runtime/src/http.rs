//! The router of a service: its own routes, the common ones, and the middleware around both.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use access::Scope;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{AGE, ALLOW, CONNECTION, ETAG, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowHeaders, Any as AnyOf, CorsLayer};
use tower_http::timeout::TimeoutLayer;
use utoipa::openapi::OpenApi;

use crate::Problem;
use crate::access::{AccessState, Guard, check_access, hide_from_other_sites};
use crate::algolia::convert_problems;
use crate::audit;
use crate::health::{self, Gauges, Part, QueueProbe, Vitals};
pub use crate::landing::HomePage;
use crate::landing::Landing;
use crate::observe::observe;
use crate::problem::problems_for_bare_errors;
use crate::request_id;
pub use crate::request_id::REQUEST_ID;
use crate::routes::{Requirement, Requirements, Routes, add_security_schemes, require_credentials};
use crate::safe_headers::add_safe_headers;
use crate::server_timing::SERVER_TIMING;
use crate::trace_context::TRACERESPONSE;

/// The maximum size of a body that is read as a whole, in bytes. Streamed bodies have no limit.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The time limit from a request to the start of its response.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The response header of a write with its sync token, and the request header of searches that must see the write.
pub const SYNC_TOKEN: HeaderName = HeaderName::from_static("noren-sync-token");

/// The response header that tells how caches handled a request, RFC 9211.
pub const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// The response header that tells in a word whether a response comes from memory: `HIT`, `MISS` or `STALE`.
pub const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

/// The response headers that scripts of other sites may read.
pub const EXPOSED_HEADERS: [HeaderName; 17] = [
    AGE,
    CACHE_STATUS,
    ETAG,
    LOCATION,
    RETRY_AFTER,
    ALLOW,
    WWW_AUTHENTICATE,
    REQUEST_ID,
    SERVER_TIMING,
    SYNC_TOKEN,
    TRACERESPONSE,
    X_CACHE,
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-reset"),
];

/// The parts of a service.
#[derive(Default)]
pub struct Service {
    /// Decides who may use the service.
    pub guard: Guard,
    /// The routes of the service.
    pub routes: Routes,
    /// Routes for uploads: without a time limit, for bodies of any size.
    pub uploads: Routes,
    /// True for a service with a public API: `/openapi.json` and `/docs` describe its routes.
    pub is_documented: bool,
    /// The title of the page at `/`, for a service that is not documented.
    pub title: &'static str,
    /// The page at `/`, in place of the page of links. It may search, so `/` then needs the scope of searches.
    pub home: Option<HomePage>,
    /// The parts that must be ready.
    pub parts: Vec<Part>,
    /// Gauges that are set when `/metrics` is read.
    pub gauges: Vec<Gauges>,
    /// The queue whose depth `/health/ready` and `/metrics` report.
    pub queue: Option<QueueProbe>,
}

impl Service {
    /// Builds the router: the routes of the service, `/` with links to them, `/health/*`, `/metrics`, `/openapi.json` and,
    /// with the feature `docs`, `/docs`; with access control, request ids, logs, metrics, CORS, gzip, time limits, body
    /// limits and problem documents.
    pub fn into_router(self) -> Router {
        self.into_router_with_requirements().0
    }

    /// Builds the router, and returns what its routes require.
    pub fn into_router_with_requirements(self) -> (Router, Arc<Requirements>) {
        crate::telemetry::metrics();
        health::describe_metrics();
        crate::server::describe_metrics();
        let vitals = Vitals {
            parts: self.parts.into(),
            gauges: self.gauges.into(),
            queue: self.queue,
            ..Vitals::default()
        };
        let (uploads, upload_requirements, described) = self.uploads.into_parts();
        let mut openapi = self.routes.openapi().clone();
        openapi.merge(described);
        add_security_schemes(&mut openapi);
        let landing = Landing::new(&openapi, self.is_documented, self.guard.keyring().is_some(), self.title);
        let mut requirements = self.routes.requirements().clone();
        requirements.merge(upload_requirements.clone());
        require_credentials(&mut openapi, &requirements, |scope| self.guard.is_open(scope));
        let pages = match self.is_documented {
            true => documents(openapi),
            false => Router::new(),
        };
        let needs = match self.home {
            Some(_) => Requirement::Scope(Scope::Search),
            None => Requirement::Public,
        };
        let routes = self
            .routes
            .merge(probes(&vitals))
            .undocumented(
                "/metrics",
                Method::GET,
                Requirement::Scope(Scope::Admin),
                get(health::metrics).with_state(vitals),
            )
            .merge_pages(needs, landing.routes(self.home), &["/"])
            .merge_pages(Requirement::Public, pages, &["/openapi.json", "/docs", "/docs/", "/docs/{*rest}"]);
        let (router, mut requirements, _) = routes.into_parts();
        requirements.merge(upload_requirements);
        let requirements = Arc::new(requirements);
        let state = (self.guard, Arc::clone(&requirements));
        let router = router
            .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
            .merge(uploads)
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
        (around(router, state), requirements)
    }
}

/// Returns the router of a program that is not ready yet. `routes` handle every path except the probes, which report the state of
/// `parts`, with reasons only for those whom `guard` knows as operators.
pub(crate) fn router_of_start(routes: Router, parts: Vec<Part>, guard: Guard) -> Router {
    crate::telemetry::metrics();
    let vitals = Vitals { parts: parts.into(), ..Vitals::default() };
    let (probes, requirements, _) =
        probes(&vitals).merge_pages(Requirement::Public, routes, &["/", "/{*path}"]).into_parts();
    around(probes, (guard, Arc::new(requirements))).layer(map_response(close_connection))
}

/// Announces the end of the connection: the server of a start ends when the program is ready.
async fn close_connection(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Returns the routes of probes.
fn probes(vitals: &Vitals) -> Routes {
    let ready = get(health::ready).with_state(vitals.clone());
    let overview = get(health::overview).with_state(vitals.clone());
    Routes::default()
        .undocumented("/health", Method::GET, Requirement::Public, overview)
        .undocumented("/health/live", Method::GET, Requirement::Public, get(health::live))
        .undocumented("/health/ready", Method::GET, Requirement::Public, ready)
}

/// Adds the layers that all requests pass.
fn around(router: Router, state: AccessState) -> Router {
    router
        .layer(CatchPanicLayer::custom(problem_of_panic))
        .layer(map_response(problems_for_bare_errors))
        // Once before problems are compressed, and once more for those of access control.
        .layer(from_fn(convert_problems))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(state.clone(), check_access))
        .layer(from_fn(convert_problems))
        .layer(from_fn_with_state((Arc::clone(&state.1), Arc::default()), audit::record))
        .layer(cors())
        .layer(from_fn_with_state(state, hide_from_other_sites))
        .layer(map_response(add_safe_headers))
        .layer(from_fn(observe))
        .layer(from_fn(request_id::assign))
}

/// Returns the routes `/openapi.json` and, with the feature `docs`, `/docs`.
#[cfg(feature = "docs")]
fn documents(openapi: OpenApi) -> Router {
    utoipa_swagger_ui::SwaggerUi::new("/docs").url("/openapi.json", openapi).into()
}

#[cfg(not(feature = "docs"))]
fn documents(openapi: OpenApi) -> Router {
    Router::new().route("/openapi.json", get(async move || axum::Json(openapi)))
}

/// Allows pages of any site to call the API; [`hide_from_other_sites`] takes back what only some sites may use. The API has no
/// cookies, so a page has no more rights than the key that it has.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AnyOf)
        .allow_methods(AnyOf)
        // The wildcard does not cover `Authorization`.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(EXPOSED_HEADERS)
        .max_age(Duration::from_secs(3600))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer wants a function that takes the panic itself")]
fn problem_of_panic(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    tracing::error!(panic.message = text, "a request made the service panic; this is a defect");
    Problem::internal().into_response()
}
