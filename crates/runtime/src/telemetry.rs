//! Logs for people on a terminal, JSON lines for programs otherwise; metrics for Prometheus.

use std::fmt;
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::StartError;

/// The interval at which samples of histograms are sorted into buckets.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Starts metrics, and logging to standard error. Call it once per process, before anything else. `RUST_LOG` sets the level.
///
/// # Errors
/// When `RUST_LOG` cannot be read.
pub fn start(service: &'static str) -> Result<(), StartError> {
    // Metrics that are recorded before the recorder is installed are lost.
    metrics();
    let filter = match std::env::var("RUST_LOG") {
        Ok(levels) if !levels.is_empty() => EnvFilter::try_new(&levels).map_err(|error| {
            StartError::usage(format!(
                "RUST_LOG={levels} cannot be used: {error}; write levels such as info or info,query=debug"
            ))
        })?,
        _ => EnvFilter::new("info,tantivy=warn"),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call in one process, as in tests, has no effect.
    let _ = match std::io::stderr().is_terminal() {
        true => builder.with_target(false).try_init(),
        false => builder.fmt_fields(JsonFields::new()).event_format(JsonLines { service }).try_init(),
    };
    Ok(())
}

/// Formats an event as one JSON object a line: `timestamp level message service`, then the fields of the event and of its
/// spans, such as `request.id`.
struct JsonLines {
    service: &'static str,
}

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
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
