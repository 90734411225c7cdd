//! The OpenTelemetry Collector itself receives a trace, over both protocols. `.ci/collector` builds the program that
//! `NOREN_TEST_COLLECTOR` names; without the variable the test is left out, which is an error in CI.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Answer, PATIENCE, Running, http_client, repository, wait_within};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A collector that runs until it is dropped.
struct UpstreamCollector {
    child: Child,
    folder: tempfile::TempDir,
}

impl UpstreamCollector {
    async fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new(program)
            .arg("--config")
            .arg(repository().join("tests/collector/collector.yaml"))
            .env("COLLECTOR_FILE", folder.path().join("received.jsonl"))
            .stdin(Stdio::null())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let collector = Self { child, folder };
        let ready = wait_within(PATIENCE, async || {
            collector.lines("log").iter().any(|line| message(line).starts_with("Everything is ready"))
        });
        assert!(ready.await, "the collector is not ready: {:#?}", collector.lines("log"));
        collector
    }

    /// Returns the complete lines of a file, each of which is JSON.
    fn lines(&self, file: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.path().join(file)).unwrap_or_default();
        let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
        complete.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Returns the address that the log names in the line with this message.
    fn address(&self, text: &str) -> String {
        let log = self.lines("log");
        let line = log.iter().find(|line| message(line) == text);
        let address = line.and_then(|line| line["endpoint"].as_str());
        format!("http://{}", address.unwrap_or_else(|| panic!("no address after {text:?} in {log:#?}")))
    }

    /// Returns the names of the spans of the trace.
    fn spans(&self) -> BTreeSet<String> {
        let received = self.lines("received.jsonl");
        let spans = received.iter().flat_map(|request| elements(&request["resourceSpans"]));
        let spans = spans.flat_map(|resource| elements(&resource["scopeSpans"]));
        let spans = spans.flat_map(|scope| elements(&scope["spans"]));
        let spans = spans.filter(|span| span["traceId"] == TRACE);
        spans.filter_map(|span| span["name"].as_str()).map(str::to_owned).collect()
    }
}

impl Drop for UpstreamCollector {
    fn drop(&mut self) {
        // Killing fails only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn message(line: &Value) -> &str {
    line["msg"].as_str().unwrap_or_default()
}

fn elements(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_opentelemetry_collector_receives_the_trace_of_a_write() {
    let Some(program) = std::env::var_os("NOREN_TEST_COLLECTOR").map(PathBuf::from) else {
        assert!(std::env::var_os("CI").is_none(), "NOREN_TEST_COLLECTOR=$(.ci/collector) is missing");
        return;
    };
    for (protocol, address) in [("http/protobuf", "Starting HTTP server"), ("grpc", "Starting GRPC server")] {
        let collector = UpstreamCollector::start(&program).await;
        let data = tempfile::tempdir().unwrap();
        let noren = Running::start_with("noren", &["serve"], |command| {
            command.env("NOREN_DATA_DIR", data.path());
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address(address));
            command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol).env("OTEL_BSP_SCHEDULE_DELAY", "50");
        })
        .await;
        let post = http_client().post(format!("{}/products", noren.url));
        let post = post.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
        Answer::of(post.json(&json!({"name": "Teapot"}))).await.expect(201);
        let expected = ["POST /products", "queue.process", "index.apply"].map(str::to_owned);
        let arrived = wait_within(PATIENCE, async || {
            let spans = collector.spans();
            expected.iter().all(|name| spans.contains(name))
        });
        assert!(arrived.await, "{protocol}: {:?} lack some of {expected:?}", collector.spans());
    }
}
