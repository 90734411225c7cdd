//! The outermost layer: the span and the trace of a request, its line in the access log, its metrics, and `Server-Timing`.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderValue, Method};
use opentelemetry::trace::SpanContext;
use tower_http::request_id::RequestId;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::access_log::{self, known_method};
use crate::server_timing::{SERVER_TIMING, Timings};
use crate::telemetry::traces;
use crate::trace_context::{self, TRACEPARENT, TRACERESPONSE};

/// The longest path of a span, in characters: longer than that of any route with a valid id.
const MAX_PATH_CHARS: usize = 1000;
/// The route label of a request that matches no route.
const UNMATCHED: &str = "unmatched";

/// Gives the request its spans. The `traceparent` header of a write becomes that of the server span; it is stored with the change and
/// returned as `traceresponse`.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str).to_owned();
    let sender = trace_context::from_headers(request.headers());
    let server = server_span(&method, &route, &request, sender.as_ref());
    let position = traces::context_of(&server).unwrap_or_else(|| trace_context::next(sender.as_ref()));
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    // Of the highest level, so that the lines of a request have its id whatever `RUST_LOG` says.
    let span = tracing::error_span!(
        "request",
        request.id = id.unwrap_or_default(),
        trace.id = %position.trace_id(),
        principal = Empty
    );
    let traceparent =
        (!method.is_safe()).then(|| HeaderValue::try_from(trace_context::format(&position)).ok()).flatten();
    if let Some(traceparent) = &traceparent {
        request.headers_mut().insert(TRACEPARENT, traceparent.clone());
    }
    let timings = Timings::default();
    let line = access_log::Line::new(&method, route, begun, span.clone());
    let mut response = timings
        .during(next.run(request))
        .instrument(span)
        // The log span is inside the server span, which exists only while traces are on.
        .instrument(server.clone())
        .await;
    record_status(&server, &response);
    let headers = response.headers_mut();
    if let Some(traceresponse) = traceparent {
        headers.insert(TRACERESPONSE, traceresponse);
    }
    if let Some(timing) = timings.header() {
        headers.insert(SERVER_TIMING, timing);
    }
    line.at_end_of(response)
}

/// Begins the span of the server, see <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>.
fn server_span(method: &Method, route: &str, request: &Request, sender: Option<&SpanContext>) -> Span {
    // Health checks and metrics are requested every few seconds.
    if !traces::is_on() || route.starts_with("/health") || route == "/metrics" {
        return Span::none();
    }
    // A client must not fill the memory with names of its own; the specification has this one for unknown methods.
    let method = known_method(method).unwrap_or("_OTHER");
    let name = match route {
        UNMATCHED => method.to_owned(),
        route => format!("{method} {route}"),
    };
    let span = tracing::info_span!(
        target: "noren::trace",
        parent: None,
        "server",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        url.path = shown_path(request.uri().path()),
        http.response.status_code = Empty,
        error.r#type = Empty,
    );
    if let Some(sender) = sender {
        traces::set_parent(&span, sender);
    }
    span
}

/// Returns the beginning of a path, in which a key in the place of an id is cut, so that it does not leave the service.
fn shown_path(path: &str) -> String {
    let start: String = path.chars().take(MAX_PATH_CHARS).collect();
    start.split('/').map(access::without_secret).collect::<Vec<_>>().join("/")
}

fn record_status(server: &Span, response: &Response) {
    if server.is_none() {
        return;
    }
    let status = response.status();
    server.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        server.record("otel.status_code", "ERROR");
        server.record("error.type", status.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_span_is_short_and_has_no_secret() {
        let id = "0123456789abcdef";
        let path = format!("/products/nrn_{id}_{}/images", "s".repeat(43));
        assert!(!shown_path(&path).contains("sss"), "{}", shown_path(&path));
        assert_eq!(shown_path("/products/lamp-1"), "/products/lamp-1");
        assert_eq!(shown_path(&"é".repeat(60_000)).chars().count(), MAX_PATH_CHARS);
    }
}
