//! A collector that speaks OTLP, over HTTP and over gRPC, and keeps the spans that it gets.

use std::collections::BTreeSet;
use std::fmt;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message as _;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::support::wait_until;

/// The protocols of OTLP.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    Http,
    Grpc,
}

/// A span as the collector got it.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) service: String,
    pub(crate) name: String,
    /// In hexadecimal digits, as are the other ids.
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) links: Vec<String>,
    pub(crate) failed: bool,
    attributes: Vec<(String, String)>,
}

impl Span {
    /// Returns an attribute as text; empty if it is missing.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Formats a span as one line of a failed test.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {} below {}", self.service, self.name, self.trace, self.parent)
    }
}

type Spans = Arc<Mutex<Vec<Span>>>;

/// A collector that runs until the test ends.
pub(crate) struct Collector {
    spans: Spans,
    protocol: Protocol,
    url: String,
}

impl Collector {
    pub(crate) async fn start(protocol: Protocol) -> Self {
        let spans = Spans::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        match protocol {
            Protocol::Http => {
                let router = Router::new().route("/v1/traces", post(receive)).with_state(Arc::clone(&spans));
                tokio::spawn(async move { axum::serve(listener, router).await });
            }
            Protocol::Grpc => {
                let service = TraceServiceServer::new(Receiver(Arc::clone(&spans)));
                let server = tonic::transport::Server::builder().add_service(service);
                tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
            }
        }
        Self { spans, protocol, url }
    }

    /// Sets the standard variables of a program that sends its spans here, soon after they end.
    pub(crate) fn receive_from(&self, program: &mut Command) {
        let protocol = match self.protocol {
            Protocol::Http => "http/protobuf",
            Protocol::Grpc => "grpc",
        };
        program
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &self.url)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
            .env("OTEL_BSP_SCHEDULE_DELAY", "50");
    }

    /// Returns the spans of a trace that have arrived.
    pub(crate) fn trace(&self, trace: &str) -> Vec<Span> {
        self.spans().into_iter().filter(|span| span.trace == trace).collect()
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }

    /// Waits until a trace has all these spans, each as `SERVICE NAME`, and returns them.
    pub(crate) async fn wait_for(&self, trace: &str, names: &[&str]) -> Vec<Span> {
        let missing = || {
            let spans = self.trace(trace);
            let known: BTreeSet<String> =
                spans.iter().map(|span| format!("{} {}", span.service, span.name)).collect();
            names.iter().copied().filter(|name| !known.contains(*name)).collect::<Vec<_>>()
        };
        let all = || self.spans().iter().map(Span::to_string).collect::<Vec<_>>().join("\n");
        let arrived = crate::support::wait_within(crate::support::PATIENCE, async || missing().is_empty());
        assert!(arrived.await, "{:?} are missing in trace {trace} among\n{}", missing(), all());
        self.trace(trace)
    }

    /// Waits until `is_there` holds for the spans so far.
    pub(crate) async fn wait_until(&self, what: &str, is_there: impl Fn(&[Span]) -> bool) {
        wait_until(what, async || is_there(&self.spans())).await;
    }
}

async fn receive(State(spans): State<Spans>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    keep(&spans, ExportTraceServiceRequest::decode(body).unwrap());
}

struct Receiver(Spans);

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        keep(&self.0, request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn keep(spans: &Spans, request: ExportTraceServiceRequest) {
    let mut kept = spans.lock().unwrap();
    for resource in request.resource_spans {
        let attributes = resource.resource.map(|resource| texts(resource.attributes)).unwrap_or_default();
        let service = attributes.iter().find(|(name, _)| name == "service.name");
        let service = service.expect("a resource names its service").1.clone();
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            kept.push(Span {
                service: service.clone(),
                name: span.name,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                links: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
                failed: span.status.is_some_and(|status| status.code == 2),
                attributes: texts(span.attributes),
            });
        }
    }
}

fn texts(attributes: Vec<KeyValue>) -> Vec<(String, String)> {
    attributes.into_iter().map(|KeyValue { key, value, .. }| (key, text(value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
