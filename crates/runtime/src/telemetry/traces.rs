//! Traces: spans that are sent to a collector by OTLP, as the standard `OTEL_*` variables say. They are off unless the variables name
//! a collector or set `OTEL_TRACES_EXPORTER=otlp`.
//!
//! A span for traces has the target [`TARGET`], so that it costs nothing while traces are off. See
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/> for the variables.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::trace::{SpanContext, TraceContextExt as _, TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider, SpanData, SpanProcessor};
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::trace_settings::Settings;
use crate::StartError;

/// The target of spans for traces.
pub const TARGET: &str = "noren::trace";

/// The time limit for sending what is left at the end of a process or of an invocation.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// The maximum number of links per span, the specification's default.
const MAX_LINKS: usize = 128;

/// Spans that could not be sent.
const LOST: &str = "noren_traces_dropped_total";

/// The shortest time between two reports of failed exports.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// Spans that have ended.
static ENDED: AtomicU64 = AtomicU64::new(0);

/// The exporter of this process.
static PROVIDER: OnceLock<Exporting> = OnceLock::new();

/// A provider of spans, and the threads of its connection.
struct Exporting {
    provider: SdkTracerProvider,
    /// For gRPC, whose client needs an asynchronous runtime; that of the service does not exist yet when traces start.
    _runtime: Option<tokio::runtime::Runtime>,
}

/// Returns true if spans are sent to a collector.
pub fn is_on() -> bool {
    PROVIDER.get().is_some()
}

/// Starts the export if the variables name a collector, and returns the layer that feeds it.
///
/// # Errors
/// If a variable cannot be used.
pub(super) fn start<S>(
    service: &'static str,
    version: &str,
) -> Result<Option<Box<dyn Layer<S> + Send + Sync>>, StartError>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    if !names_collector(|name| std::env::var(name).ok()) {
        return Ok(None);
    }
    metrics::describe_counter!(LOST, "Spans of traces that could not be sent to the collector");
    metrics::counter!(LOST).absolute(0);
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let (exporter, runtime) = exporter(settings.timeout)?;
    let version = opentelemetry::KeyValue::new("service.version", version.to_owned());
    let mut resource = Resource::builder().with_attribute(version);
    if std::env::var_os("OTEL_SERVICE_NAME").is_none_or(|name| name.is_empty()) {
        resource = resource.with_service_name(service);
    }
    let batches = BatchSpanProcessor::builder(Counted::new(exporter, settings.capacity)).build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(CountedBatches(batches))
        .with_resource(resource.build())
        .build();
    let tracer = provider.tracer("noren");
    let _ = PROVIDER.set(Exporting { provider, _runtime: runtime });
    // Warnings and errors become events of the span that they occur in. Those of the SDK are excluded, or a failed export would make
    // more telemetry.
    let is_exported = filter_fn(|metadata| match metadata.is_span() {
        true => metadata.target() == TARGET,
        false => *metadata.level() <= Level::WARN && !metadata.target().starts_with("opentelemetry"),
    });
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(is_exported);
    Ok(Some(Box::new(layer)))
}

/// A batch processor that counts the spans that end, in front of its queue.
#[derive(Debug)]
struct CountedBatches(BatchSpanProcessor);

impl SpanProcessor for CountedBatches {
    fn on_start(&self, span: &mut opentelemetry_sdk::trace::Span, context: &opentelemetry::Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        ENDED.fetch_add(1, Ordering::Relaxed);
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// An exporter that counts and reports the spans that are lost: those of failed exports, and those for which the queue had no room.
#[derive(Debug)]
struct Counted {
    exporter: SpanExporter,
    /// The most spans that can wait to be sent.
    capacity: u64,
    failed: AtomicU64,
    taken: AtomicU64,
    reported: Mutex<Option<Instant>>,
}

impl Counted {
    fn new(exporter: SpanExporter, capacity: u64) -> Self {
        let (failed, taken) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { exporter, capacity, failed, taken, reported: Mutex::default() }
    }

    /// Sets the metric. The SDK does not tell what it drops, but more than the queue holds cannot be waiting.
    fn count_lost(&self) {
        let waiting = ENDED.load(Ordering::Relaxed).saturating_sub(self.taken.load(Ordering::Relaxed));
        let lost = self.failed.load(Ordering::Relaxed) + waiting.saturating_sub(self.capacity);
        metrics::counter!(LOST).absolute(lost);
    }

    /// Logs a failed export, at most once a minute.
    fn report(&self, error: &OTelSdkError) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.is_none_or(|last| last.elapsed() >= REPORT_INTERVAL) {
            *reported = Some(Instant::now());
            tracing::warn!(
                %error,
                "cannot send spans to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names; they are lost"
            );
        }
    }
}

impl opentelemetry_sdk::trace::SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        self.taken.fetch_add(spans, Ordering::Relaxed);
        let sent = self.exporter.export(batch).await;
        if let Err(error) = &sent {
            self.failed.fetch_add(spans, Ordering::Relaxed);
            self.report(error);
        }
        self.count_lost();
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Returns true if the variables ask for traces: they name a collector, and nothing turns traces off.
fn names_collector(variable: impl Fn(&str) -> Option<String>) -> bool {
    let value = |name| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    if value("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return false;
    }
    match value("OTEL_TRACES_EXPORTER").as_deref() {
        Some("none") => false,
        // Without an address, the collector of the specification's default address, on this machine.
        Some(_) => true,
        None => ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
            .into_iter()
            .any(|name| value(name).is_some()),
    }
}

/// Builds the exporter for the protocol that the variables name: HTTP with protobuf, or gRPC.
fn exporter(timeout: Duration) -> Result<(SpanExporter, Option<tokio::runtime::Runtime>), StartError> {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
    let named = names.into_iter().find_map(|name| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some((name, value))
    });
    let cannot = |error| StartError::because("cannot send traces as the variables OTEL_* say", error);
    match named.as_ref().map(|(_, protocol)| protocol.as_str()) {
        None | Some("http/protobuf") => {
            let client = http_client(timeout)?;
            let exporter = SpanExporter::builder().with_http().with_http_client(client).build();
            Ok((exporter.map_err(cannot)?, None))
        }
        Some("grpc") => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("traces")
                .enable_all()
                .build()
                .map_err(|error| StartError::because("cannot start the thread that sends traces", error))?;
            let entered = runtime.enter();
            let exporter = SpanExporter::builder().with_tonic().build();
            drop(entered);
            Ok((exporter.map_err(cannot)?, Some(runtime)))
        }
        Some(protocol) => Err(StartError::usage(format!(
            "{}={protocol} cannot be used; write http/protobuf or grpc",
            named.as_ref().map_or("", |(name, _)| name)
        ))),
    }
}

/// Builds the client for HTTP, on a thread of its own: a blocking client cannot be built where asynchronous code runs.
fn http_client(timeout: Duration) -> Result<reqwest::blocking::Client, StartError> {
    // Fails only if there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let build = move || reqwest::blocking::Client::builder().timeout(timeout).build();
    let built = std::thread::spawn(build).join();
    let built = built.map_err(|_| StartError::new("cannot build the client that sends traces"))?;
    built.map_err(|error| StartError::because("cannot build the client that sends traces", error))
}

/// Sends the spans that ended so far. Returns when they are sent, or after two seconds.
pub async fn flush() {
    let Some(exporting) = PROVIDER.get() else { return };
    let flushed = tokio::task::spawn_blocking(|| exporting.provider.force_flush());
    match tokio::time::timeout(FLUSH_TIMEOUT, flushed).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::warn!(%error, "cannot send spans of traces"),
        Ok(Err(_)) | Err(_) => tracing::warn!("spans of traces were not sent in time"),
    }
}

/// Sends the remaining spans and stops the exporter, within two seconds.
pub(super) fn stop() {
    if let Some(exporting) = PROVIDER.get() {
        let _ = exporting.provider.shutdown_with_timeout(FLUSH_TIMEOUT);
    }
}

/// Returns the context of a span, if it is part of a trace.
pub fn context_of(span: &Span) -> Option<SpanContext> {
    if !is_on() {
        return None;
    }
    let context = span.context().span().span_context().clone();
    context.is_valid().then_some(context)
}

/// Makes a span the child of a span of another process.
pub fn set_parent(span: &Span, parent: &SpanContext) {
    if is_on() {
        let parent = opentelemetry::Context::new().with_remote_span_context(parent.clone());
        // Fails only for a span that has begun, which ours have not.
        let _ = span.set_parent(parent);
    }
}

/// Connects the span of a batch with the traces of its messages. If all are of one trace, the span becomes part of it. Otherwise it is a
/// trace of its own with a link to each of the first 128 senders, and each sampled trace among them has a span like `message`, which lasts
/// until the result is dropped.
#[must_use]
pub fn follow(
    batch: &Span,
    messages: impl Iterator<Item = SpanContext>,
    message: impl Fn() -> Span,
) -> Vec<Span> {
    if !is_on() {
        return Vec::new();
    }
    let mut senders: Vec<SpanContext> = Vec::new();
    for sender in messages {
        if senders.len() == MAX_LINKS {
            break;
        }
        if !senders.contains(&sender) {
            senders.push(sender);
        }
    }
    let mut traces: Vec<&SpanContext> = Vec::new();
    for sender in &senders {
        if traces.iter().all(|known| known.trace_id() != sender.trace_id()) {
            traces.push(sender);
        }
    }
    if let [only] = traces[..] {
        set_parent(batch, only);
        senders.iter().filter(|sender| *sender != only).for_each(|sender| batch.add_link(sender.clone()));
        return Vec::new();
    }
    senders.iter().for_each(|sender| batch.add_link(sender.clone()));
    let Some(of_batch) = context_of(batch) else { return Vec::new() };
    let spans = traces.into_iter().filter(|sender| sender.is_sampled()).map(|sender| {
        let span = message();
        set_parent(&span, sender);
        span.add_link(of_batch.clone());
        span
    });
    spans.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_on_if_the_variables_name_a_collector() {
        let is_on = |variables: &[(&str, &str)]| {
            names_collector(|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        let own_endpoint = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/v1/traces");
        for on in [&[endpoint][..], &[own_endpoint], &[("OTEL_TRACES_EXPORTER", "otlp")]] {
            assert!(is_on(on), "{on:?}");
        }
        for off in [
            &[][..],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")],
            &[endpoint, ("OTEL_SDK_DISABLED", "true")],
            &[endpoint, ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            assert!(!is_on(off), "{off:?}");
        }
    }
}
