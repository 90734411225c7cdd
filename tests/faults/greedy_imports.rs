//! Imports that are too large, too slow or too many.
//!
//! Guarantee: the refusal names the limit, the store keeps space on the disk, and other imports are accepted.

use std::convert::Infallible;
use std::path::Path;
use std::process::Command;

use futures::{StreamExt as _, stream};
use reqwest::Body;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::{Answer, Running, http_client, wait_until};

const LINE: &str = "{\"id\":\"lamp\",\"name\":\"Lamp\"}\n";
const MB: usize = 1 << 20;

async fn start(data: &Path, variable: &str, value: &str) -> Running {
    let arguments = ["serve", "--data-dir", data.to_str().unwrap()];
    let prepare = |command: &mut Command| _ = command.env(variable, value);
    Running::start_with("noren", &arguments, prepare).await
}

async fn import(url: &str, body: impl Into<Body>) -> Answer {
    let request = http_client().post(format!("{url}/imports")).header("content-type", "application/x-ndjson");
    Answer::of(request.body(body)).await
}

/// Returns a body of this many megabytes whose length the client does not declare.
fn megabytes(count: usize) -> Body {
    let chunk = format!("{}\n", " ".repeat(MB - 1));
    Body::wrap_stream(stream::iter(0..count).map(move |_| Ok::<_, Infallible>(chunk.clone())))
}

/// Checks that the response is a refusal with this status that names the limit.
fn assert_refused(answer: Answer, status: u16, limit: &str) {
    let problem: Value = answer.problem(status);
    assert!(problem["detail"].as_str().unwrap().contains(limit), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_above_the_limit_is_refused_and_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let service = start(data.path(), "NOREN_IMPORT_MAX_MB", "2").await;
    let url = &service.url;
    import(url, " ".repeat(2 * MB)).await.expect(202);
    assert_refused(import(url, " ".repeat(2 * MB + 1)).await, 413, "2 MB (NOREN_IMPORT_MAX_MB)");
    assert_refused(import(url, megabytes(60)).await, 413, "2 MB (NOREN_IMPORT_MAX_MB)");
    import(url, LINE).await.expect(202);
    let folders = || std::fs::read_dir(data.path().join("imports")).unwrap().flatten();
    wait_until("only the accepted files are there", async || {
        folders().filter(|entry| entry.path().is_dir()).count() == 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_uploads_give_their_places_to_others() {
    let data = tempfile::tempdir().unwrap();
    let service = start(data.path(), "NOREN_IMPORT_MAX_JOBS", "2").await;
    let host = service.url.trim_start_matches("http://");
    let head = format!(
        "POST /imports HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-ndjson\r\ncontent-length: 1000\r\n\r\n"
    );
    let mut slow = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(format!("{head}{LINE}").as_bytes()).await.unwrap();
        slow.push(stream);
    }
    wait_until("both have a place", async || import(&service.url, "").await.status == 429).await;
    // Within seconds, long before the slow ones reach a time limit of their own.
    wait_until("another import has a place", async || import(&service.url, LINE).await.status == 202).await;
    wait_until("its product is there", async || {
        Answer::of(http_client().get(format!("{}/products/lamp", service.url))).await.status == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_leaves_room_on_the_disk_for_writes() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("data");
    let arguments = ["serve", "--data-dir", folder.to_str().unwrap()];
    let disk = Running::start_on_small_disk("noren", &arguments, &folder, 96, 40).await;
    let Some((service, _pipe)) = disk else { return };
    let url = &service.url;
    assert_refused(import(url, " ".repeat(70 * MB)).await, 507, "kept free for the store");
    assert_refused(import(url, megabytes(90)).await, 507, "kept free for the store");
    for n in 0..20 {
        let product = json!({"name": "Lamp", "description": "x".repeat(10_000)});
        let write = http_client().put(format!("{url}/products/p{n}")).json(&product);
        Answer::of(write).await.expect(201);
    }
}
