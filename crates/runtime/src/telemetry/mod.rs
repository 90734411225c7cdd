//! Logs for people on a terminal, JSON lines for programs otherwise; the audit log, in JSON lines always; metrics; traces.

#[cfg(feature = "lambda")]
pub(crate) mod function_metrics;
mod lines;
mod output;
mod prometheus;
mod trace_settings;
pub mod traces;

use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing_subscriber::filter::Directive;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::config::{AccessLog, AuditLog};
use crate::{StartError, access_log, audit, function};
use lines::{ForPeople, JsonLines};
use output::Output;

pub(crate) use output::count_dropped_lines;

pub(crate) use prometheus::metrics;

/// The version of the program, with its commit.
static VERSION: OnceLock<String> = OnceLock::new();

/// The logging of a process.
#[derive(Debug, Clone)]
pub struct Logs {
    /// The audit log: on or off.
    pub audit: AuditLog,
    /// The requests that have a line.
    pub access: AccessLog,
    /// The stage of the deployment, for functions.
    pub stage: String,
}

impl Logs {
    /// Returns the logs of a command, which is no service.
    pub fn of_command() -> Self {
        Self { audit: AuditLog::Off, access: AccessLog::Off, stage: String::new() }
    }
}

/// Starts metrics, traces, and logging to standard error. Call it once per process, before anything else. `RUST_LOG` sets the level of
/// all logs but the audit log, which is on or off.
///
/// # Errors
/// When `RUST_LOG` or one of the variables `OTEL_*` cannot be used.
pub fn start(service: &'static str, version: &str, logs: &Logs) -> Result<(), StartError> {
    function::set_stage(&logs.stage);
    access_log::set(logs.access);
    // Metrics that are recorded before the recorder is installed are lost.
    #[cfg(feature = "lambda")]
    if function::facts().is_some() {
        function_metrics::install(service);
    }
    metrics();
    let _ = VERSION.set(version.to_owned());
    describe_build(service, version);
    let filter = match std::env::var("RUST_LOG") {
        Ok(levels) if !levels.is_empty() => EnvFilter::try_new(&levels).map_err(|error| {
            StartError::usage(format!(
                "RUST_LOG={levels} cannot be used: {error}; write levels such as info or info,query=debug"
            ))
        })?,
        // The SDK of AWS warns of each place without a region or credentials; the error of the start says what to set.
        _ => EnvFilter::new("info,tantivy=warn,aws_config=error"),
    };
    let filter = with_levels_of_ours(filter, logs.audit);
    // An event that cannot be written would be reported by `eprintln!`, which panics if nobody reads standard error.
    let lines = tracing_subscriber::fmt::layer().with_writer(Output::start()).log_internal_errors(false);
    let lines = match std::io::stderr().is_terminal() {
        true => lines.event_format(ForPeople::of(service)).with_filter(filter).boxed(),
        false => lines
            .fmt_fields(JsonFields::new())
            .event_format(JsonLines { service })
            .with_filter(filter)
            .boxed(),
    };
    let layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> =
        traces::start(service, version)?.into_iter().chain([lines]).collect();
    // A second call in one process, as in tests, has no effect.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    Ok(())
}

/// Sends the spans and writes the lines that are left, at the end of the process.
pub fn stop() {
    traces::stop();
    output::stop();
}

/// Returns the version of the program, as in `0.1.0 (85eb7c67a1f2)`.
pub(crate) fn version() -> &'static str {
    VERSION.get().map_or(env!("CARGO_PKG_VERSION"), String::as_str)
}

/// Sets a gauge that is always 1, whose labels name the program and its version. `version` is as in `0.1.0 (85eb7c67a1f2)`.
fn describe_build(service: &'static str, version: &str) {
    let (version, commit) = version.split_once(" (").unwrap_or((version, ""));
    let labels = [
        ("service", service.to_owned()),
        ("version", version.to_owned()),
        ("commit", commit.trim_end_matches(')').to_owned()),
    ];
    metrics::describe_gauge!("noren_build_info", "The program, by its labels; always 1");
    metrics::gauge!("noren_build_info", &labels).set(1.0);
}

/// Adds the levels of the audit log and of traces. They come last and so override `RUST_LOG`.
fn with_levels_of_ours(filter: EnvFilter, audit: AuditLog) -> EnvFilter {
    let audit_level = match audit {
        AuditLog::On => "info",
        AuditLog::Off => "off",
    };
    // The spans of traces repeat in more detail what the log says, and go to the collector.
    let levels = [format!("{}={audit_level}", audit::TARGET), format!("{}=off", traces::TARGET)];
    levels.into_iter().fold(filter, |filter, level| {
        let directive: Directive =
            level.parse().unwrap_or_else(|_| unreachable!("a target and a level are a directive"));
        filter.add_directive(directive)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing_subscriber::fmt::MakeWriter;

    use crate::audit::{Caller, Entry, TARGET, write};

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
        let filter = with_levels_of_ours(EnvFilter::new(levels), audit);
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
