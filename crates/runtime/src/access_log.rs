//! The access log, with one line per request; and the metrics of the same requests.
//!
//! A line has the method, the route, the status, the bytes of the body that were handed to the connection, the duration until the last of
//! them, and from the span of the request its id, its trace and the principal. It has no query string, no header and no body.

use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{Method, StatusCode};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tracing::Span;

use crate::config::AccessLog;

/// The target of the lines.
pub(crate) const TARGET: &str = "noren::access";

/// The status in metrics of a request whose client left before the response, as nginx has it.
const CLIENT_LEFT: u16 = 499;

/// The setting of this process.
static SETTING: OnceLock<AccessLog> = OnceLock::new();

/// Requests so far, to choose a sample of them.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// Sets which requests have a line. A second call in one process, as in tests, has no effect.
pub(crate) fn set(setting: AccessLog) {
    let _ = SETTING.set(setting);
}

/// Returns true if a request has a line. Sampling does not concern 5xx responses.
fn is_logged(is_failure: bool) -> bool {
    let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
    is_failure
        || tracing::enabled!(target: TARGET, tracing::Level::INFO)
            && match SETTING.get() {
                None | Some(AccessLog::All) => true,
                Some(AccessLog::Sampled(one_in)) => number.is_multiple_of(one_in.get()),
                Some(AccessLog::Off) => false,
            }
}

/// A request as its line names it. If it is dropped before it has a response, its client has left.
pub(crate) struct Line(Option<Request>);

struct Request {
    method: &'static str,
    is_head: bool,
    route: String,
    begun: Instant,
    span: Span,
}

impl Line {
    pub(crate) fn new(method: &Method, route: String, begun: Instant, span: Span) -> Self {
        let is_head = *method == Method::HEAD;
        Self(Some(Request { method: known_method(method).unwrap_or("other"), is_head, route, begun, span }))
    }

    /// Counts the request and its duration until the head of its response. Wraps the response so that its line is written when the body
    /// ends or is dropped.
    pub(crate) fn at_end_of(mut self, response: Response) -> Response {
        let Some(request) = self.0.take() else { return response };
        let status = response.status();
        request.count(status.as_u16());
        if !is_logged(status.is_server_error()) {
            return response;
        }
        response.map(|body| {
            // A HEAD response has no body to complete.
            let is_whole = request.is_head || body.is_end_stream();
            let pending = Pending { request, status: Some(status), bytes: 0, is_whole };
            Body::new(Watched { body, pending })
        })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Some(request) = self.0.take() else { return };
        request.count(CLIENT_LEFT);
        if is_logged(false) {
            drop(Pending { request, status: None, bytes: 0, is_whole: false });
        }
    }
}

impl Request {
    fn count(&self, status: u16) {
        let labels = [
            ("method", self.method.to_owned()),
            ("path", self.route.clone()),
            ("status", status.to_string()),
        ];
        metrics::counter!("noren_http_requests_total", &labels).increment(1);
        let seconds = self.begun.elapsed().as_secs_f64();
        metrics::histogram!("noren_http_request_seconds", "path" => self.route.clone()).record(seconds);
    }
}

/// Returns the method as a label. Unknown methods have none, so that clients can neither create labels nor fill the log.
pub(crate) fn known_method(method: &Method) -> Option<&'static str> {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str())
}

/// A line to be written when the response has been sent, or has broken off.
struct Pending {
    request: Request,
    /// Absent if the client left before the response.
    status: Option<StatusCode>,
    bytes: u64,
    is_whole: bool,
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Self { request: Request { method, route, begun, span, .. }, status, bytes, is_whole } = self;
        let took_ms = (begun.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        let is_failure = status.is_some_and(|status| status.is_server_error());
        let status = status.map(|status| status.as_u16());
        let aborted = (!*is_whole).then_some(true);
        let function = crate::function::facts();
        macro_rules! line {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    target: TARGET,
                    {
                        http.method = *method,
                        http.route = route.as_str(),
                        http.status = status,
                        http.bytes = *bytes,
                        http.aborted = aborted,
                        took_ms,
                        function.name = function.as_ref().map(|function| function.name),
                        function.version = function.as_ref().map(|function| function.version),
                        function.stage = function.as_ref().map(|function| function.stage),
                        function.cold_start = function.as_ref().map(|function| function.is_cold_start),
                        function.memory_mb = function.as_ref().map(|function| function.memory_mb)
                    },
                    $message
                )
            };
        }
        span.in_scope(|| match is_failure {
            true => line!(warn, "request failed"),
            false => line!(info, "request"),
        });
    }
}

/// A body that counts its bytes.
struct Watched {
    body: Body,
    pending: Pending,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.pending.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                // A server does not poll again after the last frame of a body whose length it knows.
                self.pending.is_whole = self.body.is_end_stream();
            }
            Poll::Ready(None) => self.pending.is_whole = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
