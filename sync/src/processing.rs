//! The spans of a batch, which continue the traces of its writes.

use runtime::telemetry::traces;
use tracing::Span;
use tracing::field::Empty;

use crate::batch::{Batch, Settlement};

/// A batch that is being processed. Its span is part of the trace of its messages if they have one in common, and has links to them
/// otherwise; then each sampled trace among them has a span of the same name.
pub(crate) struct Processing {
    span: Span,
    /// Held until the batch ends.
    _of_messages: Vec<Span>,
}

impl Processing {
    /// Begins the spans of a batch from the queue of this kind.
    pub(crate) fn of(batch: &Batch, queue: &'static str) -> Self {
        if !traces::is_on() {
            return Self { span: Span::none(), _of_messages: Vec::new() };
        }
        let span = process_span(queue, batch.len(), batch.receives());
        let of_messages = traces::follow(&span, batch.traces(), || process_span(queue, 1, 1));
        Self { span, _of_messages: of_messages }
    }

    /// Returns the span of the batch.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Ends the spans with the result.
    pub(crate) fn end(self, settlement: &Settlement) {
        self.span.record("noren.acknowledged", settlement.acknowledged.len());
        self.span.record("noren.retried", settlement.retried.len());
    }
}

fn process_span(queue: &'static str, messages: usize, receives: u32) -> Span {
    tracing::info_span!(
        target: "noren::trace",
        parent: None,
        "queue.process",
        otel.kind = "consumer",
        messaging.system = queue,
        messaging.operation.name = "process",
        messaging.operation.r#type = "process",
        messaging.batch.message_count = messages,
        noren.receives = receives,
        noren.acknowledged = Empty,
        noren.retried = Empty,
    )
}
