//! The access log: one line a request.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Running, http_client, wait_until};

/// Starts the service with its log in a file of the folder.
async fn start(folder: &Path, setting: &str) -> Running {
    let log = File::create(folder.join("log")).unwrap();
    let data = ["serve", "--data-dir", folder.to_str().unwrap(), "--access-log", setting];
    Running::start_with("noren", &data, |program| {
        program.env_remove("RUST_LOG").stderr(Stdio::from(log));
    })
    .await
}

/// Returns the lines of requests so far.
fn lines(folder: &Path) -> Vec<Value> {
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    lines.filter(|line| line.get("http.route").is_some()).collect()
}

fn of_route<'a>(lines: &'a [Value], route: &str) -> Option<&'a Value> {
    lines.iter().find(|line| line["http.route"] == route)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_has_one_line_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let noren = start(folder.path(), "all").await;
    let client = http_client();
    let secret = "nrn_secret-in-a-header";
    let created = client
        .post(format!("{}/products?x-api-key={secret}", noren.url))
        .header("x-api-key", secret)
        .header("x-request-id", "request-1")
        .json(&json!({"name": "secret-in-a-body"}))
        .send()
        .await
        .unwrap();
    let search =
        client.get(format!("{}/products/search?query=secret-words", noren.url)).send().await.unwrap();
    let trace = created.headers()["traceresponse"].to_str().unwrap()[3..35].to_owned();
    let bytes = search.bytes().await.unwrap().len();
    let is_logged = async || of_route(&lines(folder.path()), "/products/search").is_some();
    wait_until("the search has a line", is_logged).await;
    let lines = lines(folder.path());
    let write = of_route(&lines, "/products").unwrap();
    for (field, expected) in [
        ("level", json!("INFO")),
        ("message", json!("request")),
        ("service", json!("noren")),
        ("http.method", json!("POST")),
        ("http.status", json!(created.status().as_u16())),
        ("request.id", json!("request-1")),
        ("trace.id", json!(trace)),
        ("principal", json!("anyone")),
    ] {
        assert_eq!(write[field], expected, "{field} in {write}");
    }
    assert!(write["took_ms"].as_f64().unwrap() > 0.0 && write["http.bytes"].as_u64().unwrap() > 0, "{write}");
    let search = of_route(&lines, "/products/search").unwrap();
    assert_eq!(search["http.bytes"], json!(bytes), "the bytes of the body");
    assert!(search.get("http.aborted").is_none(), "{search}");
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(!log.contains("secret"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_has_one_line_for_a_number_of_requests_and_none_if_it_is_off() {
    for (setting, expected) in [("sampled:5", 1..=3), ("off", 0..=0)] {
        let folder = tempfile::tempdir().unwrap();
        let noren = start(folder.path(), setting).await;
        let client = http_client();
        for _ in 0..10 {
            let answer = client.get(format!("{}/products", noren.url)).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.bytes().await.unwrap();
        }
        // The end of the process is the end of the log.
        assert!(noren.interrupt().success());
        let logged = lines(folder.path()).iter().filter(|line| line["http.route"] == "/products").count();
        assert!(expected.contains(&logged), "{setting}: {logged}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_requests_have_lines_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let noren = start(folder.path(), "all").await;
    let client = http_client();
    let send = async |method: &str, path: &str| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        client.request(method, format!("{}{path}", noren.url)).send().await.unwrap()
    };
    send("HEAD", "/products").await;
    send(&"M".repeat(3000), "/products/a").await;
    send("GET", "/no\u{1b}[31m%00%0a/such").await;
    // The client leaves while the search waits for a write that never comes.
    let waiting =
        client.get(format!("{}/products/search?query=&syncToken=1.never&syncTimeout=10", noren.url));
    assert!(waiting.timeout(std::time::Duration::from_millis(300)).send().await.is_err());
    assert!(noren.interrupt().success());
    let lines = lines(folder.path());
    let head = of_route(&lines, "/products").unwrap();
    assert_eq!((&head["http.method"], head.get("http.aborted")), (&json!("HEAD"), None), "{head}");
    assert_eq!(of_route(&lines, "/products/{id}").unwrap()["http.method"], "other");
    assert_eq!(of_route(&lines, "unmatched").unwrap()["http.status"], 404);
    let left = of_route(&lines, "/products/search").unwrap();
    assert_eq!((left.get("http.status"), &left["http.aborted"]), (None, &json!(true)), "{left}");
}

/// A reader of the log that stops reading must not stop the service.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_does_not_hold_requests_up() {
    let folder = tempfile::tempdir().unwrap();
    let data = ["serve", "--data-dir", folder.path().to_str().unwrap()];
    let (reader, writer) = std::io::pipe().unwrap();
    let noren = Running::start_with("noren", &data, |program| {
        program.env_remove("RUST_LOG").stderr(Stdio::from(writer));
    })
    .await;
    let client = http_client();
    // More than a pipe holds.
    for _ in 0..1000 {
        let answer = client.get(format!("{}/health/live", noren.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    drop(reader);
}
