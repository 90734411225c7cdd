//! One call of a port.

use std::future::Future;
use std::time::Instant;

use domain::ports::{ListError, PortError, PortErrorKind, WriteError};
use runtime::server_timing::{self, Phase};
use runtime::telemetry::traces;
use tracing::{Instrument as _, Span};

/// Creates the span of a call, or none outside of a traced request.
pub(crate) fn span_of_call(make: impl FnOnce() -> Span) -> Span {
    if traces::is_on() && !Span::current().is_none() { make() } else { Span::none() }
}

/// Creates the span of a call with this name and kind. The given fields follow those that [`record_error`] fills.
macro_rules! call_span {
    ($name:literal, $kind:literal, $($fields:tt)*) => {
        tracing::info_span!(
            target: "noren::trace",
            $name,
            otel.kind = $kind,
            otel.status_code = tracing::field::Empty,
            otel.status_description = tracing::field::Empty,
            error.r#type = tracing::field::Empty,
            $($fields)*
        )
    };
}
pub(crate) use call_span;

/// Makes a call within its span, and adds its duration to those of the request.
pub(crate) async fn timed<R>(phase: Phase, span: &Span, call: impl Future<Output = R>) -> R {
    let begun = Instant::now();
    let result = call.instrument(span.clone()).await;
    server_timing::record(phase, begun.elapsed());
    result
}

/// Makes a call as [`timed`] does, and records its error in the span.
pub(crate) async fn watched<T, E: Failure>(
    phase: Phase,
    span: &Span,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let result = timed(phase, span, call).await;
    if let Err(error) = &result {
        record_error(span, error);
    }
    result
}

/// Records an error in the span of its call.
pub(crate) fn record_error(span: &Span, error: &impl Failure) {
    if span.is_none() {
        return;
    }
    let (kind, text) = error.describe();
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", text);
    span.record("error.type", kind);
}

/// An error that a span can record.
pub(crate) trait Failure {
    /// Returns the kind, and the error with its causes.
    fn describe(&self) -> (&'static str, String);
}

impl Failure for PortError {
    fn describe(&self) -> (&'static str, String) {
        let kind = match self.kind {
            PortErrorKind::Throttled => "throttled",
            PortErrorKind::Unavailable => "unavailable",
            PortErrorKind::Suspended => "suspended",
            PortErrorKind::Full => "full",
            PortErrorKind::Internal => "internal",
        };
        (kind, self.chain())
    }
}

impl Failure for ListError {
    fn describe(&self) -> (&'static str, String) {
        match self {
            Self::UnknownCursor => ("unknown_cursor", self.to_string()),
            Self::Failed(error) => error.describe(),
        }
    }
}

impl Failure for WriteError {
    fn describe(&self) -> (&'static str, String) {
        match self {
            Self::Conflict { .. } => ("conflict", self.to_string()),
            Self::SkuTaken { .. } => ("sku_taken", self.to_string()),
            Self::DuplicateKey => ("duplicate_key", self.to_string()),
            Self::Failed(error) => error.describe(),
        }
    }
}
