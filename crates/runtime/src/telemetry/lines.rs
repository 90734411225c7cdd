//! The lines of the log: for people on a terminal, JSON for programs.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Full, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::audit::TARGET;

/// Formats an event for people, except one of the audit log, which is for programs.
pub(super) struct ForPeople {
    text: Format<Full>,
    audit: JsonLines,
}

impl ForPeople {
    pub(super) fn of(service: &'static str) -> Self {
        Self { text: tracing_subscriber::fmt::format().with_target(false), audit: JsonLines { service } }
    }
}

impl<S, N> FormatEvent<S, N> for ForPeople
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        match event.metadata().target() {
            TARGET => self.audit.format_event(context, writer, event),
            _ => self.text.format_event(context, writer, event),
        }
    }
}

/// Formats an event as one JSON object a line: `timestamp level message service`, for the audit log `target`, then the fields of
/// the event and of its spans, such as `request.id`.
pub(super) struct JsonLines {
    pub(super) service: &'static str,
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        for span in context.event_scope().into_iter().flatten() {
            if let Some(formatted) = span.extensions().get::<FormattedFields<JsonFields>>()
                && let Ok(Value::Object(of_span)) = serde_json::from_str(formatted.fields.as_str())
            {
                for (name, value) in of_span {
                    fields.0.entry(name).or_insert(value);
                }
            }
        }
        let message = fields.0.remove("message").unwrap_or_default();
        let mut line = Map::new();
        line.insert("timestamp".into(), timestamp().into());
        line.insert("level".into(), event.metadata().level().as_str().into());
        line.insert("message".into(), message);
        line.insert("service".into(), self.service.into());
        if event.metadata().target() == TARGET {
            line.insert("target".into(), TARGET.into());
        }
        line.extend(fields.0);
        writeln!(writer, "{}", Value::Object(line))
    }
}

fn timestamp() -> String {
    use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
    let mut text = String::new();
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().into(), format!("{value:?}").into());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().into(), value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().into(), value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().into(), value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().into(), value.into());
    }
}
