//! The recorder of metrics, which `/metrics` renders for Prometheus.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// The interval at which samples of histograms are sorted into buckets.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

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

/// Sorts samples into buckets regularly. Unsorted samples take memory, and otherwise they are sorted only when `/metrics` is read.
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
