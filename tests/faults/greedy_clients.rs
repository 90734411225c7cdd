//! Slow and greedy clients, against a process that may open 1,024 files and should need 512 MB at most.
//!
//! Guarantee: while such clients hold connections, `/health/live`, searches and writes of others are answered, and memory is
//! bounded.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::{Answer, PATIENCE, Running, after_script, http_client, wait_until};

/// The memory of a small container.
const MEMORY: u64 = 512 << 20;
/// The usual limit of open files.
const OPEN_FILES: u64 = 1024;
/// Idle connections, more than the open files.
const IDLE: usize = 2_000;
/// Clients that read nothing of their long responses.
const NEVER_READING: usize = 50;
/// The longest time for a request of another client. The machine of the tests is slow.
const WHILE_OTHERS_WAIT: Duration = Duration::from_secs(20);

struct Service {
    running: Running,
    host: String,
    _data: tempfile::TempDir,
}

impl Service {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().to_str().unwrap().to_owned();
        // The process cannot raise a limit that the shell has set.
        let limit_files =
            |noren: &mut Command| *noren = after_script(&format!("ulimit -n {OPEN_FILES}"), noren);
        let running = Running::start_with("noren", &["serve", "--data-dir", &folder], limit_files).await;
        let host = running.url.trim_start_matches("http://").to_owned();
        Self { running, host, _data: data }
    }

    /// Connects and sends bytes. The service may close the connection meanwhile, to accept others.
    async fn hold(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.host).await.expect("the backlog has room");
        let _ = stream.write_all(bytes).await;
        stream
    }

    /// Checks that other clients are served, within bounds of time and memory.
    async fn serves_others(&self, round: &str) {
        let (url, client) = (&self.running.url, http_client());
        let id = round.replace(' ', "-");
        let product = json!({"name": format!("Lamp {id}"), "description": "A lamp. ".repeat(200)});
        for _ in 0..3 {
            let begun = Instant::now();
            Answer::of(client.get(format!("{url}/health/live"))).await.expect(200);
            let written = Answer::of(client.put(format!("{url}/products/{id}")).json(&product)).await;
            assert!(written.status.is_success(), "{round}: {written:?}");
            Answer::of(client.get(format!("{url}/products/search?query=lamp"))).await.expect(200);
            assert!(begun.elapsed() < WHILE_OTHERS_WAIT, "{round}: {:?}", begun.elapsed());
        }
        let name = format!("{url}/products/search?query=%22{id}%22");
        wait_until("the write is found", async || {
            Answer::of(client.get(&name)).await.expect(200).json()["total"] == 1
        })
        .await;
        let memory = self.running.own_memory().unwrap_or(0);
        assert!(memory < MEMORY, "{round}: {} MB", memory >> 20);
        println!("{round}: {} MB", memory >> 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_keep_nobody_out() {
    let service = Service::start().await;
    let mut held = Vec::new();
    for _ in 0..IDLE {
        held.push(service.hold(b"").await);
    }
    service.serves_others("idle").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_head_keeps_nobody_out() {
    let service = Service::start().await;
    let mut held = Vec::new();
    for _ in 0..IDLE {
        held.push(service.hold(b"GET /products/search?query=lamp HTTP/1.1\r\nhost: ").await);
    }
    service.serves_others("half a head").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_bodies_keep_nobody_out_and_take_little_memory() {
    let service = Service::start().await;
    let before = service.running.own_memory().unwrap_or(0);
    let mut half = b"PUT /products/p HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1048000\r\n\r\n{\"name\":\"".to_vec();
    half.resize(1_000_000, b'x');
    let mut held = Vec::new();
    for _ in 0..300 {
        held.push(tokio::time::timeout(PATIENCE, service.hold(&half)).await.expect("it is read or refused"));
    }
    let taken = service.running.own_memory().unwrap_or(0).saturating_sub(before);
    assert!(taken < 200 << 20, "{} MB for half-sent bodies", taken >> 20);
    service.serves_others("half a body").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_keep_nobody_out() {
    let service = Service::start().await;
    let client = http_client();
    let lines: String = (0..2_000)
        .map(|n| {
            json!({"id": format!("p{n}"), "name": "Bowl", "description": "x".repeat(1_000)}).to_string()
                + "\n"
        })
        .collect();
    let bulk = client.post(format!("{}/products/bulk", service.running.url));
    let bulk = bulk.header("content-type", "application/x-ndjson").body(lines);
    Answer::of(bulk).await.expect(200);
    // Pipelined requests, whose responses are not read.
    let list = "GET /products?limit=100 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(60);
    let mut held = Vec::new();
    for _ in 0..NEVER_READING {
        let sent = tokio::time::timeout(Duration::from_millis(200), service.hold(list.as_bytes())).await;
        held.extend(sent);
    }
    service.serves_others("never reading").await;
}
