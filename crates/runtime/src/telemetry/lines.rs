//! The lines of the log: for people on a terminal, JSON for programs.

use std::fmt::{self, Write as _};

use serde_json::Value;
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
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields { message, mut members, names } = fields;
        for span in context.event_scope().into_iter().flatten() {
            if let Some(formatted) = span.extensions().get::<FormattedFields<JsonFields>>() {
                add_members_of_span(&mut members, &names, &formatted.fields);
            }
        }
        let (level, message) = (event.metadata().level(), text(&message));
        write!(writer, r#"{{"timestamp":"{}","level":"{level}","message":{message}"#, timestamp())?;
        write!(writer, r#","service":{}"#, text(self.service))?;
        if event.metadata().target() == TARGET {
            write!(writer, r#","target":{}"#, text(TARGET))?;
        }
        writeln!(writer, "{members}}}")
    }
}

/// Adds the fields of a span, a JSON object, to the members of a line, except those that the event has itself.
fn add_members_of_span(members: &mut String, names: &[&'static str], of_span: &str) {
    let inner = of_span.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or_default();
    if inner.is_empty() {
        return;
    }
    let may_repeat = |name: &&str| inner.contains(&format!("\"{name}\":"));
    if !names.iter().any(may_repeat) {
        // The common case: each request has a line, so it should cost little.
        members.push(',');
        members.push_str(inner);
        return;
    }
    let Ok(Value::Object(fields)) = serde_json::from_str(of_span) else { return };
    for (name, value) in fields.iter().filter(|(name, _)| !names.contains(&name.as_str())) {
        let _ = write!(members, ",{}:{value}", text(name));
    }
}

/// Returns a text as JSON.
fn text(text: &str) -> String {
    // A string can always be written.
    serde_json::to_string(text).unwrap_or_default()
}

fn timestamp() -> String {
    use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
    let mut text = String::new();
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

/// The fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    /// All others as members of a JSON object, each after a comma.
    members: String,
    names: Vec<&'static str>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: impl fmt::Display) {
        self.names.push(field.name());
        let _ = write!(self.members, ",{}:{value}", text(field.name()));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            _ => self.add(field, text(&format!("{value:?}"))),
        }
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            _ => self.add(field, text(value)),
        }
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinity.
        self.add(field, Value::from(value));
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }
}
