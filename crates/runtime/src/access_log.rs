//! The access log: one line a request, with what an operator asks first.
//!
//! A line has the method, the route, the status, the bytes of the body as sent, the duration until the last of them, and from the span
//! of the request its id, its trace and the principal. It has no query string, no header and no body.

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

/// The setting of this process.
static SETTING: OnceLock<AccessLog> = OnceLock::new();

/// Requests so far, to choose a sample of them.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// Sets which requests have a line. A second call in one process, as in tests, has no effect.
pub(crate) fn set(setting: AccessLog) {
    let _ = SETTING.set(setting);
}

/// Returns true if a request with this status has a line. A failed one always has.
fn is_logged(status: StatusCode) -> bool {
    let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
    status.is_server_error()
        || tracing::enabled!(target: TARGET, tracing::Level::INFO)
            && match SETTING.get() {
                None | Some(AccessLog::All) => true,
                Some(AccessLog::Sampled(one_in)) => number.is_multiple_of(one_in.get()),
                Some(AccessLog::Off) => false,
            }
}

/// A request as its line names it.
pub(crate) struct Line {
    pub(crate) method: Method,
    pub(crate) route: String,
    pub(crate) begun: Instant,
    pub(crate) span: Span,
}

impl Line {
    /// Returns the response, whose line is written at its end.
    pub(crate) fn at_end_of(self, response: Response) -> Response {
        let status = response.status();
        if !is_logged(status) {
            return response;
        }
        response.map(|body| {
            let pending = Pending { line: self, status, bytes: 0, is_whole: body.is_end_stream() };
            Body::new(Watched { body, pending })
        })
    }
}

/// A line to be written when the response has been sent, or has broken off.
struct Pending {
    line: Line,
    status: StatusCode,
    bytes: u64,
    is_whole: bool,
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Self { line: Line { method, route, begun, span }, status, bytes, is_whole } = self;
        let took_ms = (begun.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        let (status, is_failure) = (status.as_u16(), status.is_server_error());
        let aborted = (!*is_whole).then_some(true);
        let function = crate::function::facts();
        macro_rules! line {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    target: TARGET,
                    {
                        http.method = method.as_str(),
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
                // A server does not ask again after the last frame of a body whose length it knows.
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
