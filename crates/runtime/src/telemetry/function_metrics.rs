//! Metrics of a function: one line an invocation in CloudWatch's embedded metric format, from which CloudWatch makes metrics.
//!
//! Nobody can scrape a function. A line sums the counters of all labels, since each combination of dimensions would be another metric
//! to pay for; the labels are in the logs. See
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_util::registry::{AtomicStorage, Registry};
use serde_json::{Map, Value, json};

use crate::function::{self, Facts};

/// The namespace of the metrics.
const NAMESPACE: &str = "Noren";

/// The most values of a metric in a line.
const MAX_VALUES: usize = 100;

/// The most metrics of a line.
const MAX_METRICS: usize = 100;

static COLLECTOR: OnceLock<Collector> = OnceLock::new();

/// Installs the recorder. A second call has no effect.
pub(super) fn install(service: &'static str) {
    let collector = COLLECTOR.get_or_init(|| Collector { service, registry: Registry::new(AtomicStorage) });
    let _ = metrics::set_global_recorder(collector);
}

/// Writes the metrics recorded since the last line to standard output, from which Lambda takes them, at the end of an invocation.
pub(crate) fn write_line() {
    let (Some(collector), Some(facts)) = (COLLECTOR.get(), function::facts()) else { return };
    let line = collector.line(&facts, SystemTime::now());
    // There is nowhere to report a closed log.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// The metrics that were recorded since the last line.
struct Collector {
    service: &'static str,
    registry: Registry<Key, AtomicStorage>,
}

impl Recorder for &'static Collector {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.registry
            .get_or_create_counter(&without_labels(key), |counter| Counter::from_arc(Arc::clone(counter)))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.registry.get_or_create_gauge(&without_labels(key), |gauge| Gauge::from_arc(Arc::clone(gauge)))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.registry.get_or_create_histogram(&without_labels(key), |histogram| {
            Histogram::from_arc(Arc::clone(histogram))
        })
    }
}

fn without_labels(key: &Key) -> Key {
    Key::from_name(key.name().to_owned())
}

impl Collector {
    fn line(&self, facts: &Facts, now: SystemTime) -> Value {
        let mut values = self.take();
        values.insert("ColdStart".to_owned(), json!(u8::from(facts.is_cold_start)));
        values.insert("MemoryUsed".to_owned(), json!(facts.memory_mb));
        if facts.memory_limit_mb > 0 {
            let percent = facts.memory_mb as f64 * 100.0 / facts.memory_limit_mb as f64;
            values.insert("MemoryUtilization".to_owned(), json!((percent * 100.0).round() / 100.0));
        }
        let metrics: Vec<Value> = values
            .keys()
            .take(MAX_METRICS)
            .map(|name| json!({ "Name": name, "Unit": unit_of(name) }))
            .collect();
        let timestamp = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": timestamp,
                "CloudWatchMetrics": [
                    { "Namespace": NAMESPACE, "Dimensions": [["service", "stage"]], "Metrics": metrics }
                ]
            }),
        );
        // A dimension without a value would make the line invalid.
        let stage = if facts.stage.is_empty() { "none" } else { facts.stage };
        line.insert("service".to_owned(), self.service.into());
        line.insert("stage".to_owned(), stage.into());
        line.insert("function.name".to_owned(), facts.name.into());
        line.insert("function.version".to_owned(), facts.version.into());
        line.extend(values);
        Value::Object(line)
    }

    /// Takes what was recorded: counters that grew, gauges with a number, and samples of histograms.
    fn take(&self) -> BTreeMap<String, Value> {
        let mut values = BTreeMap::new();
        self.registry.visit_counters(|key, counter| {
            let count = counter.swap(0, Ordering::Relaxed);
            if count > 0 {
                values.insert(key.name().to_owned(), json!(count));
            }
        });
        self.registry.visit_gauges(|key, gauge| {
            let value = f64::from_bits(gauge.load(Ordering::Relaxed));
            if value.is_finite() {
                values.insert(key.name().to_owned(), json!(value));
            }
        });
        self.registry.visit_histograms(|key, histogram| {
            let mut samples = Vec::new();
            histogram.clear_with(|some| samples.extend_from_slice(some));
            samples.retain(|sample| sample.is_finite());
            if !samples.is_empty() {
                values.insert(key.name().to_owned(), json!(representatives(samples)));
            }
        });
        values
    }
}

/// Returns at most 100 of the samples, evenly by rank, so that percentiles stay close.
fn representatives(mut samples: Vec<f64>) -> Vec<f64> {
    if samples.len() <= MAX_VALUES {
        return samples;
    }
    samples.sort_by(f64::total_cmp);
    let last = samples.len() - 1;
    (0..MAX_VALUES).map(|rank| samples[rank * last / (MAX_VALUES - 1)]).collect()
}

/// Returns the unit of a metric, by its name.
fn unit_of(name: &str) -> &'static str {
    match name {
        "MemoryUsed" => "Megabytes",
        "MemoryUtilization" => "Percent",
        _ if name.ends_with("_seconds") => "Seconds",
        _ if name.ends_with("_bytes") => "Bytes",
        _ => "Count",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts = Facts {
        name: "shop-query",
        version: "7",
        stage: "test",
        is_cold_start: true,
        memory_mb: 128,
        memory_limit_mb: 512,
    };

    fn record(collector: &'static Collector) {
        metrics::with_local_recorder(&collector, || {
            metrics::counter!("noren_http_requests_total", "status" => "200").increment(2);
            metrics::counter!("noren_http_requests_total", "status" => "503").increment(1);
            metrics::counter!("noren_unused_total").increment(0);
            metrics::gauge!("noren_oldest_unsynced_age_seconds").set(f64::NAN);
            metrics::gauge!("noren_sync_lag_seconds").set(1.5);
            (0..500).for_each(|sample| metrics::histogram!("noren_search_seconds").record(f64::from(sample)));
        });
    }

    fn collector() -> &'static Collector {
        Box::leak(Box::new(Collector { service: "noren-query", registry: Registry::new(AtomicStorage) }))
    }

    #[test]
    fn a_line_has_what_was_recorded_since_the_last_one() {
        let collector = collector();
        record(collector);
        let line = collector.line(&FACTS, SystemTime::now());
        for (name, expected) in [
            ("noren_http_requests_total", json!(3)),
            ("noren_sync_lag_seconds", json!(1.5)),
            ("ColdStart", json!(1)),
            ("MemoryUsed", json!(128)),
            ("MemoryUtilization", json!(25.0)),
            ("service", json!("noren-query")),
            ("stage", json!("test")),
        ] {
            assert_eq!(line[name], expected, "{name} in {line}");
        }
        for absent in ["noren_unused_total", "noren_oldest_unsynced_age_seconds"] {
            assert!(line.get(absent).is_none(), "{absent} in {line}");
        }
        let samples: Vec<f64> = serde_json::from_value(line["noren_search_seconds"].clone()).unwrap();
        assert_eq!((samples.len(), samples[0], samples[99]), (100, 0.0, 499.0));
        let later = collector.line(&FACTS, SystemTime::now());
        assert!(later.get("noren_http_requests_total").is_none(), "{later}");
    }
}
