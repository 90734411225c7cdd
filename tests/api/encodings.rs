//! Every route answers completely, whatever encoding and method a client asks for, and survives a client that hangs up.

use std::io::Read as _;

use flate2::read::GzDecoder;
use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{PATIENCE, TestApp};

/// Routes that the document does not describe.
const UNDOCUMENTED: [&str; 7] =
    ["/", "/docs/", "/openapi.json", "/metrics", "/health", "/health/live", "/health/ready"];

/// A documented operation, with a body that it reads.
struct Operation {
    method: Method,
    path: String,
    body: Option<(&'static str, &'static str)>,
}

impl Operation {
    fn send(&self, app: &TestApp, encoding: &str) -> reqwest::RequestBuilder {
        let request = app.request(self.method.clone(), &self.path).header(ACCEPT_ENCODING, encoding);
        match self.body {
            Some((kind, body)) => request.header(CONTENT_TYPE, kind).body(body),
            None => request,
        }
    }
}

/// Returns all operations: those that remove something come last.
async fn operations(app: &TestApp) -> Vec<Operation> {
    let document = app.get("/openapi.json").await.expect(200).json();
    let mut operations: Vec<Operation> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let content = operation["requestBody"]["content"].as_object();
            let body = content.and_then(|content| match content.keys().next()?.as_str() {
                "application/x-ndjson" => {
                    Some(("application/x-ndjson", "{\"id\":\"b\",\"name\":\"Bowl\"}\n"))
                }
                "application/merge-patch+json" => Some(("application/merge-patch+json", "{\"stock\":1}")),
                _ => Some(("application/json", "{\"name\":\"Lamp\"}")),
            });
            let path = path.replace("{id}", "a").replace("{field}", "brand").replace("{key}", "1");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            operations.push(Operation { method, path, body });
        }
    }
    let get = |path: &str| Operation { method: Method::GET, path: path.to_owned(), body: None };
    operations.extend(UNDOCUMENTED.map(get));
    operations.sort_by_key(|operation| operation.method == Method::DELETE);
    operations
}

async fn spawn() -> TestApp {
    let app = TestApp::spawn().await;
    let description = "A lamp with a shade, for a desk. ".repeat(100);
    app.fill(&[json!({"id": "a", "name": "Lamp", "brand": "Noren", "description": description})]).await;
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_plain_and_compressed() {
    let app = spawn().await;
    let mut compressed = 0;
    for operation in operations(&app).await {
        let what = format!("{} {}", operation.method, operation.path);
        for encoding in ["identity", "gzip"] {
            let response = operation.send(&app, encoding).timeout(PATIENCE).send().await.expect(&what);
            assert!(!response.status().is_server_error(), "{what} {encoding}: {}", response.status());
            let is_compressed =
                response.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding == "gzip");
            assert!(!is_compressed || encoding == "gzip", "{what}");
            let body = response.bytes().await.unwrap_or_else(|error| panic!("{what} {encoding}: {error}"));
            if is_compressed {
                compressed += 1;
                let read = GzDecoder::new(&body[..]).read_to_end(&mut Vec::new());
                assert!(read.is_ok_and(|bytes| bytes > 0), "{what}");
            }
        }
    }
    assert!(compressed > 5, "{compressed} responses were compressed");
    app.sync_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_readable_route_answers_head_without_a_body() {
    let app = spawn().await;
    for operation in operations(&app).await.into_iter().filter(|operation| operation.method == Method::GET) {
        for encoding in ["identity", "gzip"] {
            let head = app.request(Method::HEAD, &operation.path).header(ACCEPT_ENCODING, encoding);
            let head = head.timeout(PATIENCE).send().await.expect("HEAD is answered");
            let get = operation.send(&app, encoding).timeout(PATIENCE).send().await.expect("GET is answered");
            assert_eq!(head.status(), get.status(), "{}", operation.path);
            assert!(head.bytes().await.unwrap().is_empty(), "{}", operation.path);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_early_disturbs_nobody() {
    let app = spawn().await;
    let host = app.url.trim_start_matches("http://").to_owned();
    for operation in operations(&app).await {
        let (kind, body) = operation.body.unwrap_or(("text/plain", ""));
        let request = format!(
            "{} {} HTTP/1.1\r\nhost: {host}\r\naccept-encoding: gzip\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            operation.method,
            operation.path,
            body.len()
        );
        // In the middle of the request, right after it, and after the first byte of the response.
        for (sent, is_awaited) in [(request.len() / 2, false), (request.len(), false), (request.len(), true)]
        {
            let mut stream = TcpStream::connect(&host).await.unwrap();
            stream.write_all(&request.as_bytes()[..sent]).await.unwrap();
            if is_awaited {
                let read = tokio::time::timeout(PATIENCE, stream.read_u8()).await;
                assert_eq!(read.unwrap().unwrap(), b'H', "{} {}", operation.method, operation.path);
            }
        }
    }
    app.get("/health/live").await.expect(200);
    let verified = app.post("/admin/verify", &Value::Null).await.expect(200).text;
    assert!(verified.lines().last().unwrap().contains("isConverged"), "{verified}");
    app.sync_all().await;
}
