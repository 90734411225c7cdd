//! The router of a service: its own routes, the common ones, and the middleware around both.

use std::any::Any;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{ALLOW, ETAG, HOST, LOCATION, ORIGIN, RETRY_AFTER};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, StatusCode, Uri};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any as AnyOf, CorsLayer};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tracing::Instrument;
use utoipa::openapi::OpenApi;

use crate::Problem;
use crate::health::{self, Gauges, Part, QueueProbe, Vitals};
use crate::landing::Landing;
use crate::problem::problems_for_bare_errors;

/// The maximum size of a body that is read as a whole, in bytes. Streamed bodies have no limit.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The time limit from a request to the start of its response.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The response header of a write with its sync token, and the request header of searches that must see the write.
pub const SYNC_TOKEN: HeaderName = HeaderName::from_static("noren-sync-token");

/// The header of a request and its response with the id under which the request is logged.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The response headers that scripts of other sites may read.
pub const EXPOSED_HEADERS: [HeaderName; 6] = [ETAG, LOCATION, RETRY_AFTER, ALLOW, REQUEST_ID, SYNC_TOKEN];

/// The relation between the page that sent a request and this site. Browsers set it; scripts cannot.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The prefix of the routes for operators.
const ADMIN: &str = "/admin/";

/// The parts of a service.
#[derive(Default)]
pub struct Service {
    /// The routes of the service.
    pub routes: Router,
    /// Routes for uploads: without a time limit, for bodies of any size.
    pub uploads: Router,
    /// The OpenAPI document of these routes, served at `/openapi.json`, if the service has a public API.
    pub openapi: Option<OpenApi>,
    /// True for a program that is not ready yet, whose `routes` respond at `/` and everywhere else.
    pub is_starting: bool,
    /// The title of the page at `/`, for a service without an OpenAPI document.
    pub title: &'static str,
    /// Addresses that the page at `/` lists besides those of the OpenAPI document.
    pub undocumented: Vec<String>,
    /// The parts that must be ready.
    pub parts: Vec<Part>,
    /// Gauges that are set when `/metrics` is read.
    pub gauges: Vec<Gauges>,
    /// The queue whose depth `/health/ready` and `/metrics` report.
    pub queue: Option<QueueProbe>,
}

impl Service {
    /// Builds the router: the routes of the service, `/` with links to them, `/health/*`, `/metrics`, `/openapi.json` and,
    /// with the feature `docs`, `/docs`; with request ids, logs, metrics, CORS, gzip, time limits, body limits and problem documents. Requests from
    /// pages of other sites to `/admin/` are rejected.
    pub fn into_router(self) -> Router {
        crate::telemetry::metrics();
        health::describe_metrics();
        let vitals = Vitals { parts: self.parts.into(), gauges: self.gauges.into(), queue: self.queue };
        let landing = match self.is_starting {
            true => Router::new(),
            false => Landing::new(self.openapi.as_ref(), self.title, &self.undocumented).routes(),
        };
        let mut router = self
            .routes
            .merge(landing)
            .route("/health/live", get(health::live))
            .route("/health/ready", get(health::ready).with_state(vitals.clone()))
            .route("/metrics", get(health::metrics).with_state(vitals));
        if let Some(openapi) = self.openapi {
            router = router.merge(documents(openapi));
        }
        router
            .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
            .merge(self.uploads)
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .layer(CatchPanicLayer::custom(problem_of_panic))
            .layer(map_response(problems_for_bare_errors))
            .layer(CompressionLayer::new())
            .layer(cors())
            .layer(from_fn(operators_only))
            .layer(from_fn(observe))
            .layer(PropagateRequestIdLayer::new(REQUEST_ID))
            .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
    }
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

/// Allows pages of any site to call the API, except `/admin/`. This is safe since the API has no cookies: access is
/// controlled in front of the service.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AnyOf)
        .allow_methods(AnyOf)
        .allow_headers(AnyOf)
        .expose_headers(EXPOSED_HEADERS)
        .max_age(Duration::from_secs(3600))
}

/// Rejects requests to `/admin/` from pages of other sites: a page in the browser of an operator reaches every address
/// that the operator reaches. Clients other than browsers send no origin.
async fn operators_only(request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with(ADMIN) {
        return next.run(request).await;
    }
    if !is_of_an_operator(request.uri(), request.headers()) {
        let detail = "pages of other sites cannot use this address; use `noren`, or curl";
        return Problem::new(StatusCode::FORBIDDEN, detail).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let of_cors: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    for name in of_cors {
        headers.remove(name);
    }
    response
}

/// Returns true if a request comes from no page, or from a page of this service. The host of the page must be an IP
/// address or `localhost`: the owner of any other name could make it resolve to this service (DNS rebinding).
fn is_of_an_operator(uri: &Uri, headers: &HeaderMap) -> bool {
    if headers.get(SEC_FETCH_SITE).is_some_and(|site| site != "same-origin" && site != "none") {
        return false;
    }
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let Some(origin) = origin.as_ref().and_then(Uri::authority) else { return false };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(Authority::as_str));
    let name = origin.host().trim_start_matches('[').trim_end_matches(']');
    let is_no_name = name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok();
    is_no_name && host.is_some_and(|host| host.eq_ignore_ascii_case(origin.as_str()))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer wants a function that takes the panic itself")]
fn problem_of_panic(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    tracing::error!(panic.message = text, "a request made the service panic; this is a defect");
    Problem::internal().into_response()
}

/// Adds the request id to all log lines of a request, and records its metrics.
async fn observe(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    let span = tracing::info_span!("request", request.id = id.unwrap_or_default());
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let begun = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    let seconds = begun.elapsed().as_secs_f64();
    let labels =
        [("method", method_label(&method)), ("path", path.clone()), ("status", status.as_u16().to_string())];
    metrics::counter!("noren_http_requests_total", &labels).increment(1);
    metrics::histogram!("noren_http_request_seconds", "path" => path.clone()).record(seconds);
    span.in_scope(|| {
        let took_ms = (seconds * 1e6).round() / 1e3;
        match status.is_server_error() {
            true => {
                tracing::warn!(http.method = %method, http.path = path, http.status = status.as_u16(), took_ms, "request failed");
            }
            false => {
                tracing::debug!(http.method = %method, http.path = path, http.status = status.as_u16(), took_ms, "request");
            }
        }
    });
    response
}

/// Returns the method as a label. Unknown methods share one, so that clients cannot create labels.
fn method_label(method: &http::Method) -> String {
    use http::Method;
    let known = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ];
    if known.contains(method) { method.as_str().to_owned() } else { "other".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_let_in(headers: &[(HeaderName, &str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        is_of_an_operator(&Uri::from_static("/admin/verify"), &headers)
    }

    #[test]
    fn only_pages_of_the_service_itself_may_use_admin_routes() {
        assert!(is_let_in(&[]) && is_let_in(&[(HOST, "noren-sync:8082")]), "no browser");
        for own in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "10.0.0.7"] {
            assert!(is_let_in(&[(HOST, own), (ORIGIN, &format!("http://{own}"))]), "{own}");
        }
        for origin in ["http://evil.example", "http://127.0.0.1:9000", "https://localhost", "null", ""] {
            assert!(!is_let_in(&[(HOST, "127.0.0.1:8080"), (ORIGIN, origin)]), "{origin}");
        }
        let rebound = [(HOST, "evil.example:8080"), (ORIGIN, "http://evil.example:8080")];
        assert!(!is_let_in(&rebound), "a name that resolves to this service");
        assert!(!is_let_in(&[(ORIGIN, "http://127.0.0.1:8080")]), "the requested host is unknown");
    }

    #[test]
    fn a_request_that_a_browser_marks_as_cross_site_is_rejected() {
        let host = (HOST, "127.0.0.1:8080");
        for (site, let_in) in
            [("none", true), ("same-origin", true), ("same-site", false), ("cross-site", false)]
        {
            assert_eq!(is_let_in(&[host.clone(), (SEC_FETCH_SITE, site)]), let_in, "{site}");
        }
    }
}
