//! Logs for people on a terminal, JSON lines for programs otherwise; the audit log, in JSON lines always; metrics for Prometheus.

use std::fmt;
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;
use tracing_subscriber::fmt::format::{Format, Full, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::StartError;
use crate::audit::TARGET;
use crate::config::AuditLog;

/// The interval at which samples of histograms are sorted into buckets.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Starts metrics, and logging to standard error. Call it once per process, before anything else. `RUST_LOG` sets the level of all but
/// the audit log, which is on or off.
///
/// # Errors
/// When `RUST_LOG` cannot be read.
pub fn start(service: &'static str, audit: AuditLog) -> Result<(), StartError> {
    // Metrics that are recorded before the recorder is installed are lost.
    metrics();
    let filter = match std::env::var("RUST_LOG") {
        Ok(levels) if !levels.is_empty() => EnvFilter::try_new(&levels).map_err(|error| {
            StartError::usage(format!(
                "RUST_LOG={levels} cannot be used: {error}; write levels such as info or info,query=debug"
            ))
        })?,
        // The SDK of AWS warns of each place without a region or credentials; the error of the start says what to set.
        _ => EnvFilter::new("info,tantivy=warn,aws_config=error"),
    };
    let filter = filter.add_directive(level_of_audit(audit));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call in one process, as in tests, has no effect.
    let _ = match std::io::stderr().is_terminal() {
        true => builder.event_format(ForPeople::of(service)).try_init(),
        false => builder.fmt_fields(JsonFields::new()).event_format(JsonLines { service }).try_init(),
    };
    Ok(())
}

/// Returns the directive for the audit log, which comes last and so overrides `RUST_LOG`.
fn level_of_audit(audit: AuditLog) -> Directive {
    let level = match audit {
        AuditLog::On => "info",
        AuditLog::Off => "off",
    };
    let directive = format!("{TARGET}={level}").parse();
    directive.unwrap_or_else(|_| unreachable!("a target and a level are a directive"))
}

/// Formats an event for people, except one of the audit log, which is for programs.
struct ForPeople {
    text: Format<Full>,
    audit: JsonLines,
}

impl ForPeople {
    fn of(service: &'static str) -> Self {
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
struct JsonLines {
    service: &'static str,
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

/// Upper bounds of the buckets of histograms in seconds: from a cached search to a timeout.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Upper bounds of the buckets for the time until a change is indexed: from an idle machine to an index that was unavailable
/// for hours.
const FRESHNESS: [f64; 12] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0];

/// Returns the recorder of this process, which is installed on first use.
pub(crate) fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
            .and_then(|builder| {
                builder
                    .set_buckets_for_metric(Matcher::Full("noren_sync_freshness_seconds".into()), &FRESHNESS)
            })
            .unwrap_or_else(|_| unreachable!("the list of buckets is not empty"))
            .build_recorder();
        let handle = recorder.handle();
        // If another recorder is installed already, this one stays empty.
        let _ = metrics::set_global_recorder(recorder);
        run_upkeep(handle.clone());
        handle
    })
}

/// Sorts samples into buckets regularly. Until then each sample takes memory, and reading `/metrics` is the only other time
/// at which they are sorted.
fn run_upkeep(handle: PrometheusHandle) {
    let keep = move || {
        loop {
            std::thread::sleep(UPKEEP_INTERVAL);
            handle.run_upkeep();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("metrics".to_owned()).spawn(keep) {
        tracing::warn!(%error, "samples of metrics take memory until /metrics is read");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use crate::audit::{Caller, Entry, write};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Log {
        type Writer = Self;
        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// Returns the lines of a log for people, with a warning and an audit entry.
    fn lines(levels: &str, audit: AuditLog) -> Vec<String> {
        let log = Log::default();
        let filter = EnvFilter::new(levels).add_directive(level_of_audit(audit));
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(log.clone());
        tracing::subscriber::with_default(builder.event_format(ForPeople::of("test")).finish(), || {
            tracing::warn!("for people");
            let caller = Caller { principal: Some("key:1".to_owned()), ..Caller::default() };
            write("putProduct", &caller, Some(200), &Entry::of("a\n\u{1b}[31m"));
        });
        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn an_audit_entry_is_one_line_of_json_also_in_a_log_for_people() {
        let lines = lines("info", AuditLog::On);
        assert!(lines.len() == 2 && lines[0].contains("for people"), "{lines:?}");
        let entry: Value = serde_json::from_str(&lines[1]).unwrap();
        for (field, expected) in
            [("target", TARGET), ("action", "putProduct"), ("id", "a\n\u{1b}[31m"), ("principal", "key:1")]
        {
            assert_eq!(entry[field], expected, "{entry}");
        }
        assert_eq!(entry["status"], 200);
        assert!(entry.get("client").is_none(), "{entry}");
    }

    #[test]
    fn the_levels_of_other_events_do_not_concern_the_audit_log() {
        assert_eq!(lines("off", AuditLog::On).len(), 1);
        assert_eq!(lines("error,noren::audit=off", AuditLog::On).len(), 1);
        assert_eq!(lines("info", AuditLog::Off).len(), 1);
    }
}
