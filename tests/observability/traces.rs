//! One trace from a write to the search that waits for it, wherever the services run.

use std::process::Command;

use domain::ports::ChangeQueue as _;
use reqwest::Client;
use serde_json::{Value, json};

use super::collector::{Collector, Protocol, Span};
use crate::lambda::{Function, event, variables_on_aws};
use crate::support::{PATIENCE, Running, command, http_client};

/// The trace of a client, as its header names it.
struct Sender {
    trace: String,
    span: String,
}

impl Sender {
    fn new() -> Self {
        let random = || format!("{:016x}", fastrand::u64(1..));
        Self { trace: format!("{}{}", random(), random()), span: random() }
    }

    fn traceparent(&self) -> String {
        format!("00-{}-{}-01", self.trace, self.span)
    }
}

/// Creates a product, and searches until the product can be found. Returns the `traceresponse` of the write.
async fn write_and_search(client: &Client, command: &str, query: &str, sender: &Sender) -> String {
    let created = client.post(format!("{command}/products")).header("traceparent", sender.traceparent());
    let created = created.json(&json!({ "name": "Teapot", "price": 40 })).send().await.unwrap();
    assert_eq!(created.status(), 201);
    let header = |name: &str| created.headers()[name].to_str().unwrap().to_owned();
    let search = client
        .get(format!("{query}/products/search?query=teapot&syncTimeout=10"))
        .header("traceparent", sender.traceparent())
        .header("noren-sync-token", header("noren-sync-token"));
    let found = search.send().await.unwrap();
    assert_eq!(found.status(), 200);
    let timing = found.headers()["server-timing"].to_str().unwrap();
    assert!(timing.contains("index;dur=") && timing.contains("json;dur="), "{timing}");
    assert!(header("server-timing").contains("store;dur="));
    let found: Value = found.json().await.unwrap();
    assert_eq!(found["total"], 1);
    header("traceresponse")
}

/// Checks that each span of a trace is below another one of it, or below the client's.
fn check_parents(spans: &[Span], sender: &Sender) {
    for span in spans {
        let is_known = span.parent == sender.span || spans.iter().any(|other| other.id == span.parent);
        assert!(is_known, "{span} has no parent among {spans:#?}");
        assert!(!span.failed, "{span:?}");
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn in_one_process_a_trace_leads_from_the_write_to_the_search_that_waits_for_it() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let collector = Collector::start(protocol).await;
        let dir = tempfile::tempdir().unwrap();
        let data = ["serve", "--data-dir", dir.path().to_str().unwrap()];
        let noren = Running::start_with("noren", &data, |program| collector.receive_from(program)).await;
        let sender = Sender::new();
        let response = write_and_search(&http_client(), &noren.url, &noren.url, &sender).await;
        assert_eq!(response[3..35], sender.trace, "{protocol:?}");
        let names = [
            "noren POST /products",
            "noren store.write",
            "noren queue.process",
            "noren index.apply",
            "noren GET /products/search",
            "noren index.wait",
            "noren index.search",
        ];
        let spans = collector.wait_for(&sender.trace, &names).await;
        check_parents(&spans, &sender);
        let write = named(&spans, "POST /products");
        assert_eq!((&write.parent, &write.id[..]), (&sender.span, &response[36..52]));
        for (name, attribute, expected) in [
            ("POST /products", "http.request.method", "POST"),
            ("POST /products", "http.route", "/products"),
            ("POST /products", "http.response.status_code", "201"),
            ("store.write", "db.system", "sqlite"),
            ("store.write", "noren.records", "1"),
            ("queue.process", "messaging.system", "sqlite"),
            ("queue.process", "messaging.batch.message_count", "1"),
            ("queue.process", "noren.receives", "1"),
            ("queue.process", "noren.acknowledged", "1"),
            ("index.apply", "db.system", "tantivy"),
            ("index.apply", "noren.applied", "1"),
            ("index.search", "noren.found", "1"),
        ] {
            assert_eq!(named(&spans, name).attribute(attribute), expected, "{attribute} of {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_servers_of_aws_a_trace_leads_through_outbox_queue_and_index() {
    let Some(variables) = variables_on_aws().await else { return };
    let collector = Collector::start(Protocol::Grpc).await;
    let prepare = |program: &mut Command| {
        program.envs(variables.iter().cloned());
        collector.receive_from(program);
    };
    let command = Running::start_with("noren-command", &[], prepare).await;
    let _sync = Running::start_with("noren-sync", &[], prepare).await;
    let query = Running::start_with("noren-query", &[], prepare).await;
    let sender = Sender::new();
    write_and_search(&http_client(), &command.url, &query.url, &sender).await;
    let names = [
        "noren-command POST /products",
        "noren-command store.write",
        "noren-command queue.send",
        "noren-sync queue.process",
        "noren-sync index.apply",
        "noren-query GET /products/search",
        "noren-query index.wait",
        "noren-query index.search",
    ];
    let spans = collector.wait_for(&sender.trace, &names).await;
    check_parents(&spans, &sender);
    let operations: Vec<&str> = spans
        .iter()
        .filter(|span| span.name == "store.write")
        .map(|span| span.attribute("db.operation.name"))
        .collect();
    assert!(["write", "remove_from_outbox"].iter().all(|known| operations.contains(known)), "{operations:?}");
    assert_eq!(named(&spans, "index.apply").attribute("db.system"), "opensearch");
}

#[tokio::test(flavor = "multi_thread")]
async fn through_events_of_lambda_a_trace_is_sent_before_each_answer() {
    let Some(variables) = variables_on_aws().await else { return };
    let collector = Collector::start(Protocol::Http).await;
    let start = async |name: &str| {
        let mut program = command(name);
        program.envs(variables.iter().cloned());
        collector.receive_from(&mut program);
        // Only what is sent before the answer arrives.
        program.env("OTEL_BSP_SCHEDULE_DELAY", "3600000");
        Function::start_program(program, name).await
    };
    let sender = Sender::new();
    let mut create = event("http-api-create");
    create["headers"]["traceparent"] = json!(sender.traceparent());
    let created = start("noren-command").await.invoke(&create).await.unwrap();
    assert_eq!(created["statusCode"], 201, "{created}");
    assert_eq!(collector.trace(&sender.trace).iter().filter(|span| span.name == "store.write").count(), 2);

    // Receives from the queue and calls the function, as Lambda does.
    let value = |name: &str| variables.iter().find(|(variable, _)| *variable == name).unwrap().1.clone();
    let aws = aws_setup::Aws::local(&value("AWS_ENDPOINT_URL_SQS")).await.unwrap();
    let queue = sqs_queue::SqsQueue::open(&aws, &value("NOREN_SQS_QUEUE")).await.unwrap();
    let envelope = queue.receive(1, PATIENCE).await.unwrap().remove(0).envelope.unwrap();
    let mut batch = event("sqs-batch");
    let records = batch["Records"].as_array_mut().unwrap();
    records.truncate(1);
    records[0]["body"] = serde_json::to_string(&envelope.change).unwrap().into();
    records[0]["messageAttributes"]["traceparent"]["stringValue"] = envelope.traceparent.unwrap().into();
    let applied = start("noren-sync").await.invoke(&batch).await;
    assert_eq!(applied, Ok(json!({"batchItemFailures": []})));

    // The load balancer of AWS begins a trace if the client has none.
    let mut search = event("http-api-search");
    search["rawQueryString"] = json!("query=");
    search["headers"]["x-amzn-trace-id"] =
        format!("Root=1-{}-{};Parent={};Sampled=1", &sender.trace[..8], &sender.trace[8..], sender.span)
            .into();
    let found = start("noren-query").await.invoke(&search).await.unwrap();
    assert_eq!(found["statusCode"], 200, "{found}");
    let names = [
        "noren-command POST /products",
        "noren-command queue.send",
        "noren-sync queue.process",
        "noren-sync index.apply",
        "noren-query GET /products/search",
        "noren-query index.search",
    ];
    let spans = collector.wait_for(&sender.trace, &names).await;
    check_parents(&spans, &sender);
}

/// A batch is no part of any trace then, and each trace shows it all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_several_traces_has_a_link_to_each() {
    let collector = Collector::start(Protocol::Http).await;
    let dir = tempfile::tempdir().unwrap();
    let mut program = command("noren-sync");
    program.env("NOREN_DATA_DIR", dir.path());
    collector.receive_from(&mut program);
    let mut sync = Function::start_program(program, "noren-sync").await;
    let senders = [Sender::new(), Sender::new()];
    let mut batch = event("sqs-batch");
    let records = batch["Records"].as_array_mut().unwrap();
    records.truncate(4);
    for (record, sender) in records.iter_mut().zip(senders.iter().cycle()) {
        record["messageAttributes"]["traceparent"]["stringValue"] = sender.traceparent().into();
    }
    assert_eq!(sync.invoke(&batch).await, Ok(json!({"batchItemFailures": []})));
    let spans = collector.spans();
    let applied = named(&spans, "index.apply");
    let processed = spans.iter().find(|span| span.id == applied.parent).expect("it is part of a batch");
    assert_eq!(processed.name, "queue.process");
    for sender in &senders {
        assert_ne!(processed.trace, sender.trace);
        assert!(processed.links.contains(&sender.trace), "{processed:?}");
        let own = collector.trace(&sender.trace);
        assert_eq!((own.len(), &own[0].name[..], &own[0].parent), (1, "queue.process", &sender.span));
        assert_eq!(own[0].links, std::slice::from_ref(&processed.trace));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_call_is_an_error_in_its_trace() {
    let collector = Collector::start(Protocol::Http).await;
    let nowhere = format!("http://127.0.0.1:{}", crate::support::free_port());
    let prepare = |program: &mut Command| {
        collector.receive_from(program);
        program.env("NOREN_OPENSEARCH_URL", &nowhere).env("NOREN_INDEX", "opensearch");
        program.env("NOREN_ACCESS", "none").env("AWS_REGION", "us-east-1");
    };
    let mut program = command("noren-query");
    prepare(&mut program);
    let mut query = Function::start_program(program, "noren-query").await;
    let sender = Sender::new();
    let mut search = event("http-api-search");
    search["headers"]["traceparent"] = json!(sender.traceparent());
    let answer = query.invoke(&search).await.unwrap();
    assert_eq!(answer["statusCode"], 503, "{answer}");
    collector
        .wait_until("the failed search is in the trace", |spans| {
            let failed: Vec<&Span> =
                spans.iter().filter(|span| span.trace == sender.trace && span.failed).collect();
            let is_there = |name: &str, kind: &str| {
                failed.iter().any(|span| span.name == name && span.attribute("error.type") == kind)
            };
            is_there("index.search", "unavailable") && is_there("GET /products/search", "503")
        })
        .await;
}

/// A collector that is away costs spans, never a request.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_collector_a_service_works() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = format!("http://127.0.0.1:{}", crate::support::free_port());
    for protocol in ["http/protobuf", "grpc"] {
        let data = ["serve", "--data-dir", dir.path().to_str().unwrap()];
        let noren = Running::start_with("noren", &data, |program| {
            program.env("OTEL_EXPORTER_OTLP_ENDPOINT", &nowhere).env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        })
        .await;
        let products = http_client().get(format!("{}/products", noren.url)).send().await.unwrap();
        assert_eq!(products.status(), 200, "{protocol}");
        let begun = std::time::Instant::now();
        assert!(noren.interrupt().success(), "{protocol}");
        assert!(begun.elapsed() < PATIENCE, "{protocol}");
    }
}

#[test]
fn a_protocol_that_does_not_exist_is_named_at_the_start() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
    ];
    let output = crate::support::finished("noren", &["serve"], &variables);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(error.contains("OTEL_EXPORTER_OTLP_PROTOCOL=http/json cannot be used"), "{error}");
}
